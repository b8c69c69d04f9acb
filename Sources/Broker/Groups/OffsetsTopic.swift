import Base
import GroupCoordination
import KafkaWire
import LogStorage
import Logging
import NIOCore
import Records
import Telemetry

/// `__consumer_offsets`: the compacted topic that holds each group's members and committed offsets, in Kafka's own record layout.
///
/// A group belongs to the partition that the hash of its name points at (as Java's `String.hashCode` has it), so its records keep
/// their order.
struct OffsetsTopic: Sendable {
    static let name = "__consumer_offsets"
    /// `offsets.topic.num.partitions` is 50 in Kafka, which spreads coordinators over many brokers; one broker needs fewer folders.
    static let partitionCount: Int32 = 8
    static let settings = ["cleanup.policy": "compact", "segment.bytes": "104857600", "compression.type": "producer"]
    private static let readBytesMax = ByteCount.mib(1)
    private static let batchBytesMax = ByteCount.mib(16)

    let partitions: [Partition?]
    let appender: PartitionAppender
    let time: any TimeSource

    func partitionIndex(of group: String) -> Int { Self.partitionIndex(of: group, count: partitions.count) }

    /// As Kafka has it for groups and transactional ids alike.
    static func partitionIndex(of name: String, count: Int) -> Int {
        var hash: Int32 = 0
        for unit in name.utf16 { hash = hash &* 31 &+ Int32(unit) }
        return Int(hash == .min ? 0 : abs(hash)) % max(1, count)
    }

    /// In whose transaction records are written, and whether that is still open.
    struct Writer: Sendable {
        var producerID: ProducerID
        var epoch: ProducerEpoch
        var refusal: @Sendable () -> AppendError?
    }

    /// Writes the records as one batch: all stand in the log or none does. `then` is called once, on any thread.
    func append(
        _ records: [GroupRecord], group: String, in transaction: Writer? = nil,
        then: @escaping @Sendable (ErrorCode) -> Void
    ) {
        guard partitions.indices.contains(partitionIndex(of: group)),
            let partition = partitions[partitionIndex(of: group)]
        else { return then(.coordinatorNotAvailable) }
        let batch: RecordBatch
        do {
            let timestamp = time.wallTime
            batch = try RecordBatch.build(
                try records.map { record in
                    let (key, value) = try record.encoded()
                    return NewRecord(
                        timestamp: timestamp, key: Array(key.readableBytesView),
                        value: value.map { Array($0.readableBytesView) })
                },
                producerID: transaction?.producerID ?? .none, producerEpoch: transaction?.epoch ?? .none,
                isTransactional: transaction != nil)
        } catch { return then(.unknownServerError) }
        let item = PartitionAppender.Item(
            partition: partition, batches: batch.bytes, refusal: transaction?.refusal)
        appender.append([item], origin: .coordinator) { _, outcome in
            switch outcome {
            case .success: then(.none)
            case .failure(.refused(let error)) where error.code == .messageTooLarge: then(.offsetMetadataTooLarge)
            case .failure(.refused(let error)) where error.code == .invalidTxnState: then(.invalidTxnState)
            case .failure: then(.coordinatorNotAvailable)
            }
        }
    }

    /// What a replay comes upon.
    enum Event {
        /// In a producer's transaction, or `.none`.
        case record(GroupRecord, ProducerID)
        case transactionEnded(ProducerID, commits: Bool)
    }

    /// Reads one partition from its start and hands over every record and transaction marker; a record that can't be read is skipped and told.
    func replay(_ index: Int, telemetry: Telemetry, apply: (Event) -> Void) throws(ReadError) {
        guard let partition = partitions[index] else { throw ReadError(.offline, "the partition is offline") }
        var next = partition.log.logStartOffset
        var decompressor = Decompressor()
        while next < partition.log.logEndOffset {
            let slice = try partition.log.read(
                from: next, bytesMax: Self.readBytesMax, atLeastOneBatch: true, upTo: .logEnd)
            guard slice.byteCount > 0 else { return }
            var cursor = RecordBatchCursor(try Self.bytes(of: slice))
            let before = next
            do throws(RecordError) {
                while let batch = try cursor.next() {
                    next = batch.nextOffset
                    if batch.isControl {
                        if let marker = TransactionMarker(batch) {
                            apply(.transactionEnded(batch.producerID, commits: marker.commits))
                        }
                        continue
                    }
                    let producer = batch.isTransactional ? batch.producerID : .none
                    var records = try batch.records(decompressedMax: Self.batchBytesMax, using: &decompressor)
                    while let record = try records.next() {
                        guard let key = record.key else { continue }
                        do throws(WireError) {
                            apply(.record(try GroupRecord.decode(key: key, value: record.value), producer))
                        } catch {
                            telemetry.emit(
                                GroupRecordSkipped(partition: partition.id, offset: record.offset, reason: "\(error)"))
                        }
                    }
                }
            } catch {
                telemetry.emit(GroupRecordSkipped(partition: partition.id, offset: next, reason: "\(error)"))
            }
            if next == before { next = next + 1 }
        }
    }

    private static func bytes(of slice: LogSlice) throws(ReadError) -> ByteBuffer {
        do { return try slice.bytes() } catch { throw ReadError(.offline, "\(error)") }
    }
}

/// A record of `__consumer_offsets` that can't be read; what it said is lost, the rest is not.
struct GroupRecordSkipped: Fact {
    var partition: TopicPartition
    var offset: Offset
    var reason: String

    var level: Logger.Level { .error }
    var message: String { "\(partition): skipped a group record at offset \(offset): \(reason)" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.groupRecordsSkipped).increment()
    }
}
