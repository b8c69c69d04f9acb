import Base
import KafkaWire

/// The membership of one consumer in its group (classic protocol, eager): what to ask the coordinator, when the partitions are ours, when not.
///
/// Events in, actions out, time as an argument. While the handler is busy with `revoke` or `assign`, heartbeats go on.
///
///     unjoined → finding → joining → (leader: counting) → syncing → assigning → stable
///        ↑                                                                        │ rebalance, partition count, stop
///        └───────────────────────────── releasing (revoke or lose) ←──────────────┘
struct ConsumerGroupMachine {
    struct Settings {
        var topics: [String]
        var sessionTimeout = Duration.seconds(30)
        var heartbeatInterval = Duration.seconds(3)
        var partitionCheckInterval = Duration.seconds(60)
        var backoff = Backoff()
    }

    struct JoinAnswer: Equatable {
        var generation: Int32
        var memberID: String
        var leaderID: String
        var protocolName: String?
        /// Filled for the leader only.
        var members: [RangeAssignor.Member]
    }

    enum Action: Equatable {
        case findCoordinator
        case join(memberID: String)
        /// The leader has to know how many partitions the topics have.
        case countPartitions(topics: [String])
        /// The plan is empty for all but the leader.
        case sync(GroupGeneration, plan: [String: [TopicPartition]])
        case heartbeat(GroupGeneration)
        case assign([TopicPartition], GroupGeneration)
        /// Stop fetching, finish, commit: then `released`.
        case revoke([TopicPartition], GroupGeneration)
        /// Stop fetching, throw away: then `released`.
        case lose([TopicPartition], GroupGeneration)
        case leave(memberID: String)
        /// The membership can't go on.
        case fail(ErrorCode, String)
        case stopped
    }

    /// Why the partitions are given up, and what comes after.
    private enum Next: Equatable { case rejoin, leave, fail(ErrorCode, String) }

    private enum State: Equatable {
        /// Waiting until `retryAt` before the coordinator is looked for.
        case unjoined(retryAt: Instant)
        case finding
        case joining
        case counting(JoinAnswer)
        case syncing(GroupGeneration)
        case assigning(Holding)
        case stable(Holding)
        case releasing(Holding, isMember: Bool, next: Next)
        case leaving
        case stopped
    }

    /// The partitions that are ours, and the heartbeats that keep them.
    private struct Holding: Equatable {
        var generation: GroupGeneration
        var partitions: [TopicPartition]
        var isLeader: Bool
    }

    private let settings: Settings
    private var state = State.unjoined(retryAt: .zero)
    private var memberID = ""
    private var isStopping = false
    private var isLeader = false
    private var backoff: Backoff
    private var hasCoordinator = false
    private var isFindingCoordinator = false
    private var heartbeatDue = Instant.distantFuture
    private var isHeartbeatOut = false
    private var lastHeard = Instant.zero
    /// What the leader based its plan on.
    private var plannedCounts: [String: Int] = [:]
    private var isCountOut = false
    private var countDue = Instant.distantFuture
    /// Set where the group rebalances while `assign` still runs.
    private var mustRejoin = false

    init(settings: Settings) {
        self.settings = settings
        backoff = settings.backoff
    }

    /// The membership whose commits the coordinator takes; nil while there is none.
    var generation: GroupGeneration? {
        switch state {
        case .assigning(let holding), .stable(let holding): holding.generation
        case .releasing(let holding, let isMember, _): isMember ? holding.generation : nil
        case .unjoined, .finding, .joining, .counting, .syncing, .leaving, .stopped: nil
        }
    }

    var isStopped: Bool { state == .stopped }

    /// When `tick` is to be called next, if nothing else happens.
    var wakeAt: Instant {
        switch state {
        case .unjoined(let retryAt): retryAt
        case .finding, .joining, .counting, .syncing, .leaving, .stopped: .distantFuture
        case .assigning: min(heartbeatDue, lastHeard + settings.sessionTimeout)
        case .stable: min(heartbeatDue, lastHeard + settings.sessionTimeout, countDue)
        case .releasing(_, let isMember, _):
            isMember ? min(heartbeatDue, lastHeard + settings.sessionTimeout) : .distantFuture
        }
    }

    // MARK: Time

    mutating func tick(now: Instant) -> [Action] {
        switch state {
        case .unjoined(let retryAt):
            guard now >= retryAt else { return [] }
            if isStopping { return stop() }
            if hasCoordinator { return join() }
            state = .finding
            isFindingCoordinator = true
            return [.findCoordinator]
        case .finding, .joining, .counting, .syncing, .leaving, .stopped: return []
        case .assigning(let holding): return keepAlive(holding, now: now)
        case .stable(let holding):
            var actions = keepAlive(holding, now: now)
            if case .stable = state, holding.isLeader, now >= countDue, !isCountOut {
                isCountOut = true
                countDue = now + settings.partitionCheckInterval
                actions.append(.countPartitions(topics: settings.topics))
            }
            return actions
        case .releasing(let holding, let isMember, _): return isMember ? keepAlive(holding, now: now) : []
        }
    }

