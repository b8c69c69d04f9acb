import Base
import Records

/// What one fetch brought for one partition, its batches checked (CRC) and filtered (control batches, aborted transactions), not copied.
public struct FetchedPartition: Sendable {
    public var partition: TopicPartition
    /// `.zero` where the cluster has no topic ids.
    public var topicID: TopicID
    /// The epoch of the leader that was asked; `.none` where unknown.
    public var leaderEpoch: LeaderEpoch
    /// The offset that was asked for. A batch is sent whole: the first may begin below, and its records below are to be skipped.
    public var startOffset: Offset
    /// Where the next fetch goes on. It may lie beyond the last batch: control batches and aborted records have offsets too.
    public var nextOffset: Offset
    /// In offset order; may be empty where only the position moved. They keep the whole fetch response in memory: don't hold on to them.
    public var batches: [RecordBatch]
    /// One past the last record that is safe.
    public var highWatermark: Offset
    public var lastStableOffset: Offset
    public var logStartOffset: Offset

    /// How far the reader is behind, in offsets.
    public var lag: Int64 { max(0, highWatermark - nextOffset) }

    /// Bytes of the batches.
    public var byteCount: ByteCount { ByteCount(batches.reduce(0) { $0 + $1.byteCount }) }
}

/// The broker no longer has, or not yet has, the offset that was asked for. Nothing is skipped: the reader has to decide.
public struct OffsetOutOfRange: Sendable, Equatable {
    public var partition: TopicPartition
    public var topicID: TopicID
    public var offset: Offset
    /// The first offset that is there, and the end; `.none` where the broker did not say.
    public var logStartOffset: Offset
    public var highWatermark: Offset
}

/// Where reading a partition begins.
public enum StartPosition: Sendable, Equatable {
    /// Where the group left off; without a committed offset, as `GroupConsumerSettings.reset` says.
    case committed
    /// With the leader epoch of the record before it, where that is known: a leader that holds another record there answers OFFSET_OUT_OF_RANGE.
    case offset(Offset, after: LeaderEpoch = .none)
    case earliest
    case latest
}

/// How partitions are fetched.
public struct FetchSettings: Sendable {
    /// Of one partition in one answer; a larger batch comes alone (`max.partition.fetch.bytes`).
    public var partitionBytesMax = ByteCount.mib(1)
    /// Of one answer (`fetch.max.bytes`).
    public var responseBytesMax = ByteCount.mib(16)
    /// Of all batches that were fetched and wait for the handler. One answer per broker comes on top.
    public var queueBytesMax = ByteCount.mib(32)
    /// A broker without that many new bytes waits up to `waitMax` for them.
    public var bytesMin = ByteCount(1)
    public var waitMax = Duration.milliseconds(500)
    public var isolation = IsolationLevel.readCommitted
    /// Checks the CRC of every batch.
    public var checksCRC = true

    public init() {}
}
