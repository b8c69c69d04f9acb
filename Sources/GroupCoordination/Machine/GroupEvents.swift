import Base
import KafkaWire
import NIOCore

/// A JoinGroup as the machine sees it.
public struct JoinRequest: Sendable {
    public var memberID: String
    public var instanceID: String?
    public var clientID: String
    public var clientHost: String
    public var protocolType: String
    public var protocols: [GroupMember.Assignor]
    public var sessionTimeout: Duration
    public var rebalanceTimeout: Duration
    /// From version 4 on a member without an id is told its id first and joins with it (KIP-394).
    public var requiresKnownMemberID: Bool
    /// A fresh id, made by the caller, for a member that has none yet.
    public var newMemberID: String

    public init(
        memberID: String, instanceID: String?, clientID: String, clientHost: String, protocolType: String,
        protocols: [GroupMember.Assignor], sessionTimeout: Duration, rebalanceTimeout: Duration,
        requiresKnownMemberID: Bool, newMemberID: String
    ) {
        self.memberID = memberID
        self.instanceID = instanceID
        self.clientID = clientID
        self.clientHost = clientHost
        self.protocolType = protocolType
        self.protocols = protocols
        self.sessionTimeout = sessionTimeout
        self.rebalanceTimeout = rebalanceTimeout
        self.requiresKnownMemberID = requiresKnownMemberID
        self.newMemberID = newMemberID
    }
}

public struct JoinAnswer: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var id: String
        public var instanceID: String?
        public var metadata: ByteBuffer
    }

    public var error: ErrorCode
    public var memberID: String
    public var generation: Int32 = -1
    public var protocolType: String?
    public var protocolName: String?
    public var leader = ""
    /// Filled for the leader alone: it assigns.
    public var members: [Member] = []
    /// The leader of an unchanged generation that came back need not assign again (KIP-814).
    public var skipAssignment = false

    public init(_ error: ErrorCode, memberID: String) {
        self.error = error
        self.memberID = memberID
    }
}

public struct SyncRequest: Sendable {
    public var memberID: String
    public var instanceID: String?
    public var generation: Int32
    public var protocolType: String?
    public var protocolName: String?
    /// From the leader: each member's assignment.
    public var assignments: [String: ByteBuffer]

    public init(
        memberID: String, instanceID: String?, generation: Int32, protocolType: String?, protocolName: String?,
        assignments: [String: ByteBuffer]
    ) {
        self.memberID = memberID
        self.instanceID = instanceID
        self.generation = generation
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }
}

public struct SyncAnswer: Sendable, Equatable {
    public var error: ErrorCode
    public var protocolType: String?
    public var protocolName: String?
    public var assignment = ByteBuffer()

    public init(_ error: ErrorCode) { self.error = error }
}

/// What the broker must do after an event.
public enum GroupAction: Sendable, Equatable {
    case answerJoin(GroupRequestID, JoinAnswer)
    case answerSync(GroupRequestID, SyncAnswer)
    /// Write the group's metadata to the log, then report `persisted(generation:)`.
    case persist(generation: Int32)
}
