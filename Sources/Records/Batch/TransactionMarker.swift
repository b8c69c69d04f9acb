import Base
import NIOCore

/// The control record that ends a transaction in a partition (KIP-98): what a control batch of a transaction coordinator holds.
///
/// ```
/// key:   | version i16 = 0 | type i16 (0 abort, 1 commit) |
/// value: | version i16 = 0 | coordinatorEpoch i32 |
/// ```
public struct TransactionMarker: Sendable, Equatable {
    /// No batch that holds one is larger.
    public static let batchBytesMax = 1024

    public var commits: Bool
    /// Of two coordinators that both believe to be in charge the one with the larger epoch is.
    public var coordinatorEpoch: Int32

    public init(commits: Bool, coordinatorEpoch: Int32) {
        self.commits = commits
        self.coordinatorEpoch = coordinatorEpoch
    }

    /// The marker in a control batch; nil for control batches of other kinds.
    public init?(_ batch: RecordBatch) {
        guard batch.isControl, batch.byteCount <= Self.batchBytesMax,
            var records = try? batch.records(decompressedMax: .kib(4)), let record = try? records.next(),
            let key = record.key, let value = record.value,
            let type: Int16 = key.getInteger(at: key.readerIndex + 2), (0...1).contains(type),
            let epoch: Int32 = value.getInteger(at: value.readerIndex + 2)
        else { return nil }
        self.init(commits: type == 1, coordinatorEpoch: epoch)
    }

    /// A control batch that ends the transaction of a producer.
    public func batch(
        producerID: ProducerID, epoch: ProducerEpoch, at time: Timestamp
    ) throws(RecordError) -> RecordBatch {
        var key = ByteBuffer()
        key.writeInteger(Int16(0))
        key.writeInteger(Int16(commits ? 1 : 0))
        var value = ByteBuffer()
        value.writeInteger(Int16(0))
        value.writeInteger(coordinatorEpoch)
        let record = NewRecord(
            timestamp: time, key: Array(key.readableBytesView), value: Array(value.readableBytesView))
        return try RecordBatch.build(
            [record], producerID: producerID, producerEpoch: epoch, isTransactional: true, isControl: true)
    }
}
