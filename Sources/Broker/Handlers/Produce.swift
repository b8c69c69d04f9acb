import Base
import KafkaConnection
import KafkaWire
import LogStorage
import NIOCore
import Records
import Synchronization

/// Produce (0), versions 3–13: appends one record batch to each partition named.
///
/// - acks 1 and −1: answered once the batch is as safe as the topic's durability asks; with one replica both mean the same. At `fsync` that is
///   on the disk, at `page-cache` in the kernel's hands.
/// - acks 0: no answer; what would have been an error closes the connection, for that is all a broker can say.
/// - An idempotent producer's repeated batch gets the offset of its first appearance, once that one is as safe.
/// - Partitions fail one by one; requests of one connection reach a partition in their order.
/// - From v13 on topics go by id.
/// - A transactional batch is taken only while its producer's transaction is open and covers the partition, which is asked once more right before it is
///   written. From v12 on the partition is added to the transaction here (KIP-890).
struct ProduceHandler: ApiHandler {
    typealias Request = ProduceRequest
    static let versions: ClosedRange<Int16> = 3...13

    let services: BrokerServices

    func handle(_ call: Call<ProduceRequest>) {
        let request = call.request
        let answer = ProduceAnswer(call)
        guard (-1...1).contains(request.acks) else {
            return answer.refuseAll(
                ProduceError(.invalidRequiredAcks, "acks has to be -1, 0 or 1, not \(request.acks)"))
        }
        var parts: [(place: ProduceAnswer.Place, item: PartitionAppender.Item)] = []
        for (topicIndex, topicData) in request.topicData.enumerated() {
            let topic =
                call.version >= 13
                ? services.topics.topic(id: topicData.topicId) : services.topics.topic(named: topicData.name)
            for (partitionIndex, data) in topicData.partitionData.enumerated() {
                let place = ProduceAnswer.Place(topic: topicIndex, partition: partitionIndex)
                switch target(data, in: topic, call: call) {
                case .success(let item): parts.append((place, item))
                case .failure(let error): answer.fail(place, error)
                }
            }
        }
        let (plain, transactional) = Self.divided(parts)
        append(plain, answer)
        for (producer, parts) in transactional { append(parts, of: producer, call, answer) }
        answer.allAsked()
    }

    private typealias Part = (place: ProduceAnswer.Place, item: PartitionAppender.Item)

    private struct Producer: Hashable {
        var id: ProducerID
        var epoch: ProducerEpoch
    }

    private static func divided(_ parts: [Part]) -> (plain: [Part], transactional: [Producer: [Part]]) {
        var plain: [Part] = []
        var transactional: [Producer: [Part]] = [:]
        for part in parts {
            if let header = try? BatchHeader(part.item.batches), header.isTransactional {
                let producer = Producer(id: header.producerID, epoch: header.producerEpoch)
                transactional[producer, default: []].append(part)
            } else {
                plain.append(part)
            }
        }
        return (plain, transactional)
    }

    private func append(_ parts: [Part], of producer: Producer, _ call: Call<ProduceRequest>, _ answer: ProduceAnswer) {
        let transactions = services.transactions
        guard let id = call.request.transactionalId else {
            for part in parts {
                answer.fail(
                    part.place, ProduceError(.invalidTxnState, "a transactional batch needs a transactional id"))
            }
            return
        }
        let checked = parts.map { part in
            var part = part
            part.item.refusal = transactions.refusal(
                id, part.item.partition.id, producerID: producer.id, epoch: producer.epoch)
            return part
        }
        guard call.version >= 12 else {
            var taken: [Part] = []
            for part in checked {
                let error = transactions.verify(
                    id, part.item.partition.id, producerID: producer.id, epoch: producer.epoch)
                if error == .none {
                    taken.append(part)
                } else {
                    answer.fail(part.place, ProduceError(transaction: error, id))
                }
            }
            return append(taken, answer)
        }
        let partitions = Set(parts.map(\.item.partition.id))
        transactions.add(
            partitions, to: id, producerID: producer.id, epoch: producer.epoch, clientVersion: 2, mayWait: true
        ) { error, _ in
            if error == .none { return append(checked, answer) }
            for part in checked { answer.fail(part.place, ProduceError(transaction: error, id)) }
        }
    }

    private func append(_ parts: [Part], _ answer: ProduceAnswer) {
        var parts = parts
        // Most requests go to one lane; then they are one job.
        while let first = parts.first {
            let lane = first.item.partition.lane
            let here = parts.filter { $0.item.partition.lane === lane }
            parts.removeAll { $0.item.partition.lane === lane }
            services.appender.append(here.map(\.item), origin: .client, mayWriteHere: true) { index, outcome in
                switch outcome {
                case .success(let result): answer.succeed(here[index].place, result)
                case .failure(let failure): answer.fail(here[index].place, ProduceError(failure))
                }
            }
        }
    }

