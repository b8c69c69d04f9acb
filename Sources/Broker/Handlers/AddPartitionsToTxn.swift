import Base
import KafkaWire
import Synchronization

/// AddPartitionsToTxn (24), versions 0–5: a producer is about to write to these partitions in its transaction, which begins with the first
/// of them.
///
/// - All or nothing: with an unknown partition among them the others are OPERATION_NOT_ATTEMPTED.
/// - From v4 on several transactions at once, and `verify_only`, which only asks whether they are in the transaction already.
struct AddPartitionsToTxnHandler: ApiHandler {
    typealias Request = AddPartitionsToTxnRequest
    static let versions: ClosedRange<Int16> = 0...5

    let services: BrokerServices

    func handle(_ call: Call<AddPartitionsToTxnRequest>) {
        let request = call.request
        guard call.version >= 4 else {
            let topics = request.v3AndBelowTopics
            add(
                topics, to: request.v3AndBelowTransactionalId, ProducerID(request.v3AndBelowProducerId),
                ProducerEpoch(request.v3AndBelowProducerEpoch)
            ) { error in
                var response = AddPartitionsToTxnResponse()
                response.resultsByTopicV3AndBelow = Self.results(topics) {
                    // Clients before v2 know no PRODUCER_FENCED.
                    let code = error($0)
                    return code == .producerFenced && call.version < 2 ? .invalidProducerEpoch : code
                }
                call.answer(response)
            }
            return
        }
        guard !request.transactions.isEmpty else { return call.answer(AddPartitionsToTxnResponse()) }
        let gathered = Mutex<[Int: AddPartitionsToTxnResponse.AddPartitionsToTxnResult]>([:])
        let box = Gathered(gathered, count: request.transactions.count, call: call)
        for (place, transaction) in request.transactions.enumerated() {
            let finish: @Sendable (@escaping (TopicPartition) -> ErrorCode) -> Void = { error in
                var result = AddPartitionsToTxnResponse.AddPartitionsToTxnResult()
                result.transactionalId = transaction.transactionalId
                result.topicResults = Self.results(transaction.topics, error)
                box.take(result, at: place)
            }
            let (id, epoch) = (ProducerID(transaction.producerId), ProducerEpoch(transaction.producerEpoch))
            if transaction.verifyOnly {
                finish { [services] partition in
                    services.transactions.verify(
                        transaction.transactionalId, partition, producerID: id, epoch: epoch)
                }
            } else {
                add(transaction.topics, to: transaction.transactionalId, id, epoch, finish)
            }
        }
    }

    /// Collects the results of several transactions and answers with the last one.
    private final class Gathered: Sendable {
        private let results: Mutex<[Int: AddPartitionsToTxnResponse.AddPartitionsToTxnResult]>
        private let count: Int
        private let call: Call<AddPartitionsToTxnRequest>

        init(
            _ results: consuming Mutex<[Int: AddPartitionsToTxnResponse.AddPartitionsToTxnResult]>, count: Int,
            call: Call<AddPartitionsToTxnRequest>
        ) {
            self.results = results
            self.count = count
            self.call = call
        }

        func take(_ result: AddPartitionsToTxnResponse.AddPartitionsToTxnResult, at place: Int) {
            let all = results.withLock { results in
                results[place] = result
                return results.count == count ? results : nil
            }
            guard let all else { return }
            var response = AddPartitionsToTxnResponse()
            response.resultsByTransaction = all.sorted { $0.key < $1.key }.map(\.value)
            call.answer(response)
        }
    }

    private func add(
        _ topics: [AddPartitionsToTxnRequest.AddPartitionsToTxnTopic], to transactionalID: String, _ id: ProducerID,
        _ epoch: ProducerEpoch, _ then: @escaping @Sendable (@escaping (TopicPartition) -> ErrorCode) -> Void
    ) {
        var partitions: Set<TopicPartition> = []
        var unknown: Set<TopicPartition> = []
        for topic in topics {
            let known = services.topics.topic(named: topic.name)
            for index in topic.partitions {
                let partition = TopicPartition(topic: topic.name, partition: index)
                partitions.insert(partition)
                if known?.partitions.indices.contains(Int(index)) != true { unknown.insert(partition) }
            }
        }
        guard unknown.isEmpty else {
            return then { [unknown] in unknown.contains($0) ? .unknownTopicOrPartition : .operationNotAttempted }
        }
        services.transactions.add(
            partitions, to: transactionalID, producerID: id, epoch: epoch, clientVersion: 0
        ) { error, _ in then { _ in error } }
    }

    private static func results(
        _ topics: [AddPartitionsToTxnRequest.AddPartitionsToTxnTopic], _ error: (TopicPartition) -> ErrorCode
    ) -> [AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult] {
        topics.map { topic in
            var result = AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult()
            result.name = topic.name
            result.resultsByPartition = topic.partitions.map { index in
                var entry = AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult()
                entry.partitionIndex = index
                entry.partitionErrorCode = error(TopicPartition(topic: topic.name, partition: index))
                return entry
            }
            return result
        }
    }
}
