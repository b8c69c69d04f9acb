import Base
import GroupCoordination
import KafkaWire
import LogStorage

/// TxnOffsetCommit (28), versions 0–5: offsets of a group that count once the producer's transaction is committed.
///
/// - Up to v4 the group's partition of `__consumer_offsets` has to be in the transaction (AddOffsetsToTxn); from v5 on it is added here (KIP-890).
/// - From v3 on fenced by the group's generation, as OffsetCommit is; a producer that names no member is not.
struct TxnOffsetCommitHandler: ApiHandler {
    typealias Request = TxnOffsetCommitRequest
    static let versions: ClosedRange<Int16> = 0...5

    let services: BrokerServices

    func handle(_ call: Call<TxnOffsetCommitRequest>) {
        let request = call.request
        let groups = services.groups
        let refusal = groups.mayCommit(
            request.groupId, memberID: request.memberId, instanceID: request.groupInstanceId,
            generation: request.generationId, isTransactional: true)
        guard refusal == .none else { return answer(call) { _ in refusal } }
        let partition = groups.partition(of: request.groupId)
        let (id, epoch) = (ProducerID(request.producerId), ProducerEpoch(request.producerEpoch))
        guard call.version >= 5 else {
            let error = services.transactions.verify(
                request.transactionalId, partition, producerID: id, epoch: epoch)
            guard error == .none else { return answer(call) { _ in error } }
            return commit(call, in: partition)
        }
        services.transactions.add(
            [partition], to: request.transactionalId, producerID: id, epoch: epoch, clientVersion: 2, mayWait: true
        ) { error, _ in
            guard error == .none else { return answer(call) { _ in error } }
            commit(call, in: partition)
        }
    }

    private func commit(_ call: Call<TxnOffsetCommitRequest>, in partition: TopicPartition) {
        let request = call.request
        var offsets: [(TopicPartition, CommittedOffset)] = []
        var refused: [TopicPartition: ErrorCode] = [:]
        let now = services.time.wallTime
        for topic in request.topics {
            let known = services.topics.topic(named: topic.name)
            for entry in topic.partitions {
                let id = TopicPartition(topic: topic.name, partition: entry.partitionIndex)
                if known?.partitions.indices.contains(Int(entry.partitionIndex)) != true {
                    refused[id] = .unknownTopicOrPartition
                } else if (entry.committedMetadata ?? "").utf8.count > OffsetCommitHandler.metadataBytesMax {
                    refused[id] = .offsetMetadataTooLarge
                } else {
                    offsets.append(
                        (
                            id,
                            CommittedOffset(
                                offset: Offset(entry.committedOffset),
                                leaderEpoch: LeaderEpoch(entry.committedLeaderEpoch),
                                metadata: entry.committedMetadata ?? "", committedAt: now)
                        ))
                }
            }
        }
        let writer = OffsetsTopic.Writer(
            producerID: ProducerID(request.producerId), epoch: ProducerEpoch(request.producerEpoch),
            refusal: services.transactions.refusal(
                request.transactionalId, partition, producerID: ProducerID(request.producerId),
                epoch: ProducerEpoch(request.producerEpoch)))
        services.groups.commit(request.groupId, offsets, in: writer) { [refused] error in
            answer(call) { refused[$0] ?? error }
        }
    }

    private func answer(_ call: Call<TxnOffsetCommitRequest>, _ error: (TopicPartition) -> ErrorCode) {
        var response = TxnOffsetCommitResponse()
        response.topics = call.request.topics.map { topic in
            var result = TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic()
            result.name = topic.name
            result.partitions = topic.partitions.map { entry in
                var place = TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition()
                place.partitionIndex = entry.partitionIndex
                let code = error(TopicPartition(topic: topic.name, partition: entry.partitionIndex))
                // Of a fenced producer this API has always said so.
                place.errorCode = code == .producerFenced ? .invalidProducerEpoch : code
                return place
            }
            return result
        }
        call.answer(response)
    }
}