    private func target(
        _ data: ProduceRequest.PartitionProduceData, in topic: Topic?, call: Call<ProduceRequest>
    ) -> Result<PartitionAppender.Item, ProduceError> {
        guard let topic else {
            return .failure(
                ProduceError(
                    call.version >= 13 ? .unknownTopicId : .unknownTopicOrPartition, "no such topic on this broker"))
        }
        guard topic.partitions.indices.contains(Int(data.index)) else {
            return .failure(
                ProduceError(
                    .unknownTopicOrPartition,
                    "topic \(topic.name) has \(topic.partitions.count) partitions, \(data.index) is not one of them"))
        }
        guard let partition = topic.partitions[Int(data.index)] else {
            return .failure(ProduceError(.kafkaStorageError, "the partition is offline: see the broker's log"))
        }
        guard !topic.isInternal else {
            return .failure(
                ProduceError(.invalidTopicException, "\(topic.name) is the broker's own: clients can't write to it"))
        }
        guard let records = data.records, records.readableBytes >= BatchLayout.headerBytes else {
            return .failure(ProduceError(.invalidRecord, "there is no record batch for this partition"))
        }
        if let fault = Self.fault(in: records, version: call.version) { return .failure(fault) }
        return .success(PartitionAppender.Item(partition: partition, batches: records))
    }

    /// What Produce itself demands of a batch; all the rest is the log's to judge.
    private static func fault(in records: ByteBuffer, version: Int16) -> ProduceError? {
        let start = records.readerIndex
        let magic = records.getInteger(at: start + 16, as: Int8.self) ?? 2
        guard magic == 2 else { return nil }
        let length = Int(records.getInteger(at: start + 8, as: Int32.self) ?? 0) + 12
        if length >= BatchLayout.headerBytes, length < records.readableBytes {
            return ProduceError(.invalidRecord, "a produce request holds exactly one record batch for a partition")
        }
        let attributes = records.getInteger(at: start + 21, as: Int16.self) ?? 0
        if attributes & 0x7 == 4, version < 7 {
            return ProduceError(.unsupportedCompressionType, "zstd needs Produce v7 or later")
        }
        return nil
    }
}

/// Why one partition of a Produce was refused.
struct ProduceError: Error, Sendable {
    let code: ErrorCode
    let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What the coordinator of a transaction said, in terms of this API.
    init(transaction error: ErrorCode, _ id: String) {
        switch error {
        case .producerFenced:
            self.init(.invalidProducerEpoch, "'\(id)' has a newer epoch: another producer took it over")
        case .concurrentTransactions, .coordinatorLoadInProgress, .coordinatorNotAvailable:
            self.init(.notEnoughReplicas, "the transaction of '\(id)' can't be looked up now (\(error)): try again")
        default: self.init(error, "'\(id)' has no open transaction that covers the partition (\(error))")
        }
    }

    init(_ failure: PartitionAppender.Failure) {
        switch failure {
        case .refused(let error): self.init(ErrorCode(error.code), error.message)
        case .deleted: self.init(.unknownTopicOrPartition, "the topic was deleted")
        case .turnedAway: self.init(.notEnoughReplicas, "the disk does not keep up; nothing was written, try again")
        case .notDurable(let error): self.init(.kafkaStorageError, "the batch could not be made durable: \(error)")
        }
    }
}

/// Collects the outcomes of one Produce and answers when the last one is in.
private final class ProduceAnswer: Sendable {
    struct Place { let topic: Int, partition: Int }

    private struct State {
        var response: ProduceResponse
        var missing: Int
        var firstError: ProduceError?
    }

    private let call: Call<ProduceRequest>
    private let state: Mutex<State>

    init(_ call: Call<ProduceRequest>) {
        self.call = call
        var response = ProduceResponse()
        response.responses = call.request.topicData.map { topic in
            var topicResponse = ProduceResponse.TopicProduceResponse()
            topicResponse.name = topic.name
            topicResponse.topicId = topic.topicId
            topicResponse.partitionResponses = topic.partitionData.map { partition in
                var partitionResponse = ProduceResponse.PartitionProduceResponse()
                partitionResponse.index = partition.index
                partitionResponse.baseOffset = -1
                return partitionResponse
            }
            return topicResponse
        }
        let count = call.request.topicData.reduce(0) { $0 + $1.partitionData.count }
        // One more than there are partitions, for `allAsked`: no answer leaves while the request is still being taken apart.
        state = Mutex(State(response: response, missing: count + 1))
    }

    func succeed(_ place: Place, _ result: AppendResult) {
        settle { state in
            state.response.responses[place.topic].partitionResponses[place.partition].baseOffset =
                result.baseOffset.rawValue
            state.response.responses[place.topic].partitionResponses[place.partition].logAppendTimeMs =
                result.logAppendTime.milliseconds
            state.response.responses[place.topic].partitionResponses[place.partition].logStartOffset =
                result.logStartOffset.rawValue
        }
    }

    func fail(_ place: Place, _ error: ProduceError) {
        settle { state in
            state.response.responses[place.topic].partitionResponses[place.partition].errorCode = error.code
            state.response.responses[place.topic].partitionResponses[place.partition].errorMessage = error.message
            if state.firstError == nil { state.firstError = error }
        }
    }

    func refuseAll(_ error: ProduceError) {
        for (topicIndex, topic) in call.request.topicData.enumerated() {
            for partitionIndex in topic.partitionData.indices {
                fail(Place(topic: topicIndex, partition: partitionIndex), error)
            }
        }
        allAsked()
    }

    func allAsked() { settle { _ in } }

    private func settle(_ change: (inout State) -> Void) {
        let finished = state.withLock { state -> State? in
            change(&state)
            state.missing -= 1
            return state.missing == 0 ? state : nil
        }
        guard let finished else { return }
        guard call.request.acks == 0 else { return call.answer(finished.response) }
        if let error = finished.firstError {
            call.received.close(
                .refused("a Produce with acks=0 failed, and only this tells the client: \(error.message)"))
        } else {
            call.received.finishWithoutResponse()
        }
    }
}
