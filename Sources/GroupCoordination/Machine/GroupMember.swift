import Base
import NIOCore

/// One member of a classic group, between its JoinGroup and its leaving.
public struct GroupMember: Sendable {
    public struct Assignor: Sendable, Equatable {
        public var name: String
        public var metadata: ByteBuffer

        public init(name: String, metadata: ByteBuffer) {
            self.name = name
            self.metadata = metadata
        }
    }

    public var id: String
    /// Set for a static member (KIP-345): it may restart within its session without a rebalance.
    public var instanceID: String?
    public var clientID: String
    public var clientHost: String
    public var rebalanceTimeout: Duration
    public var sessionTimeout: Duration
    /// The member's assignors in its order of preference, each with its subscription.
    public var protocols: [Assignor]
    public var assignment = ByteBuffer()

    /// The JoinGroup that waits for the rebalance to end.
    var waitingJoin: GroupRequestID?
    /// The SyncGroup that waits for the leader's assignment.
    var waitingSync: GroupRequestID?
    var sessionDeadline: Instant

    public var isStatic: Bool { instanceID != nil }

    func metadata(for name: String?) -> ByteBuffer {
        protocols.first { $0.name == name }?.metadata ?? ByteBuffer()
    }
}
