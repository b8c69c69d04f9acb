import Base
import Events
import KafkaClient
import KafkaConnection
import KafkaWire
import Records

/// One partition's rows into a topic, as JSON, in transactions together with how far they are: whoever reads committed records sees each row once.
///
/// As with dead letters, the transactional id is the partition's, so that an owner that was replaced is fenced, and the position is the committed offset of a
/// group without members, `<group>.to.<topic>`.
final class TopicTarget: DeliveryTarget {
    private let cluster: KafkaCluster
    private let settings: TopicSinkSettings
    private let partition: TopicPartition
    /// An offset that is committed of a deleted topic of the same name says nothing of this one.
    private let topicID: TopicID
    private let group: String
    private let transactionalID: String
    private var producer: TransactionalProducer?
    private var partitionCount: Int32 = 1

    /// - Parameter group: the pipeline's own.
    init(
        cluster: KafkaCluster, settings: TopicSinkSettings, partition: TopicPartition, topicID: TopicID,
        pipeline: String, group: String
    ) {
        self.cluster = cluster
        self.settings = settings
        self.partition = partition
        self.topicID = topicID
        self.group = "\(group).to.\(settings.topic)"
        transactionalID = "millrace.to.\(pipeline).\(settings.topic).\(partition.topic).\(partition.partition)"
    }

    var keepsPosition: Bool { true }

    func takeOver(committed: Offset?) async throws -> Offset? {
        partitionCount = Int32(max(1, try await cluster.partitionCount(settings.topic, mayCreate: true)))
        producer = try await TransactionalProducer.open(
            cluster: cluster, transactionalID: transactionalID, codec: settings.codec)
        // What the one before left open is ended now: no offset is on its way any more.
        let own = try await Admin(cluster).committedOffsets(group: group, partitions: [partition], requireStable: true)[
            partition]
        let known = own?.metadata == topicID.description ? own?.offset : nil
        // The group never commits beyond what this sink made safe: where its own position has expired, the group's holds.
        return [known, committed].compactMap(\.self).max()
    }

    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch
    ) {
        var key: [UInt8]?
        if let path = settings.key {
            let value = path.value(within: row[path.components[0]])
            switch value {
            case .null: break
            case .string(let text): key = Array(text.utf8)
            default: key = Array(value.json.utf8)
            }
        }
        batch.append(offset: offset, timestamp: time ?? timestamp, key: key) { JSONWriter.append(row, to: &$0) }
    }

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        // Rows without a key keep their order: those of partition n go to partition n modulo the topic's count.
        var records: [Int32: [NewRecord]] = [:]
        for row in batch.rows {
            let number =
                row.key.map { Murmur2.partition(key: $0, count: partitionCount) }
                ?? partition.partition % partitionCount
            records[number, default: []].append(
                NewRecord(timestamp: row.timestamp, key: row.key, value: Array(batch.bytes(of: row))))
        }
        do throws(ClientError) {
            try producer?.begin()
            for (number, records) in records.sorted(by: { $0.key < $1.key }) {
                try await producer?.send(records, to: TopicPartition(topic: settings.topic, partition: number))
            }
            try await producer?.send(
                offsets: [partition: .init(position, leaderEpoch: leaderEpoch, metadata: topicID.description)],
                group: group)
            try await producer?.commit()
        } catch {
            guard error.kafkaError != .messageTooLarge, error.kafkaError != .recordListTooLarge else {
                throw PipelineError(
                    "rows of \(partition) below offset \(position) are larger than topic \(settings.topic) takes; raise its "
                        + "max.message.bytes or lower batch.size: \(error)")
            }
            // The partition starts over, with an epoch of its own: the transaction is aborted then, or was committed.
            throw error
        }
        return 0
    }

    var resetAdvice: String {
        "stop the pipeline and reset group \(group) to go on ('millrace groups reset')"
    }
}
