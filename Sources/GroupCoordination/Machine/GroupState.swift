import Base

/// Where a classic consumer group stands (Kafka's names; KIP-134, KIP-345, KIP-394).
public enum GroupState: Sendable, Equatable {
    /// No members; committed offsets may remain.
    case empty
    /// Waits for every member to join again. Members that have not by `deadline` are dropped.
    case preparingRebalance(deadline: Instant)
    /// A new generation stands; waits for the leader's assignment. Members that have not synced by `deadline` are dropped.
    case completingRebalance(deadline: Instant)
    /// The assignment is being written to the log; answers wait for it.
    case persistingAssignment
    case stable
    /// Deleted; every request is refused.
    case dead

    /// The name that DescribeGroups and ListGroups answer with.
    public var name: String {
        switch self {
        case .empty: "Empty"
        case .preparingRebalance: "PreparingRebalance"
        case .completingRebalance, .persistingAssignment: "CompletingRebalance"
        case .stable: "Stable"
        case .dead: "Dead"
        }
    }
}

/// Names a request that waits for its answer; the broker makes them and keeps what they stand for.
public struct GroupRequestID: Hashable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Bounds and delays of all groups, under Kafka's names.
public struct GroupSettings: Sendable {
    /// `group.min.session.timeout.ms`
    public var sessionTimeoutMin: Duration = .seconds(6)
    /// `group.max.session.timeout.ms`
    public var sessionTimeoutMax: Duration = .seconds(1800)
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members after its first.
    public var initialRebalanceDelay: Duration = .milliseconds(250)
    /// `group.max.size`
    public var membersMax = 1000
    /// `group.metadata.bytes.max`: protocols and assignments of one member.
    public var metadataBytesMax = ByteCount.mib(1)
    /// How many groups one broker keeps.
    public var groupsMax = 10_000
    /// `group.consumer.session.timeout.ms`: of members of the consumer protocol; the broker sets it.
    public var consumerSessionTimeout: Duration = .seconds(45)
    /// `group.consumer.heartbeat.interval.ms`: how often they are told to send one.
    public var consumerHeartbeatInterval: Duration = .seconds(5)
    /// `offsets.retention.minutes`
    public var offsetRetention: Duration = .seconds(7 * 24 * 3600)

    public init() {}
}
