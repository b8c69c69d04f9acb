import Base

/// Names one sealed batch; rises in the order of the seals, and is never used twice within an intent log.
public struct BatchID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// From one seal to the next: between two numbers is room for those of the parts that a batch is divided into.
    public static let step: UInt64 = 1 << 24

    @inlinable public static func < (left: BatchID, right: BatchID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// Who the broker takes for the sender of a batch (KIP-98): what a broker's memory of duplicates goes by.
public struct ProducerIdentity: Hashable, Sendable, CustomStringConvertible {
    public var id: ProducerID
    public var epoch: ProducerEpoch

    public init(id: ProducerID, epoch: ProducerEpoch) {
        self.id = id
        self.epoch = epoch
    }

    public static let none = ProducerIdentity(id: .none, epoch: .none)

    public var description: String { "\(id)/\(epoch)" }
}

/// Arithmetic of sequence numbers: 0 … Int32.max, and then 0 again.
public enum Sequence32 {
    /// The sequence `count` records after `sequence`.
    @inlinable public static func advance(_ sequence: Int32, by count: Int32) -> Int32 {
        Int32(truncatingIfNeeded: (Int64(sequence) + Int64(count)) & 0x7fff_ffff)
    }

    @inlinable public static func before(_ sequence: Int32) -> Int32 {
        sequence == 0 ? .max : sequence - 1
    }

    /// How many records lie between the two, going up from `start`.
    @inlinable public static func distance(from start: Int32, to end: Int32) -> Int64 {
        (Int64(end) - Int64(start)) & 0x7fff_ffff
    }
}

/// A batch that was sealed and stands in the intent log: all that the producer machine needs to know of it. The bytes stay on disk.
public struct SealedBatch: Hashable, Sendable {
    public var id: BatchID
    public var partition: TopicPartition
    public var recordCount: Int32
    public var byteCount: Int
    public var identity: ProducerIdentity
    public var baseSequence: Int32

    public init(
        id: BatchID, partition: TopicPartition, recordCount: Int32, byteCount: Int, identity: ProducerIdentity,
        baseSequence: Int32
    ) {
        self.id = id
        self.partition = partition
        self.recordCount = recordCount
        self.byteCount = byteCount
        self.identity = identity
        self.baseSequence = baseSequence
    }

    public var lastSequence: Int32 { Sequence32.advance(baseSequence, by: recordCount - 1) }
    public var nextSequence: Int32 { Sequence32.advance(baseSequence, by: recordCount) }
}

/// What is known of a partition when an agent starts: the recovered intents and what was acknowledged before.
public struct PartitionSnapshot: Hashable, Sendable {
    public var partition: TopicPartition
    /// `.zero` where the broker never told.
    public var topicID: TopicID
    public var identity: ProducerIdentity
    /// What the next batch will be sealed with.
    public var nextSequence: Int32
    /// The end of the last acknowledged batch, or the log's end when the partition was first opened; `.none` where nothing was ever sent.
    public var floor: Offset
    /// A batch was given up: the sequences of those after it don't follow on what the broker holds.
    public var hasHole: Bool
    /// Acknowledged batches that the log still holds, in order, with their offsets (`.none` where the broker didn't tell).
    public var acknowledged: [(batch: SealedBatch, offset: Offset)]
    /// The others, in order. Any of them may have reached the broker.
    public var pending: [SealedBatch]

    public init(
        partition: TopicPartition, topicID: TopicID, identity: ProducerIdentity, nextSequence: Int32, floor: Offset,
        hasHole: Bool = false, acknowledged: [(batch: SealedBatch, offset: Offset)], pending: [SealedBatch]
    ) {
        self.partition = partition
        self.topicID = topicID
        self.identity = identity
        self.nextSequence = nextSequence
        self.floor = floor
        self.hasHole = hasHole
        self.acknowledged = acknowledged
        self.pending = pending
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.partition == right.partition && left.topicID == right.topicID && left.identity == right.identity
            && left.nextSequence == right.nextSequence && left.floor == right.floor
            && left.hasHole == right.hasHole && left.pending == right.pending
            && left.acknowledged.elementsEqual(right.acknowledged) { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(partition)
        hasher.combine(nextSequence)
        hasher.combine(pending)
    }
}
