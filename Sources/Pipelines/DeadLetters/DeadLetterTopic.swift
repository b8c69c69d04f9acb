import Base
import KafkaClient
import KafkaConnection
import KafkaWire
import Records

/// One partition's dead letters in a topic, by transactions: readers of committed records see each letter once.
///
/// Its transactional id is the partition's, so that an owner that was replaced and wakes up again is fenced; its position is the committed offset of a group of
/// its own, `<group>.dlq`, which has no members. Letters keep their order: those of partition n go to partition n modulo the topic's count.
final class DeadLetterTopic: DeadLetterLog {
    private let cluster: KafkaCluster
    private let topic: String
    private let partition: TopicPartition
    private let group: String
    private let transactionalID: String
    /// Of the topic that is read: an offset that is committed of a deleted one of its name says nothing of this one.
    private let topicID: TopicID
    private var target: TopicPartition?
    private var producer: TransactionalProducer?

    /// - Parameter group: the pipeline's own.
    init(
        cluster: KafkaCluster, topic: String, partition: TopicPartition, topicID: TopicID, pipeline: String,
        group: String
    ) {
        self.cluster = cluster
        self.topicID = topicID
        self.topic = topic
        self.partition = partition
        self.group = Self.group(of: group)
        transactionalID = "millrace.dlq.\(pipeline).\(partition.topic).\(partition.partition)"
    }

    static func group(of group: String) -> String { "\(group).dlq" }

    func takeOver() async throws -> Offset? {
        let count = try await cluster.partitionCount(topic, mayCreate: true)
        target = TopicPartition(topic: topic, partition: partition.partition % Int32(max(count, 1)))
        producer = try await TransactionalProducer.open(
            cluster: cluster, transactionalID: transactionalID, codec: .gzip)
        // What the one before left open is ended now: no offset is on its way any more.
        let committed = try await Admin(cluster).committedOffsets(
            group: group, partitions: [partition], requireStable: true)[partition]
        return committed?.metadata == topicID.description ? committed?.offset : nil
    }

    func write(_ records: [NewRecord], position: Offset, leaderEpoch: LeaderEpoch) async throws {
        guard let target else { preconditionFailure("written before it was taken over") }
        do throws(ClientError) {
            try producer?.begin()
            try await producer?.send(records, to: target)
            try await producer?.send(
                offsets: [
                    partition: .init(position, leaderEpoch: leaderEpoch, metadata: topicID.description)
                ], group: group)
            try await producer?.commit()
        } catch {
            guard error.kafkaError != .messageTooLarge, error.kafkaError != .recordListTooLarge else {
                throw PipelineError(
                    "a dead letter of \(partition) below offset \(position) is larger than topic \(topic) takes; raise its max.message.bytes: \(error)"
                )
            }
            throw error
        }
    }
}

extension ClientError {
    /// True where a transaction failed for a reason that a new attempt, with an epoch of its own, is free of: another owner fenced it, or
    /// its coordinator aborted it for its age.
    var endsTransactionOnly: Bool {
        switch kafkaError {
        case .producerFenced?, .invalidProducerEpoch?, .invalidTxnState?, .invalidProducerIdMapping?,
            .outOfOrderSequenceNumber?, .unknownProducerId?, .concurrentTransactions?:
            true
        default: code == .fenced
        }
    }
}
