/// A record's place in its partition: dense, from zero, never renumbered.
public struct Offset: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int64

    @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// "Unknown", as the Kafka protocol writes it.
    public static let none = Offset(-1)
    public static let zero = Offset(0)

    @inlinable public static func < (left: Offset, right: Offset) -> Bool { left.rawValue < right.rawValue }
    @inlinable public static func + (left: Offset, count: Int64) -> Offset { Offset(left.rawValue + count) }
    /// How many offsets lie between the two.
    @inlinable public static func - (left: Offset, right: Offset) -> Int64 { left.rawValue - right.rawValue }

    public var description: String { String(rawValue) }
}

/// Counts the leaders that a partition has had; a record carries the epoch of the leader that took it (KIP-101).
public struct LeaderEpoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int32

    @inlinable public init(_ rawValue: Int32) { self.rawValue = rawValue }

    public static let none = LeaderEpoch(-1)

    @inlinable public static func < (left: LeaderEpoch, right: LeaderEpoch) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// Names an idempotent producer (KIP-98). −1 is a producer without idempotence.
public struct ProducerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int64

    @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public static let none = ProducerID(-1)

    @inlinable public static func < (left: ProducerID, right: ProducerID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// Fences older instances of the same producer id (KIP-98).
public struct ProducerEpoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int16

    @inlinable public init(_ rawValue: Int16) { self.rawValue = rawValue }

    public static let none = ProducerEpoch(-1)

    @inlinable public static func < (left: ProducerEpoch, right: ProducerEpoch) -> Bool {
        left.rawValue < right.rawValue
    }

    public var description: String { String(rawValue) }
}

public struct BrokerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int32

    @inlinable public init(_ rawValue: Int32) { self.rawValue = rawValue }

    public static func < (left: BrokerID, right: BrokerID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// One partition of a topic, written `topic-partition` as Kafka names its folders.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    public var description: String { "\(topic)-\(partition)" }
}
