import Base
import GroupCoordination
import KafkaWire

extension GroupCoordinator {
    /// Everything under the coordinator's lock. A name is that of a classic group or of a consumer group, never of both.
    struct State {
        var loading: Set<Int>
        /// Partitions that can't be read. To serve their groups from nothing, or from half their records, would hand out wrong offsets.
        var unreadable: Set<Int> = []
        /// Of the classic protocol.
        var groups: [String: GroupMachine] = [:]
        /// Of the consumer protocol.
        var consumers: [String: ConsumerGroupSlot] = [:]
        var offsets = OffsetTable()
        /// Offsets of transactions that are not decided yet.
        var pending = PendingOffsets()
        var joins: [GroupRequestID: @Sendable (JoinAnswer) -> Void] = [:]
        var syncs: [GroupRequestID: @Sendable (SyncAnswer) -> Void] = [:]
        var lastRequest: UInt64 = 0
        var lastExpiry = Instant.zero

        var count: Int { groups.count + consumers.count }

        mutating func nextRequest() -> GroupRequestID {
            lastRequest += 1
            return GroupRequestID(lastRequest)
        }
    }

    /// What is left to do once the lock is released.
    enum Effect {
        case run(@Sendable () -> Void)
        case persist(group: String, generation: Int32, GroupMetadataValue)
        /// Begin to write what a consumer group has decided.
        case write(group: String)
        /// Write records that nobody waits for.
        case append(group: String, [GroupRecord])
    }
}

/// A consumer group and what of it is on its way into the log.
///
/// One batch is written at a time, all its records or none; what is decided meanwhile goes into the next, and an answer waits for the batch that holds what it
/// tells. If a batch can't be written, the group is taken back to what the log holds.
struct ConsumerGroupSlot {
    typealias Waiter = @Sendable (ErrorCode) -> Void

    var machine: ConsumerGroupMachine
    /// As the log holds it; nil before the first batch.
    var durable: ConsumerGroupMachine?
    /// Decided and not yet being written.
    var queue: [GroupRecord] = []
    /// What waits for the queue, or, where that is empty, for the batch that is being written.
    var waiters: [Waiter] = []
    var isWriting = false
    /// What the group was before its first batch, and is again if that can't be written.
    var former: GroupMachine?
    /// What the group is once the batch is written that says so: only members of the classic protocol are left.
    var becomes: GroupMachine?

    init(_ machine: ConsumerGroupMachine) { self.machine = machine }

    init(restored machine: ConsumerGroupMachine) {
        self.machine = machine
        durable = machine
    }
}

/// A group as ListGroups tells of it.
struct ListedGroup: Sendable {
    var id: String
    var type: String
    var protocolType: String
    var state: String

    init(_ group: GroupMachine) {
        id = group.id
        type = "classic"
        protocolType = group.protocolType ?? ""
        state = group.state.name
    }

    init(_ group: ConsumerGroupMachine) {
        id = group.id
        type = "consumer"
        protocolType = "consumer"
        state = group.stateName
    }
}
