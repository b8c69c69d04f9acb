import Base
import KafkaConnection
import KafkaWire
import Synchronization

/// A member of a consumer group: joins, fetches what it is assigned, hands it to its handler, and gives it back in order.
///
///     let consumer = GroupConsumer(cluster: cluster, settings: GroupConsumerSettings(group: "g", topics: ["t"]))
///     try await consumer.run(handler)
///
/// `ConsumerGroupMachine` decides; this runs its actions: each call to the coordinator in a task of its own, and all calls of the handler
/// in one, in order. A consumer runs once.
public final class GroupConsumer: Sendable {
    enum Event: Sendable {
        case coordinatorFound
        case coordinatorLost(GroupCoordinatorCalls.Refusal)
        case joinAnswered(ConsumerGroupMachine.JoinAnswer)
        case joinRefused(ErrorCode, GroupCoordinatorCalls.Refusal)
        case partitionsCounted([String: Int]?)
        case syncAnswered([TopicPartition])
        case syncRefused(ErrorCode, GroupCoordinatorCalls.Refusal)
        case heartbeatAnswered(ErrorCode?, GroupGeneration)
        case heartbeatRefused(GroupCoordinatorCalls.Refusal, GroupGeneration)
        case assignDone
        case released
        case handlerFailed(any Error)
        case leaveAnswered
        case stopRequested
    }

    /// What the handler is to be called with, in order.
    enum Call: Sendable {
        case assigned([TopicPartition], GroupGeneration)
        case revoked([TopicPartition], GroupGeneration)
        case lost([TopicPartition], GroupGeneration)
        case parcel(PartitionFetcher.Parcel)
    }

    private struct Membership {
        var generation: GroupGeneration?
        var partitions: Set<TopicPartition> = []
        var hasRun = false
        var isStopping = false
        var handlerHasFailed = false
    }

    public let cluster: KafkaCluster
    public let settings: GroupConsumerSettings
    private let calls: GroupCoordinatorCalls
    private let events: Mailbox<Event>
    private let queue: BoundedQueue<Call>
    /// Calls on their way into the queue, which may be full of parcels.
    private let orders: Mailbox<Call?>
    private let fetcher: PartitionFetcher
    private let membership = Mutex(Membership())
    private static let numbers = Atomic<UInt64>(0)

    public init(cluster: KafkaCluster, settings: GroupConsumerSettings) {
        self.cluster = cluster
        self.settings = settings
        let number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
        // A join is held back by the coordinator, a fetch by its partition's leader: neither may hold up anything else.
        calls = GroupCoordinatorCalls(
            cluster: cluster, settings: settings, lane: Lane("group-\(settings.group)-\(number)"))
        events = Mailbox(time: cluster.time)
        orders = Mailbox(time: cluster.time)
        let queue = BoundedQueue<Call>(bytesMax: settings.fetch.queueBytesMax)
        self.queue = queue
        fetcher = PartitionFetcher(
            cluster: cluster, settings: settings.fetch, lane: Lane("fetch-\(settings.group)-\(number)")
        ) { parcel, bytes in
            await queue.append(.parcel(parcel), bytes: bytes)
        }
    }

    // MARK: From any task

    /// The membership that a commit would go under now; nil while there is none.
    public var generation: GroupGeneration? { membership.withLock { $0.generation } }

    /// Why this consumer can't join its group, or can't reach its coordinator, now; nil while nothing is the matter.
    public var trouble: String? { cluster.trouble.reason(.group(settings.group)) }

    /// Bytes that were fetched and wait for the handler.
    public var queuedBytes: ByteCount { queue.byteCount }

    /// Gives the partitions back (`revoked`), leaves the group, and lets `run` return. Cancelling the task of `run` does the same.
    public func stop() {
        membership.withLock { $0.isStopping = true }
        events.send(.stopRequested)
    }

    /// Reads a partition on from elsewhere. Without effect where it is not this member's.
    public func seek(_ partition: TopicPartition, to start: StartPosition) {
        fetcher.seek(partition, to: FetchPlan.Position(start, committed: .query(.earliest)))
    }

    /// Reads a partition no further until `seek` or the next assignment. What was fetched already still comes.
    public func pause(_ partition: TopicPartition) { fetcher.pause(partition) }