    private mutating func keepAlive(_ holding: Holding, now: Instant) -> [Action] {
        if now >= lastHeard + settings.sessionTimeout {
            // The coordinator has given the partitions to others by now, or will any moment.
            memberID = ""
            return membershipEnded(next: .rejoin, now: now)
        }
        guard now >= heartbeatDue, !isHeartbeatOut else { return [] }
        if !hasCoordinator {
            guard !isFindingCoordinator else { return [] }
            isFindingCoordinator = true
            return [.findCoordinator]
        }
        isHeartbeatOut = true
        heartbeatDue = now + settings.heartbeatInterval
        return [.heartbeat(holding.generation)]
    }

    // MARK: Coordinator and joining

    mutating func coordinatorFound(now: Instant) -> [Action] {
        hasCoordinator = true
        isFindingCoordinator = false
        if case .finding = state {
            backoff.reset()
            return isStopping ? stop() : join()
        }
        heartbeatDue = min(heartbeatDue, now)
        return []
    }

    /// The coordinator is not known or not reached; `error` is nil where the connection failed.
    mutating func coordinatorLost(_ error: ErrorCode?, now: Instant) -> [Action] {
        hasCoordinator = false
        isFindingCoordinator = false
        if let error, Self.isFatal(error) { return failed(error, "the coordinator refuses this group", now: now) }
        switch state {
        case .finding, .joining, .counting, .syncing: return retryJoin(now: now)
        case .assigning, .stable, .releasing:
            isHeartbeatOut = false
            heartbeatDue = now + backoff.next()
            return []
        case .leaving: return stopped()
        case .unjoined, .stopped: return []
        }
    }

    private mutating func join() -> [Action] {
        state = .joining
        return [.join(memberID: memberID)]
    }

    private mutating func retryJoin(now: Instant) -> [Action] {
        if isStopping { return stop() }
        state = .unjoined(retryAt: now + backoff.next())
        return []
    }

    mutating func joinAnswered(_ answer: JoinAnswer, now: Instant) -> [Action] {
        guard state == .joining else { return [] }
        memberID = answer.memberID
        lastHeard = now
        if isStopping { return stop() }
        if answer.leaderID == answer.memberID {
            state = .counting(answer)
            isCountOut = true
            // Other members may subscribe to more than we do.
            return [.countPartitions(topics: Set(answer.members.flatMap(\.topics)).sorted())]
        }
        return sync(answer, plan: [:])
    }

    private mutating func sync(_ answer: JoinAnswer, plan: [String: [TopicPartition]]) -> [Action] {
        let generation = GroupGeneration(id: answer.generation, memberID: memberID)
        isLeader = answer.leaderID == answer.memberID
        state = .syncing(generation)
        return [.sync(generation, plan: plan)]
    }

    /// - Parameter memberID: the id that came with MEMBER_ID_REQUIRED.
    mutating func joinRefused(_ error: ErrorCode, memberID given: String, now: Instant) -> [Action] {
        guard state == .joining else { return [] }
        if isStopping { return stop() }
        switch error {
        case .memberIdRequired:
            memberID = given
            return join()
        case .unknownMemberId:
            memberID = ""
            return join()
        case .rebalanceInProgress, .coordinatorLoadInProgress: return retryJoin(now: now)
        case .notCoordinator, .coordinatorNotAvailable: return coordinatorLost(error, now: now)
        default:
            if Self.isFatal(error) || !error.isRetriable {
                return failed(error, "the coordinator refuses this member", now: now)
            }
            return retryJoin(now: now)
        }
    }

    /// Nil where the count could not be had.
    mutating func partitionsCounted(_ counts: [String: Int]?, now: Instant) -> [Action] {
        isCountOut = false
        switch state {
        case .counting(let answer):
            // Without the metadata there is no plan; joining again asks for it again.
            guard let counts else { return retryJoin(now: now) }
            plannedCounts = counts
            countDue = now + settings.partitionCheckInterval
            return sync(answer, plan: RangeAssignor.assign(answer.members, partitionCounts: counts))
        case .stable(let holding):
            guard let counts, holding.isLeader else { return [] }
            let isChanged = counts.contains { plannedCounts[$0.key] != $0.value }
            return isChanged ? release(holding, next: .rejoin) : []
        case .unjoined, .finding, .joining, .syncing, .assigning, .releasing, .leaving, .stopped: return []
        }
    }

    mutating func syncAnswered(_ partitions: [TopicPartition], now: Instant) -> [Action] {
        guard case .syncing(let generation) = state else { return [] }
        backoff.reset()
        lastHeard = now
        heartbeatDue = now + settings.heartbeatInterval
        isHeartbeatOut = false
        mustRejoin = false
        let holding = Holding(generation: generation, partitions: partitions.sorted(), isLeader: isLeader)
        if isStopping {
            state = .leaving
            return [.leave(memberID: memberID)]
        }
        state = .assigning(holding)
        return [.assign(holding.partitions, generation)]
    }

