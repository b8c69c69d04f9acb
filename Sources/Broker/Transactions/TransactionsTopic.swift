import Base
import GroupCoordination
import KafkaWire
import LogStorage
import NIOCore
import Records
import Telemetry

/// `__transaction_state`: the compacted topic that holds what is known of each transactional id, in Kafka's own record layout.
///
/// An id belongs to the partition that its hash points at, as a group does.
struct TransactionsTopic: Sendable {
    static let name = "__transaction_state"
    /// 50 in Kafka, which spreads coordinators over many brokers; one broker needs fewer folders.
    static let partitionCount: Int32 = 8
    static let settings = ["cleanup.policy": "compact", "segment.bytes": "104857600", "compression.type": "producer"]
    private static let readBytesMax = ByteCount.mib(1)
    private static let batchBytesMax = ByteCount.mib(16)

    let partitions: [Partition?]
    let appender: PartitionAppender
    let time: any TimeSource

    func partitionIndex(of id: String) -> Int {
        OffsetsTopic.partitionIndex(of: id, count: partitions.count)
    }

    /// Writes one record; `then` is called once, on any thread, when the log holds it at the topic's durability.
    func append(_ id: String, _ entry: TransactionEntry?, then: @escaping @Sendable (ErrorCode) -> Void) {
        guard let partition = partitions[partitionIndex(of: id)] else { return then(.coordinatorNotAvailable) }
        let batch: RecordBatch
        do {
            let (key, value) = try TransactionRecord.entry(id: id, entry).encoded()
            batch = try RecordBatch.build([
                NewRecord(
                    timestamp: time.wallTime, key: Array(key.readableBytesView),
                    value: value.map { Array($0.readableBytesView) })
            ])
        } catch { return then(.unknownServerError) }
        appender.append([PartitionAppender.Item(partition: partition, batches: batch.bytes)], origin: .coordinator) {
            _, outcome in
            switch outcome {
            case .success: then(.none)
            case .failure: then(.coordinatorNotAvailable)
            }
        }
    }

    /// Reads one partition from its start and hands over every record; one that can't be read is skipped and told.
    func replay(
        _ index: Int, telemetry: Telemetry, apply: (String, TransactionEntry?) -> Void
    ) throws(ReadError) {
        guard let partition = partitions[index] else { throw ReadError(.offline, "the partition is offline") }
        var next = partition.log.logStartOffset
        var decompressor = Decompressor()
        while next < partition.log.logEndOffset {
            let slice = try partition.log.read(
                from: next, bytesMax: Self.readBytesMax, atLeastOneBatch: true, upTo: .logEnd)
            guard slice.byteCount > 0 else { return }
            var cursor = RecordBatchCursor(try slice.bytes())
            let before = next
            do {
                while let batch = try cursor.next() {
                    next = batch.nextOffset
                    if batch.isControl { continue }
                    var records = try batch.records(decompressedMax: Self.batchBytesMax, using: &decompressor)
                    while let record = try records.next() {
                        guard let key = record.key else { continue }
                        do throws(WireError) {
                            if case .entry(let id, let entry) = try TransactionRecord.decode(
                                key: key, value: record.value)
                            {
                                apply(id, entry)
                            }
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
}