    /// Commits offsets of partitions that this member holds; retried while the coordinator moves (`settings.commitTimeout`).
    ///
    /// - Parameter generation: the one in which the partitions were assigned, so that a late commit of an earlier assignment can't count for this one.
    /// - Throws: `.fenced` where the partitions are others' now or will be (they are given up, `lost` follows); `.rebalancing` where the coordinator takes no commits
    ///   in this phase. In neither case was anything committed.
    public func commit(
        _ offsets: [TopicPartition: CommittedOffset], generation wanted: GroupGeneration? = nil
    ) async throws(ClientError) {
        guard !offsets.isEmpty else { return }
        let deadline = cluster.time.now + settings.commitTimeout
        var backoff = cluster.settings.backoff
        while true {
            let generation = try fence(offsets, wanted)
            do throws(GroupCoordinatorCalls.Refusal) {
                return try await calls.commit(offsets, generation: generation)
            } catch {
                switch error.error {
                case .illegalGeneration, .unknownMemberId, .fencedInstanceId:
                    events.send(.heartbeatAnswered(error.error, generation))
                    throw ClientError(
                        .fenced, "the commit of \(generation) was refused", kafkaError: error.error)
                case .rebalanceInProgress:
                    events.send(.heartbeatAnswered(error.error, generation))
                    throw ClientError(
                        .rebalancing, "the group takes no commits while it rebalances", kafkaError: error.error)
                case .some(let code) where !code.isRetriable:
                    throw ClientError(.brokerError, "commit in group \(settings.group): \(code)", kafkaError: code)
                case .some, nil: break
                }
                let delay = backoff.next()
                guard cluster.time.now + delay < deadline else {
                    let code = error.error
                    throw ClientError(
                        code == nil ? .timedOut : .brokerError,
                        "commit in group \(settings.group) did not succeed in time"
                            + (code.map { ": \($0)" } ?? ": the coordinator does not answer"), kafkaError: code)
                }
                try await cluster.pause(delay)
            }
        }
    }

    private func fence(
        _ offsets: [TopicPartition: CommittedOffset], _ wanted: GroupGeneration?
    ) throws(ClientError) -> GroupGeneration {
        let (current, isHeld) = membership.withLock { membership in
            (membership.generation, offsets.keys.allSatisfy { membership.partitions.contains($0) })
        }
        guard let current, isHeld, wanted == nil || wanted == current else {
            let whose = current.map { "this member is in \($0)" } ?? "this member has no membership now"
            throw ClientError(.fenced, "the partitions are not held: \(whose)")
        }
        return current
    }

    // MARK: Running

