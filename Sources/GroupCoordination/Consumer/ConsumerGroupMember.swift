import Base
import KafkaWire

/// One member of a consumer group (KIP-848), between its first heartbeat and its leaving.
public struct ConsumerGroupMember: Sendable, Equatable {
    /// How far it is on its way to what it is meant to own. The numbers are those of Kafka's record.
    public enum State: Int8, Sendable {
        /// It owns what it is meant to own, as of its epoch.
        case stable = 0
        /// It was told to give up partitions and has not said yet that it did; its epoch waits for that.
        case unrevokedPartitions = 1
        /// Some of what it is meant to own is still with other members.
        case unreleasedPartitions = 2
    }

    /// The epoch with which a member joins.
    public static let joinEpoch: Int32 = 0
    /// The epoch with which a member leaves.
    public static let leaveEpoch: Int32 = -1
    /// The epoch with which a static member leaves for a while; what it owned is kept for it until its session ends.
    public static let staticLeaveEpoch: Int32 = -2

    public var id: String
    /// Set for a static member.
    public var instanceID: String?
    public var rackID: String?
    public var clientID: String
    public var clientHost: String
    public var topicNames: Set<String> = []
    /// Of topics that it also reads; empty or nil where there is none.
    public var topicPattern: String?
    public var rebalanceTimeout: Duration = .seconds(300)
    /// The assignor that it asks for.
    public var assignor: String?

    public var epoch = Self.joinEpoch
    /// A heartbeat of this epoch is of a member that did not hear its last answer.
    public var previousEpoch: Int32 = -1
    public var state = State.stable
    /// What it may read from.
    public var assigned = MemberAssignment()
    /// What it must give up; nobody else gets it before it has.
    public var revoking = MemberAssignment()

    /// Set while the member speaks the classic protocol.
    public var classic: ClassicMembership?

    var sessionDeadline = Instant.zero
    /// By when it must have given up what it was told to.
    var revocationDeadline: Instant?

    public init(id: String, instanceID: String?, clientID: String, clientHost: String) {
        self.id = id
        self.instanceID = instanceID
        self.clientID = clientID
        self.clientHost = clientHost
    }

    /// What no other member may have.
    var held: MemberAssignment { assigned.union(revoking) }

    /// Whether what decides the assignment differs.
    func subscribes(unlike other: ConsumerGroupMember) -> Bool {
        topicNames != other.topicNames || topicPattern ?? "" != other.topicPattern ?? "" || assignor != other.assignor
    }

    /// The member with what the heartbeat says about it; what it leaves out stays.
    func updated(by request: ConsumerHeartbeat) -> ConsumerGroupMember {
        var member = self
        member.classic = nil
        member.clientID = request.clientID
        member.clientHost = request.clientHost
        if let rackID = request.rackID { member.rackID = rackID }
        if let timeout = request.rebalanceTimeout { member.rebalanceTimeout = timeout }
        if let names = request.topicNames { member.topicNames = Set(names) }
        if let pattern = request.topicPattern { member.topicPattern = pattern }
        if let assignor = request.assignor { member.assignor = assignor }
        return member
    }
}
