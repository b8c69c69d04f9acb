import Base
import KafkaWire
import NIOCore

/// One classic consumer group: events in, actions out. No I/O, no clock, no randomness.
///
/// Invariants: a generation counts up by one at each rebalance; a member is answered each JoinGroup and SyncGroup exactly once; an
/// assignment reaches a member only after it was written to the log; a member is dropped when its session ends, when it
/// does not join again within the rebalance timeout, or when it does not sync in time.
public struct GroupMachine: Sendable {
    public let id: String
    public let settings: GroupSettings
    public internal(set) var state = GroupState.empty
    public internal(set) var generation: Int32 = 0
    public internal(set) var protocolType: String?
    public internal(set) var protocolName: String?
    public internal(set) var leader: String?
    /// In the order of joining: the oldest leads.
    public internal(set) var members: [GroupMember] = []
    /// When the group last became empty: its offsets expire counted from here.
    public internal(set) var emptySince: Timestamp?

    /// Ids told to members that have not joined with them yet, with the end of their patience (KIP-394).
    var pendingMembers: [String: Instant] = [:]
    /// Whether the rebalance under way began from an empty group, so that it waits a moment for more members.
    var isInitialRebalance = false
    /// No initial rebalance is put off beyond this.
    var initialRebalanceLimit = Instant.zero
    /// Instances replaced by a newer member id: what the old id asks is fenced.
    var memberIDOfInstance: [String: String] = [:]

    public init(id: String, settings: GroupSettings) {
        self.id = id
        self.settings = settings
    }

    func index(of memberID: String) -> Int? { members.firstIndex { $0.id == memberID } }

    /// Whether `memberID` may speak for the group, or the error that says why not.
    func refusal(memberID: String, instanceID: String?) -> ErrorCode? {
        if state == .dead { return .coordinatorNotAvailable }
        if let instanceID, let current = memberIDOfInstance[instanceID] {
            if current != memberID { return .fencedInstanceId }
        } else if instanceID != nil {
            return .unknownMemberId
        }
        return index(of: memberID) == nil ? .unknownMemberId : nil
    }

    mutating func extendSession(at index: Int, now: Instant) {
        members[index].sessionDeadline = now + members[index].sessionTimeout
    }

    // MARK: Heartbeat

    /// A heartbeat keeps the session alive in every state, also while it answers that a rebalance has begun.
    public mutating func heartbeatReceived(
        memberID: String, instanceID: String?, generation: Int32, now: Instant
    ) -> ErrorCode {
        if let refusal = refusal(memberID: memberID, instanceID: instanceID) { return refusal }
        guard let index = index(of: memberID) else { return .unknownMemberId }
        guard generation == self.generation else { return .illegalGeneration }
        extendSession(at: index, now: now)
        switch state {
        case .preparingRebalance: return .rebalanceInProgress
        case .completingRebalance, .persistingAssignment, .stable: return .none
        case .empty, .dead: return .unknownMemberId
        }
    }

    // MARK: Leaving

    /// A member that leaves by id, or a static one by its instance id alone.
    public mutating func leaveReceived(
        memberID: String, instanceID: String?, now: Instant, wallTime: Timestamp
    ) -> (error: ErrorCode, actions: [GroupAction]) {
        if state == .dead { return (.coordinatorNotAvailable, []) }
        var leaving = memberID
        if let instanceID {
            guard let current = memberIDOfInstance[instanceID] else { return (.unknownMemberId, []) }
            if !memberID.isEmpty, current != memberID { return (.fencedInstanceId, []) }
            leaving = current
        }
        if pendingMembers.removeValue(forKey: leaving) != nil {
            return (.none, completeJoinIfReady(now: now, wallTime: wallTime))
        }
        guard index(of: leaving) != nil else { return (.unknownMemberId, []) }
        var actions = removeMember(leaving)
        actions += membershipShrank(now: now, wallTime: wallTime)
        return (.none, actions)
    }

    /// Takes a member out and answers what it waits for.
    mutating func removeMember(_ memberID: String) -> [GroupAction] {
        guard let index = index(of: memberID) else { return [] }
        let member = members.remove(at: index)
        if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = nil }
        if leader == memberID { leader = members.first?.id }
        var actions: [GroupAction] = []
        if let join = member.waitingJoin {
            actions.append(.answerJoin(join, JoinAnswer(.unknownMemberId, memberID: memberID)))
        }
        if let sync = member.waitingSync { actions.append(.answerSync(sync, SyncAnswer(.unknownMemberId))) }
        return actions
    }

    /// After members were removed: a stable group rebalances, one that waits for them need wait no longer.
    mutating func membershipShrank(now: Instant, wallTime: Timestamp) -> [GroupAction] {
        switch state {
        case .stable, .completingRebalance, .persistingAssignment:
            return prepareRebalance(now: now) + completeJoinIfReady(now: now, wallTime: wallTime)
        case .preparingRebalance: return completeJoinIfReady(now: now, wallTime: wallTime)
        case .empty, .dead: return []
        }
    }

    // MARK: Time

    /// Drops members whose session or patience ended, and ends a rebalance whose time is up. Call it a few times a second.
    public mutating func tick(now: Instant, wallTime: Timestamp) -> [GroupAction] {
        var actions: [GroupAction] = []
        pendingMembers = pendingMembers.filter { now < $0.value }
        let expired = members.filter { $0.waitingJoin == nil && $0.sessionDeadline <= now }.map(\.id)
        for memberID in expired { actions += removeMember(memberID) }
        if !expired.isEmpty { actions += membershipShrank(now: now, wallTime: wallTime) }
        switch state {
        case .preparingRebalance(let deadline):
            if deadline <= now {
                actions += completeJoin(now: now, wallTime: wallTime)
            } else {
                actions += completeJoinIfReady(now: now, wallTime: wallTime)
            }
        case .completingRebalance(let deadline) where deadline <= now:
            let late = members.filter { $0.waitingSync == nil }.map(\.id)
            for memberID in late { actions += removeMember(memberID) }
            actions += prepareRebalance(now: now) + completeJoinIfReady(now: now, wallTime: wallTime)
        case .completingRebalance, .persistingAssignment, .empty, .stable, .dead: break
        }
        return actions
    }

    // MARK: Deletion

    /// Deletes an empty group; `.nonEmptyGroup` where it has members.
    public mutating func deletionRequested() -> ErrorCode {
        switch state {
        case .empty:
            state = .dead
            return .none
        case .dead: return .groupIdNotFound
        case .preparingRebalance, .completingRebalance, .persistingAssignment, .stable: return .nonEmptyGroup
        }
    }

    // MARK: Commits

    /// Whether an OffsetCommit (or TxnOffsetCommit) may be written. A commit also keeps the member's session alive.
    ///
    /// A commit without member and generation is a "simple" one: allowed while the group has no members.
    public mutating func commitReceived(
        memberID: String, instanceID: String?, generation: Int32, now: Instant
    ) -> ErrorCode {
        if state == .dead { return .coordinatorNotAvailable }
        if generation < 0, state == .empty { return .none }
        if generation >= 0, memberID.isEmpty, members.isEmpty { return .illegalGeneration }
        if let refusal = refusal(memberID: memberID, instanceID: instanceID) { return refusal }
        guard let index = index(of: memberID) else { return .unknownMemberId }
        guard generation == self.generation else { return .illegalGeneration }
        switch state {
        case .completingRebalance, .persistingAssignment: return .rebalanceInProgress
        case .preparingRebalance, .stable:
            extendSession(at: index, now: now)
            return .none
        case .empty, .dead: return .unknownMemberId
        }
    }
}
