import Base
import KafkaClient
import KafkaConnection
import KafkaWire
import Records

/// A topic that takes what comes of one partition, by transactions: readers of committed records see each record once.
///
/// Its transactional id is the partition's, so that an owner that was replaced and wakes up again is fenced; the progress is the committed offset of a group of
/// its own, which has no members. Records keep their order: those of partition n go to partition n modulo the topic's count.
final class ProgressTopic: ProgressLog {
    /// Of one batch; a transaction may have several.
    static let batchBytesMax = 256 * 1024

    private let cluster: KafkaCluster
    private let topic: String
    private let partition: TopicPartition
    private let group: String
    private let transactionalID: String
    /// Of the topic that is read: an offset that is committed of a deleted one of its name says nothing of this one.
    private let topicID: TopicID
    private var target: TopicPartition?
    private var producer: TransactionalProducer?

    /// - Parameters:
    ///   - purpose: what is written here; part of the names of the transactional id and of the group.
    ///   - group: the pipeline's own.
    init(
        cluster: KafkaCluster, topic: String, partition: TopicPartition, topicID: TopicID, purpose: String,
        pipeline: String, group: String
    ) {
        self.cluster = cluster
        self.topicID = topicID
        self.topic = topic
        self.partition = partition
        self.group = "\(group).\(purpose)"
        transactionalID = "millrace.\(purpose).\(pipeline).\(partition.topic).\(partition.partition)"
    }

    func takeOver() async throws -> Progress? {
        let count = try await cluster.partitionCount(topic, mayCreate: true)
        target = TopicPartition(topic: topic, partition: partition.partition % Int32(max(count, 1)))
        producer = try await TransactionalProducer.open(
            cluster: cluster, transactionalID: transactionalID, codec: .gzip)
        // What the one before left open is ended now: no offset is on its way any more.
        let committed = try await Admin(cluster).committedOffsets(
            group: group, partitions: [partition], requireStable: true)[partition]
        guard let committed, let metadata = committed.metadata else { return nil }
        let parts = metadata.split(separator: " ", maxSplits: 1)
        guard parts.first.map(String.init) == topicID.description else { return nil }
        return Progress(offset: committed.offset, note: parts.count > 1 ? String(parts[1]) : "")
    }

    func write(_ records: [NewRecord], _ progress: Progress, leaderEpoch: LeaderEpoch) async throws {
        guard let target else { preconditionFailure("written before it was taken over") }
        do throws(ClientError) {
            try producer?.begin()
            for batch in Self.batches(of: records) { try await producer?.send(batch, to: target) }
            try await producer?.send(
                offsets: [
                    partition: .init(
                        progress.offset, leaderEpoch: leaderEpoch, metadata: "\(topicID.description) \(progress.note)")
                ], group: group)
            try await producer?.commit()
        } catch {
            guard error.kafkaError != .messageTooLarge, error.kafkaError != .recordListTooLarge else {
                throw PipelineError(
                    "a record that comes of \(partition) below offset \(progress.offset) is larger than topic \(topic) takes; "
                        + "raise its max.message.bytes: \(error)")
            }
            throw error
        }
    }

    private static func batches(of records: [NewRecord]) -> [[NewRecord]] {
        var batches: [[NewRecord]] = []
        var bytes = Int.max
        for record in records {
            let size = record.byteCount
            if bytes.addingReportingOverflow(size).overflow || bytes + size > batchBytesMax {
                batches.append([])
                bytes = 0
            }
            batches[batches.count - 1].append(record)
            bytes += size
        }
        return batches
    }
}

extension NewRecord {
    /// What it takes of memory and of a batch, about.
    var byteCount: Int {
        (key?.count ?? 0) + (value?.count ?? 0)
            + headers.reduce(64) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
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