    /// Takes part in the group until `stop()`, cancellation, or an error: the handler's, one of the fetched partitions', or one of the coordinator's that trying again can't help.
    public func run(_ handler: some GroupConsumerHandler) async throws {
        let isFirst = membership.withLock { membership in
            defer { membership.hasRun = true }
            return !membership.hasRun
        }
        precondition(isFirst, "a GroupConsumer runs once")
        // A task of its own: what gives the partitions back must not be cancelled.
        let work = Task { try await self.work(handler) }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            self.stop()
        }
    }

    private func work(_ handler: some GroupConsumerHandler) async throws {
        var failure: (any Error)?
        await withDiscardingTaskGroup { group in
            group.addTask { await self.fetcher.run() }
            group.addTask { await self.callHandler(handler) }
            group.addTask { await self.forwardOrders() }
            var machine = ConsumerGroupMachine(
                settings: ConsumerGroupMachine.Settings(
                    topics: settings.topics, sessionTimeout: settings.sessionTimeout,
                    heartbeatInterval: settings.heartbeatInterval,
                    partitionCheckInterval: settings.partitionCheckInterval, backoff: cluster.settings.backoff))
            var actions = machine.tick(now: cluster.time.now)
            while true {
                membership.withLock { $0.generation = machine.generation }
                for action in actions {
                    if case .fail(let error, let text) = action, failure == nil {
                        failure = ClientError(
                            .brokerError, "group \(settings.group): \(text): \(error)", kafkaError: error)
                    }
                    perform(action, in: &group)
                }
                if machine.isStopped { break }
                actions = []
                for event in await events.next(until: machine.wakeAt) {
                    report(event)
                    if case .handlerFailed(let error) = event, failure == nil { failure = error }
                    actions += machine.handle(event, now: cluster.time.now)
                }
                actions += machine.tick(now: cluster.time.now)
            }
            cluster.trouble.forget(.group(settings.group))
            fetcher.stopAll()
            fetcher.finish()
            orders.send(nil)
            // What is still asked of the coordinator (a join, perhaps) interests nobody any more.
            group.cancelAll()
        }
        cluster.closeLane(calls.lane)
        if let failure { throw failure }
    }

    /// What the machine tries again by itself would else be silent.
    private func report(_ event: Event) {
        guard !membership.withLock({ $0.isStopping }) else { return }
        let refusal: GroupCoordinatorCalls.Refusal
        switch event {
        case .coordinatorLost(let lost): refusal = lost
        case .joinRefused(let error, let refused):
            // The first is how one gets an id, the others are how rebalances go.
            if [.memberIdRequired, .unknownMemberId, .rebalanceInProgress].contains(error) { return }
            refusal = refused
        case .syncRefused(let error, let refused):
            if [.rebalanceInProgress, .unknownMemberId, .illegalGeneration].contains(error) { return }
            refusal = refused
        case .heartbeatRefused(let refused, _):
            switch refused.error {
            case .rebalanceInProgress, .unknownMemberId, .illegalGeneration, .fencedInstanceId: return
            case .some, nil: refusal = refused
            }
        case .heartbeatAnswered(ErrorCode.none, _), .syncAnswered:
            return cluster.trouble.worked(.group(settings.group))
        case .coordinatorFound, .joinAnswered, .partitionsCounted, .heartbeatAnswered, .assignDone, .released,
            .handlerFailed, .leaveAnswered, .stopRequested:
            return
        }
        cluster.trouble.failed(.group(settings.group), form: refusal.form, reason: refusal.text)
    }

    private func perform(_ action: ConsumerGroupMachine.Action, in group: inout DiscardingTaskGroup) {
        switch action {
        case .findCoordinator:
            ask(&group) { () async throws(GroupCoordinatorCalls.Refusal) in
                try await self.calls.findCoordinator()
                return .coordinatorFound
            } refused: {
                .coordinatorLost($0)
            }
        case .join(let memberID):
            ask(&group) { () async throws(GroupCoordinatorCalls.Refusal) in
                .joinAnswered(try await self.calls.join(memberID: memberID))
            } refused: { refusal in
                refusal.error.map { .joinRefused($0, refusal) } ?? .coordinatorLost(refusal)
            }
        case .countPartitions(let topics):
            group.addTask { self.events.send(.partitionsCounted(await self.calls.countPartitions(topics))) }
        case .sync(let generation, let plan):
            ask(&group) { () async throws(GroupCoordinatorCalls.Refusal) in
                .syncAnswered(try await self.calls.sync(generation, plan: plan))
            } refused: { refusal in
                refusal.error.map { .syncRefused($0, refusal) } ?? .coordinatorLost(refusal)
            }
        case .heartbeat(let generation):
            ask(&group) { () async throws(GroupCoordinatorCalls.Refusal) in
                try await self.calls.heartbeat(generation)
                return .heartbeatAnswered(ErrorCode.none, generation)
            } refused: {
                .heartbeatRefused($0, generation)
            }
        case .assign(let partitions, let generation):
            cluster.telemetry.emit(
                GroupJoined(group: settings.group, generation: generation, partitionCount: partitions.count))
            membership.withLock { $0.partitions = Set(partitions) }
            orders.send(.assigned(partitions, generation))
        case .revoke(let partitions, let generation):
            fetcher.stopAll()
            orders.send(.revoked(partitions, generation))
        case .lose(let partitions, let generation):
            cluster.telemetry.emit(MembershipLost(group: settings.group, generation: generation))
            fetcher.stopAll()
            membership.withLock { $0.partitions = [] }
            orders.send(.lost(partitions, generation))
        case .leave(let memberID):
            group.addTask {
                await self.calls.leave(memberID: memberID)
                self.events.send(.leaveAnswered)
            }
        case .fail, .stopped: break
        }
    }

    private func ask(
        _ group: inout DiscardingTaskGroup,
        _ call: @escaping @Sendable () async throws(GroupCoordinatorCalls.Refusal) -> Event,
        refused: @escaping @Sendable (GroupCoordinatorCalls.Refusal) -> Event
    ) {
        group.addTask {
            do throws(GroupCoordinatorCalls.Refusal) {
                self.events.send(try await call())
            } catch { self.events.send(refused(error)) }
        }
    }

    /// One after the other: a queue that is full must not turn their order round.
    private func forwardOrders() async {
        while true {
            for order in await orders.next(until: .distantFuture) {
                guard let order else { return queue.close() }
                _ = await queue.append(order, bytes: .zero)
            }
        }
    }

    // MARK: The handler

    /// Makes all calls of the handler, one at a time.
    private func callHandler(_ handler: some GroupConsumerHandler) async {
        while let call = await queue.next() {
            do {
                try await make(call, handler)
            } catch {
                membership.withLock { $0.handlerHasFailed = true }
                fetcher.stopAll()
                events.send(.handlerFailed(error))
            }
            switch call {
            case .assigned: events.send(.assignDone)
            case .revoked, .lost:
                membership.withLock { $0.partitions = [] }
                events.send(.released)
            case .parcel: break
            }
        }
    }

    private func make(_ call: Call, _ handler: some GroupConsumerHandler) async throws {
        switch call {
        case .assigned(let partitions, let generation):
            guard !membership.withLock({ $0.handlerHasFailed }) else { return }
            let starts = try await handler.assigned(partitions, generation: generation)
            guard let positions = try await positions(of: partitions, starts, in: generation) else { return }
            // Meanwhile the membership may have ended: `lost` comes next then. Under the lock, so that its `stopAll` comes before or after.
            membership.withLock { membership in
                if membership.generation == generation { fetcher.start(positions) }
            }
        case .revoked(let partitions, let generation):
            // What failed must not commit.
            if membership.withLock({ $0.handlerHasFailed }) {
                return try await handler.lost(partitions, generation: generation)
            }
            do {
                try await handler.revoked(partitions, generation: generation)
            } catch let error as ClientError where error.code == .fenced || error.code == .rebalancing {
                // Its last commit came too late. Whoever gets the partitions reads on from the one before.
                try await handler.lost(partitions, generation: generation)
            }
        case .lost(let partitions, let generation):
            try await handler.lost(partitions, generation: generation)
        case .parcel(let parcel):
            guard fetcher.isCurrent(parcel) else { return }
            switch parcel.arrival {
            case .data(let data): try await handler.fetched(data)
            case .failed(_, let error): throw error
            case .outOfRange(let problem):
                switch try await handler.outOfRange(problem) {
                case .pause: break
                case .seek(let start):
                    let starts = [problem.partition: start]
                    let positions = try await positions(of: [problem.partition], starts, in: self.generation)
                    if let position = positions?[problem.partition] { fetcher.seek(problem.partition, to: position) }
                }
            }
        }
    }

    /// Where to begin; nil where the membership ended before that could be found out.
    private func positions(
        of partitions: [TopicPartition], _ starts: [TopicPartition: StartPosition], in generation: GroupGeneration?
    ) async throws(ClientError) -> [TopicPartition: FetchPlan.Position]? {
        let asked = partitions.filter { starts[$0, default: .committed] == .committed }
        guard let committed = try await committed(asked, in: generation) else { return nil }
        var positions: [TopicPartition: FetchPlan.Position] = [:]
        for partition in partitions {
            let start = starts[partition, default: .committed]
            if start != .committed {
                positions[partition] = FetchPlan.Position(start, committed: .query(.earliest))
            } else if let offset = committed[partition]?.offset {
                positions[partition] = .offset(offset)
            } else {
                guard settings.reset != .committed else {
                    throw ClientError(
                        .brokerError,
                        "group \(settings.group) has committed no offset in \(partition), and may not choose one",
                        kafkaError: .offsetOutOfRange)
                }
                positions[partition] = FetchPlan.Position(settings.reset, committed: .query(.earliest))
            }
        }
        return positions
    }

    /// Asks for as long as the answer is wanted: a coordinator that is away must neither end the run nor hold its end up.
    private func committed(
        _ partitions: [TopicPartition], in generation: GroupGeneration?
    ) async throws(ClientError) -> [TopicPartition: CommittedOffset]? {
        guard !partitions.isEmpty else { return [:] }
        var backoff = cluster.settings.backoff
        while membership.withLock({ $0.generation == generation && !$0.isStopping }) {
            do {
                return try await Admin(cluster).fetchOffsets(
                    group: settings.group, partitions: partitions,
                    requireStable: settings.fetch.isolation == .readCommitted)
            } catch {
                guard error.isRetriable else { throw error }
                cluster.trouble.failed(
                    .group(settings.group),
                    form: "OffsetFetch \(error.kafkaError?.description ?? error.code.description)",
                    reason: "OffsetFetch: \(error.message)")
                try await cluster.pause(backoff.next())
            }
        }
        return nil
    }
}

extension ConsumerGroupMachine {
    mutating func handle(_ event: GroupConsumer.Event, now: Instant) -> [Action] {
        switch event {
        case .coordinatorFound: coordinatorFound(now: now)
        case .coordinatorLost(let refusal): coordinatorLost(refusal.error, now: now)
        case .joinAnswered(let answer): joinAnswered(answer, now: now)
        case .joinRefused(let error, let refusal): joinRefused(error, memberID: refusal.memberID, now: now)
        case .partitionsCounted(let counts): partitionsCounted(counts, now: now)
        case .syncAnswered(let partitions): syncAnswered(partitions, now: now)
        case .syncRefused(let error, _): syncRefused(error, now: now)
        case .heartbeatAnswered(let error, let generation): heartbeatAnswered(error, of: generation, now: now)
        case .heartbeatRefused(let refusal, let generation):
            heartbeatAnswered(refusal.error, of: generation, now: now)
        case .assignDone: assignDone(now: now)
        case .released: released(now: now)
        case .handlerFailed, .stopRequested: stopRequested(now: now)
        case .leaveAnswered: leaveAnswered()
        }
    }
}