    mutating func syncRefused(_ error: ErrorCode, now: Instant) -> [Action] {
        guard case .syncing = state else { return [] }
        switch error {
        case .rebalanceInProgress: return isStopping ? stop() : join()
        case .unknownMemberId, .illegalGeneration:
            memberID = error == .unknownMemberId ? "" : memberID
            return isStopping ? stop() : join()
        case .notCoordinator, .coordinatorNotAvailable: return coordinatorLost(error, now: now)
        default:
            if Self.isFatal(error) { return failed(error, "the coordinator refuses this member", now: now) }
            return retryJoin(now: now)
        }
    }

    // MARK: Holding partitions

    /// The handler has taken its partitions.
    mutating func assignDone(now: Instant) -> [Action] {
        guard case .assigning(let holding) = state else { return [] }
        state = .stable(holding)
        if isStopping { return release(holding, next: .leave) }
        if mustRejoin { return release(holding, next: .rejoin) }
        return []
    }

    /// `.none` for a good answer, nil where the connection failed. Commits that are fenced are told here, too.
    mutating func heartbeatAnswered(_ error: ErrorCode?, of generation: GroupGeneration, now: Instant) -> [Action] {
        guard generation == self.generation else { return [] }
        isHeartbeatOut = false
        switch error {
        case ErrorCode.none:
            backoff.reset()
            lastHeard = now
            return []
        case nil, .notCoordinator, .coordinatorNotAvailable: return coordinatorLost(error, now: now)
        case .coordinatorLoadInProgress: return []
        case .rebalanceInProgress:
            // It counts as a sign of life, and goes on doing so until the member has joined again.
            lastHeard = now
            switch state {
            case .stable(let holding): return release(holding, next: .rejoin)
            case .assigning: mustRejoin = true
            case .unjoined, .finding, .joining, .counting, .syncing, .releasing, .leaving, .stopped: break
            }
            return []
        case .unknownMemberId, .illegalGeneration:
            if error == .unknownMemberId { memberID = "" }
            return membershipEnded(next: .rejoin, now: now)
        case .some(let error):
            guard Self.isFatal(error) else { return [] }
            return membershipEnded(next: .fail(error, "the membership was ended by the coordinator"), now: now)
        }
    }

    private mutating func release(_ holding: Holding, next: Next) -> [Action] {
        state = .releasing(holding, isMember: true, next: next)
        return [.revoke(holding.partitions, holding.generation)]
    }

    private mutating func membershipEnded(next: Next, now: Instant) -> [Action] {
        switch state {
        case .assigning(let holding), .stable(let holding):
            state = .releasing(holding, isMember: false, next: isStopping ? .leave : next)
            return [.lose(holding.partitions, holding.generation)]
        case .releasing(let holding, true, let planned):
            // The handler is finishing already; its commits will be fenced.
            let isWorse = if case .fail = next { true } else { false }
            state = .releasing(holding, isMember: false, next: isWorse ? next : planned)
            return []
        case .unjoined, .finding, .joining, .counting, .syncing, .releasing, .leaving, .stopped: return []
        }
    }

    /// `revoked` or `lost` of the handler has returned.
    mutating func released(now: Instant) -> [Action] {
        guard case .releasing(_, _, let next) = state else { return [] }
        isHeartbeatOut = false
        switch next {
        case .fail(let error, let text):
            state = .stopped
            return [.fail(error, text)]
        case .leave: return stop()
        case .rejoin:
            if isStopping { return stop() }
            if hasCoordinator { return join() }
            state = .unjoined(retryAt: now)
            return tick(now: now)
        }
    }

    // MARK: The end

    /// Give the partitions back in order, and leave the group.
    mutating func stopRequested(now: Instant) -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        switch state {
        case .stable(let holding): return release(holding, next: .leave)
        case .unjoined, .finding, .counting, .syncing: return stop()
        // Without an id, the answer that is on its way tells which member has to leave.
        case .joining: return memberID.isEmpty ? [] : stop()
        case .assigning, .releasing, .leaving, .stopped: return []
        }
    }

    private mutating func stop() -> [Action] {
        guard !memberID.isEmpty, hasCoordinator else { return stopped() }
        state = .leaving
        return [.leave(memberID: memberID)]
    }

    /// The coordinator has let the member go, or can't be told.
    mutating func leaveAnswered() -> [Action] { state == .leaving ? stopped() : [] }

    private mutating func stopped() -> [Action] {
        state = .stopped
        return [.stopped]
    }

    private mutating func failed(_ error: ErrorCode, _ text: String, now: Instant) -> [Action] {
        switch state {
        case .assigning, .stable, .releasing: return membershipEnded(next: .fail(error, text), now: now)
        case .unjoined, .finding, .joining, .counting, .syncing, .leaving, .stopped:
            state = .stopped
            return [.fail(error, text)]
        }
    }

    /// Trying again can't help.
    private static func isFatal(_ error: ErrorCode) -> Bool {
        switch error {
        case .groupAuthorizationFailed, .topicAuthorizationFailed, .invalidGroupId, .inconsistentGroupProtocol,
            .invalidSessionTimeout, .groupMaxSizeReached, .fencedInstanceId, .unsupportedVersion, .invalidRequest:
            true
        default: false
        }
    }
}
