import Base
import KafkaConnection

/// What a member of a consumer group does with its partitions.
///
/// The consumer makes one call at a time, so between `assigned` and `revoked` or `lost` the partitions are the handler's alone. While `fetched` has not
/// returned nothing more is delivered: that is the backpressure. Heartbeats go on meanwhile; but a call that outlasts
/// `GroupConsumerSettings.rebalanceTimeout` while the group rebalances costs the membership.
///
/// An error that a call throws ends `GroupConsumer.run`, after the member has left its group.
public protocol GroupConsumerHandler: Sendable {
    /// Partitions are the handler's now, in this generation. Answers where to begin; what is missing in the answer begins at `.committed`.
    func assigned(_ partitions: [TopicPartition], generation: GroupGeneration) async throws
        -> [TopicPartition: StartPosition]

    /// The partitions go to others once this returns: the last moment to finish and commit. Where it throws the `.fenced` or `.rebalancing` of a
    /// commit, `lost` is called next and the run goes on; the records since the last commit are read again by the next owner.
    func revoked(_ partitions: [TopicPartition], generation: GroupGeneration) async throws

    /// The partitions are others' already (the membership ended unexpectedly): stop, commit nothing.
    func lost(_ partitions: [TopicPartition], generation: GroupGeneration) async throws

    /// New records of one partition, in offset order.
    func fetched(_ data: FetchedPartition) async throws

    /// The offset to read next is not there. Answers where to go on; the default throws, for silently skipping is losing.
    func outOfRange(_ problem: OffsetOutOfRange) async throws -> OutOfRangeDecision
}

/// How to go on where an offset is out of range.
public enum OutOfRangeDecision: Sendable, Equatable {
    /// Go on there.
    case seek(StartPosition)
    /// Leave the partition alone until `GroupConsumer.seek` or the next assignment; the others go on.
    case pause
}

extension GroupConsumerHandler {
    public func outOfRange(_ problem: OffsetOutOfRange) async throws -> OutOfRangeDecision {
        throw ClientError(
            .brokerError,
            "offset \(problem.offset) of \(problem.partition) is out of range: the partition has \(problem.logStartOffset) to "
                + "\(problem.highWatermark)",
            kafkaError: .offsetOutOfRange)
    }
}

/// A membership in one generation of a group: what fences commits.
public struct GroupGeneration: Hashable, Sendable, CustomStringConvertible {
    public var id: Int32
    public var memberID: String

    public var description: String { "generation \(id) as \(memberID)" }
}

/// How a member takes part in its group.
public struct GroupConsumerSettings: Sendable {
    public var group: String
    public var topics: [String]
    /// Where a partition without a committed offset begins; `.committed` stands for "refuse": the run ends with an error.
    public var reset = StartPosition.earliest
    /// Without a heartbeat for this long the coordinator takes the member for dead (`session.timeout.ms`).
    public var sessionTimeout = Duration.seconds(30)
    public var heartbeatInterval = Duration.seconds(3)
    /// How long a rebalance waits for `revoked` of every member (`max.poll.interval.ms` in Java's terms).
    public var rebalanceTimeout = Duration.seconds(120)
    /// Keeps the partitions over a restart within the session timeout (`group.instance.id`, KIP-345).
    public var instanceID: String?
    /// How often the leader looks whether topics got partitions.
    public var partitionCheckInterval = Duration.seconds(60)
    /// How long a commit is tried.
    public var commitTimeout = Duration.seconds(30)
    public var fetch = FetchSettings()

    public init(group: String, topics: [String]) {
        self.group = group
        self.topics = topics
    }
}
