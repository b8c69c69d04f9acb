import Base
import KafkaWire

/// A ConsumerGroupHeartbeat as the machine sees it. Nil is "as before".
public struct ConsumerHeartbeat: Sendable {
    public var memberID: String
    /// The member's; 0 joins, −1 leaves, −2 leaves as a static member that will be back.
    public var epoch: Int32
    public var instanceID: String?
    public var rackID: String?
    public var clientID: String
    public var clientHost: String
    public var rebalanceTimeout: Duration?
    public var topicNames: [String]?
    public var topicPattern: String?
    public var assignor: String?
    /// What the member owns now.
    public var owned: MemberAssignment?
    /// A fresh id, made by the caller, for a member of version 0 that joins without one.
    public var newMemberID: String

    public init(
        memberID: String, epoch: Int32, instanceID: String? = nil, rackID: String? = nil, clientID: String,
        clientHost: String, rebalanceTimeout: Duration? = nil, topicNames: [String]? = nil,
        topicPattern: String? = nil, assignor: String? = nil, owned: MemberAssignment? = nil, newMemberID: String = ""
    ) {
        self.memberID = memberID
        self.epoch = epoch
        self.instanceID = instanceID
        self.rackID = rackID
        self.clientID = clientID
        self.clientHost = clientHost
        self.rebalanceTimeout = rebalanceTimeout
        self.topicNames = topicNames
        self.topicPattern = topicPattern
        self.assignor = assignor
        self.owned = owned
        self.newMemberID = newMemberID
    }

    /// Whether it says all of the member, as the first one does and one after an answer was lost.
    var isFull: Bool {
        epoch == ConsumerGroupMember.joinEpoch
            || (rebalanceTimeout != nil && (topicNames != nil || topicPattern != nil) && owned != nil)
    }
}

public struct ConsumerHeartbeatAnswer: Sendable, Equatable {
    public var memberID: String
    public var epoch: Int32
    /// Nil where nothing changed since the last answer.
    public var assignment: MemberAssignment?

    public init(memberID: String, epoch: Int32, assignment: MemberAssignment? = nil) {
        self.memberID = memberID
        self.epoch = epoch
        self.assignment = assignment
    }
}

/// Why a request of a consumer group is refused; nothing of the group changed.
public struct ConsumerGroupRefusal: Error, Sendable, Equatable {
    public var code: ErrorCode
    public var message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// What a heartbeat comes to: the answer goes out once the records stand in the log, all of them or none.
public struct ConsumerHeartbeatDecision: Sendable, Equatable {
    public var answer: ConsumerHeartbeatAnswer
    public var records: [GroupRecord] = []
}
