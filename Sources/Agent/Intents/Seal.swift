import Base
import KafkaClient
import NIOCore

/// What one seal makes durable, all of it or nothing: the batches of every builder that some stream feeds, and how far those streams
/// are in them.
public struct Seal: Sendable {
    public var batches: [Batch] = []
    /// Where each stream stands after these batches.
    public var streams: [StreamCheckpoint] = []
    /// Streams that are gone and need no position any more.
    public var retired: [StreamID] = []
    public var counts: [SourceCount] = []

    public init() {}

    public struct Batch: Sendable {
        public var partition: TopicPartition
        public var identity: ProducerIdentity
        public var baseSequence: Int32
        public var recordCount: Int32
        /// One record batch v2, sealed with the identity.
        public var bytes: ByteBuffer

        public init(
            partition: TopicPartition, identity: ProducerIdentity, baseSequence: Int32, recordCount: Int32,
            bytes: ByteBuffer
        ) {
            self.partition = partition
            self.identity = identity
            self.baseSequence = baseSequence
            self.recordCount = recordCount
            self.bytes = bytes
        }
    }

    /// At most what it takes in the log.
    public var byteCountMax: Int {
        batches.reduce(IntentRecord.headerBytes) { $0 + $1.bytes.readableBytes + 64 + $1.partition.topic.utf8.count }
            + streams.reduce(0) { $0 + 24 + $1.position.bytes.count + $1.source.bytes.count }
            + retired.count * 8 + counts.reduce(64) { $0 + 32 + $1.source.bytes.count }
    }
}

/// What a source shipped in one hour, by the time at which its lines were read.
public struct SourceCount: Hashable, Sendable {
    public var source: SourceKey
    /// Hours since 1970-01-01T00:00 UTC.
    public var hour: Int32
    public var lines: UInt64
    /// Bytes of the lines, without their newlines.
    public var bytes: UInt64

    public init(source: SourceKey, hour: Int32, lines: UInt64, bytes: UInt64) {
        self.source = source
        self.hour = hour
        self.lines = lines
        self.bytes = bytes
    }
}

/// Lines and bytes of one hour.
public struct HourCount: Hashable, Sendable {
    public var lines: UInt64 = 0
    public var bytes: UInt64 = 0
}
