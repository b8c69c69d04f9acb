import Base
import GroupCoordination
import KafkaWire
import LogStorage
import NIOCore
import Synchronization
import Telemetry

/// Runs the group machines: hands them requests and time, writes what they want written, and answers what they want answered.
///
/// All groups share one lock, held only while a machine decides; disk and sockets are touched outside it. Until a partition of
/// `__consumer_offsets` has been replayed its groups answer COORDINATOR_LOAD_IN_PROGRESS.
final class GroupCoordinator: Sendable {
    let settings: GroupSettings
    let topic: OffsetsTopic
    let topics: TopicCatalog
    let time: any TimeSource
    let telemetry: Telemetry
    let state: Mutex<State>

    init(
        topic: OffsetsTopic, topics: TopicCatalog, settings: GroupSettings, time: any TimeSource, telemetry: Telemetry
    ) {
        self.topic = topic
        self.topics = topics
        self.settings = settings
        self.time = time
        self.telemetry = telemetry
        state = Mutex(State(loading: Set(topic.partitions.indices)))
    }

    // MARK: Start

    /// Replays `__consumer_offsets`, partition by partition. Blocks: call it on a thread of its own.
    func load() {
        for index in topic.partitions.indices {
            var offsets: [(group: String, partition: TopicPartition, CommittedOffset?)] = []
            var groups: [String: GroupMetadataValue?] = [:]
            var consumers: [String: ConsumerGroupReplay] = [:]
            var pending = PendingOffsets()
            do throws(ReadError) {
                try topic.replay(index, telemetry: telemetry) { event in
                    switch event {
                    case .record(.offset(let group, let partition, let committed?), let producer)
                    where producer != .none:
                        pending.add([(partition, committed)], of: group, by: producer, in: index)
                    case .record(.offset(let group, let partition, let committed), _):
                        offsets.append((group, partition, committed))
                    case .record(.group(let group, let metadata), _): groups.updateValue(metadata, forKey: group)
                    case .record(let record, _):
                        guard let group = record.consumerGroupID else { return }
                        consumers[group, default: ConsumerGroupReplay(id: group, settings: settings)].apply(record)
                    case .transactionEnded(let producer, let commits):
                        let decided = pending.end(producer, in: index)
                        if commits { offsets += decided.map { ($0.group, $0.partition, $0.offset) } }
                    }
                }
            } catch {
                telemetry.emit(
                    Note("can't read \(OffsetsTopic.name)-\(index): \(error); its groups are not served", level: .error)
                )
                state.withLock { state in
                    state.unreadable.insert(index)
                    state.loading.remove(index)
                }
                continue
            }
            let now = time.now
            state.withLock { state in
                for (group, partition, committed) in offsets { state.offsets[group, partition] = committed }
                state.pending.take(pending)
                for case (let group, let metadata?) in groups {
                    state.groups[group] = GroupMachine(id: group, restoring: metadata, settings: settings, now: now)
                }
                for (group, replay) in consumers {
                    guard let machine = replay.finished(now: now) else { continue }
                    state.groups[group] = nil
                    state.consumers[group] = ConsumerGroupSlot(restored: machine)
                }
                state.loading.remove(index)
            }
        }
    }

    /// Every partition of the offsets topic was replayed: all groups are served.
    var isLoaded: Bool { state.withLock { $0.loading.isEmpty && $0.unreadable.isEmpty } }

    /// Why requests for this group can't be served now; `.none` where they can.
    func refusal(_ group: String, _ state: borrowing State) -> ErrorCode {
        if group.isEmpty { return .invalidGroupId }
        let index = topic.partitionIndex(of: group)
        if state.unreadable.contains(index) { return .coordinatorNotAvailable }
        return state.loading.contains(index) ? .coordinatorLoadInProgress : .none
    }

    // MARK: Membership

    func join(_ group: String, _ request: JoinRequest, answer: @escaping @Sendable (JoinAnswer) -> Void) {
        change { state in
            var error = refusal(group, state)
            if error == .none, state.consumers[group]?.machine.members.isEmpty == false {
                return classicJoin(group, request, &state, answer: answer)
            }
            if error == .none, state.groups[group] == nil {
                if !request.memberID.isEmpty { error = .unknownMemberId }
                if state.count >= settings.groupsMax { error = .groupMaxSizeReached }
            }
            var effects: [Effect] = []
            if error == .none { error = endEmptyConsumerGroup(group, &state, &effects) }
            if error != .none {
                let refused = JoinAnswer(error, memberID: request.memberID)
                return [.run { answer(refused) }]
            }
            let id = state.nextRequest()
            state.joins[id] = answer
            return effects
                + update(group, &state) { machine in
                    machine.joinReceived(request, id: id, now: time.now, wallTime: time.wallTime)
                }
        }
    }

    func sync(_ group: String, _ request: SyncRequest, answer: @escaping @Sendable (SyncAnswer) -> Void) {
        change { state in
            var error = refusal(group, state)
            if error == .none, state.consumers[group] != nil {
                return classicSync(group, request, &state, answer: answer)
            }
            if error == .none, state.groups[group] == nil { error = .unknownMemberId }
            if error != .none {
                let refused = SyncAnswer(error)
                return [.run { answer(refused) }]
            }
            let id = state.nextRequest()
            state.syncs[id] = answer
            return update(group, &state) { machine in machine.syncReceived(request, id: id, now: time.now) }
        }
    }

    func heartbeat(_ group: String, memberID: String, instanceID: String?, generation: Int32) -> ErrorCode {
        state.withLock { state in
            let error = refusal(group, state)
            if error != .none { return error }
            if let error = state.consumers[group]?.machine.classicHeartbeatReceived(
                memberID: memberID, instanceID: instanceID, generation: generation, now: time.now)
            {
                return error
            }
            return state.groups[group]?.heartbeatReceived(
                memberID: memberID, instanceID: instanceID, generation: generation, now: time.now) ?? .unknownMemberId
        }
    }

    func leave(_ group: String, members: [(memberID: String, instanceID: String?)]) -> (ErrorCode, [ErrorCode]) {
        var errors: [ErrorCode] = []
        var whole = ErrorCode.none
        change { state in
            whole = refusal(group, state)
            if whole != .none { return [] }
            if state.consumers[group] != nil {
                return members.flatMap { member in
                    let (error, effects) = classicLeave(
                        group, memberID: member.memberID, instanceID: member.instanceID, &state)
                    errors.append(error)
                    return effects
                }
            }
            guard state.groups[group] != nil else {
                errors = members.map { _ in .unknownMemberId }
                return []
            }
            return members.flatMap { member in
                update(group, &state) { machine in
                    let (error, actions) = machine.leaveReceived(
                        memberID: member.memberID, instanceID: member.instanceID, now: time.now, wallTime: time.wallTime
                    )
                    errors.append(error)
                    return actions
                }
            }
        }
        return (whole, errors)
    }

    // MARK: Offsets

    /// Whether the member may commit now; then `write` the offsets.
    ///
    /// In a transaction a producer that names no member may commit whatever the group does: its own epoch fences it.
    func mayCommit(
        _ group: String, memberID: String, instanceID: String?, generation: Int32, isTransactional: Bool = false,
        version: Int16? = nil
    ) -> ErrorCode {
        state.withLock { state in
            let error = refusal(group, state)
            if error != .none { return error }
            if isTransactional, generation < 0, memberID.isEmpty { return .none }
            if let consumers = state.consumers[group] {
                let refused = consumers.machine.offsetsRequested(memberID: memberID, epoch: generation, writes: true)
                // Before v9 the field was a generation, of which consumer groups have none.
                if refused == .none, generation >= 0, let version, version < 9, !consumers.machine.isClassic(memberID) {
                    return .unsupportedVersion
                }
                return refused == .staleMemberEpoch && isTransactional ? .illegalGeneration : refused
            }
            if state.groups[group] == nil {
                guard generation < 0 else { return .illegalGeneration }
                guard state.count < settings.groupsMax else { return .groupMaxSizeReached }
                state.groups[group] = GroupMachine(id: group, settings: settings)
            }
            return state.groups[group]?.commitReceived(
                memberID: memberID, instanceID: instanceID, generation: generation, now: time.now) ?? .unknownMemberId
        }
    }

    /// Writes the offsets in one batch; they are seen by OffsetFetch once the log holds them, and then `then` is called.
    func commit(
        _ group: String, _ offsets: [(TopicPartition, CommittedOffset)], then: @escaping @Sendable (ErrorCode) -> Void
    ) {
        if offsets.isEmpty { return then(.none) }
        let records = offsets.map { GroupRecord.offset(group: group, partition: $0.0, $0.1) }
        topic.append(records, group: group) { [self] error in
            if error == .none {
                state.withLock { state in
                    for (partition, committed) in offsets { state.offsets[group, partition] = committed }
                }
            }
            then(error)
        }
    }

    /// Where the offsets of a group are written: the partition that its transactions have to cover.
    func partition(of group: String) -> TopicPartition {
        TopicPartition(topic: OffsetsTopic.name, partition: Int32(topic.partitionIndex(of: group)))
    }

    /// Writes offsets that count once the producer's transaction is committed. `refusal` is asked right before they are written: whether the
    /// transaction is still open.
    func commit(
        _ group: String, _ offsets: [(TopicPartition, CommittedOffset)], in transaction: OffsetsTopic.Writer,
        then: @escaping @Sendable (ErrorCode) -> Void
    ) {
        if offsets.isEmpty { return then(.none) }
        let index = topic.partitionIndex(of: group)
        let producer = transaction.producerID
        // Before they are written: the marker may come right behind them.
        let isTaken = state.withLock { state in
            guard state.pending.count + offsets.count <= PendingOffsets.countMax else { return false }
            state.pending.add(offsets, of: group, by: producer, in: index)
            return true
        }
        guard isTaken else { return then(.coordinatorNotAvailable) }
        let records = offsets.map { GroupRecord.offset(group: group, partition: $0.0, $0.1) }
        topic.append(records, group: group, in: transaction) { [self] error in
            if error != .none {
                state.withLock { $0.pending.remove(offsets, of: group, by: producer, in: index) }
            }
            then(error)
        }
    }

    /// The marker of a transaction stands in a partition of `__consumer_offsets`.
    func transactionEnded(_ producer: ProducerID, in index: Int, commits: Bool) {
        state.withLock { state in
            let decided = state.pending.end(producer, in: index)
            guard commits else { return }
            for (group, partition, offset) in decided { state.offsets[group, partition] = offset }
        }
    }

    /// The partitions of which a transaction that is not decided yet holds an offset of the group.
    func unstablePartitions(of group: String) -> Set<TopicPartition> {
        state.withLock { $0.pending.partitions(of: group) }
    }

    /// What a group has committed. A member of a consumer group says who it is, so that it does not begin where it was before it lost a partition.
    func offsets(
        of group: String, memberID: String = "", epoch: Int32 = -1
    ) -> (ErrorCode, [TopicPartition: CommittedOffset]) {
        state.withLock { state in
            var error = refusal(group, state)
            if error == .none, let consumers = state.consumers[group] {
                error = consumers.machine.offsetsRequested(memberID: memberID, epoch: epoch, writes: false)
            }
            return (error, error == .none ? state.offsets.offsets(of: group) : [:])
        }
    }

    // MARK: Administration

    /// The group, or nil where there is none; groups that only hold offsets are empty ones.
    func describe(_ group: String) -> (ErrorCode, GroupMachine?) {
        state.withLock { state in
            let error = refusal(group, state)
            if state.consumers[group] != nil { return (error, nil) }
            return (error, error == .none ? state.groups[group] ?? Self.offsetsOnly(group, state, settings) : nil)
        }
    }

    func list() -> [ListedGroup] {
        state.withLock { state in
            let onlyOffsets = state.offsets.groups.filter { state.groups[$0] == nil && state.consumers[$0] == nil }
            return state.groups.values.map { ListedGroup($0) } + state.consumers.values.map { ListedGroup($0.machine) }
                + onlyOffsets.map { ListedGroup(GroupMachine(id: $0, settings: settings)) }
        }
    }

    private static func offsetsOnly(_ group: String, _ state: borrowing State, _ settings: GroupSettings)
        -> GroupMachine?
    {
        state.offsets.offsets(of: group).isEmpty ? nil : GroupMachine(id: group, settings: settings)
    }

    /// Deletes an empty group and its offsets; `then` once the log holds that.
    func delete(_ group: String, then: @escaping @Sendable (ErrorCode) -> Void) {
        if deleteConsumerGroup(group, then: then) { return }
        let (error, partitions) = state.withLock { state -> (ErrorCode, [TopicPartition]) in
            let refused = refusal(group, state)
            if refused != .none { return (refused, []) }
            let partitions = Array(state.offsets.offsets(of: group).keys)
            if state.groups[group] == nil { return (partitions.isEmpty ? .groupIdNotFound : .none, partitions) }
            return (state.groups[group]?.deletionRequested() ?? .groupIdNotFound, partitions)
        }
        guard error == .none else { return then(error) }
        forget(group, partitions, andGroup: true, then: then)
    }

    /// Forgets offsets of a group; `then` once the log holds that, with the partitions that were refused and why.
    func deleteOffsets(
        of group: String, _ partitions: [TopicPartition],
        then: @escaping @Sendable (Result<[TopicPartition: ErrorCode], OffsetDeletionRefusal>) -> Void
    ) {
        let (outcome, known) = state.withLock {
            state -> (Result<[TopicPartition: ErrorCode], OffsetDeletionRefusal>, Set<TopicPartition>) in
            let refused = refusal(group, state)
            if refused != .none { return (.failure(OffsetDeletionRefusal(code: refused)), []) }
            let known = Set(state.offsets.offsets(of: group).keys)
            if let consumers = state.consumers[group] {
                return (.success(consumers.machine.offsetDeletionRequested(partitions)), known)
            }
            guard let machine = state.groups[group] else {
                return (known.isEmpty ? .failure(OffsetDeletionRefusal(code: .groupIdNotFound)) : .success([:]), known)
            }
            return (machine.offsetDeletionRequested(partitions), known)
        }
        guard case .success(let refused) = outcome else { return then(outcome) }
        let forgotten = Array(Set(partitions).intersection(known).filter { refused[$0] == nil })
        guard !forgotten.isEmpty else { return then(outcome) }
        forget(group, forgotten, andGroup: false) { error in
            then(error == .none ? outcome : .failure(OffsetDeletionRefusal(code: error)))
        }
    }

    /// Offsets of a deleted topic go with it, so that a new topic of that name begins anew.
    func topicDeleted(_ topic: String) {
        let found = state.withLock { $0.offsets.partitions(ofTopic: topic) }
        for (group, partitions) in Dictionary(grouping: found, by: \.group) {
            forget(group, partitions.map(\.partition), andGroup: false) { _ in }
        }
    }

    private func forget(
        _ group: String, _ partitions: [TopicPartition], andGroup: Bool, then: @escaping @Sendable (ErrorCode) -> Void
    ) {
        var records = partitions.map { GroupRecord.offset(group: group, partition: $0, nil) }
        if andGroup { records.append(.group(group, nil)) }
        topic.append(records, group: group) { [self] error in
            state.withLock { state in
                guard error == .none else { return }
                for partition in partitions { state.offsets[group, partition] = nil }
                if andGroup { state.groups[group] = nil }
            }
            then(error)
        }
    }

    // MARK: Time

    /// Ends sessions and rebalances whose time is up; now and then forgets offsets that outlived their retention.
    func tick() {
        let now = time.now
        let wallTime = time.wallTime
        change { state in
            var effects: [Effect] = []
            for group in state.groups.keys {
                effects += update(group, &state) { $0.tick(now: now, wallTime: wallTime) }
            }
            return effects + tickConsumerGroups(&state, now: now)
        }
        expireOffsets(now: now, wallTime: wallTime)
    }

    private func expireOffsets(now: Instant, wallTime: Timestamp) {
        let expired = state.withLock { state -> [(group: String, partitions: [TopicPartition], isLast: Bool)]? in
            guard now - state.lastExpiry >= .seconds(600) else { return nil }
            state.lastExpiry = now
            return state.offsets.groups.compactMap { group in
                let partitions: [TopicPartition]
                let isEmpty: Bool
                if let consumers = state.consumers[group]?.machine {
                    let read = consumers.subscribedTopics
                    partitions = state.offsets.expired(
                        group: group, emptySince: .none, retention: settings.offsetRetention, wallTime: wallTime
                    ).filter { !read.contains($0.topic) }
                    isEmpty = false
                } else {
                    let machine = state.groups[group]
                    partitions = state.offsets.expired(
                        group: group, machine: machine, retention: settings.offsetRetention, wallTime: wallTime)
                    isEmpty = machine.map { $0.state == .empty } ?? true
                }
                guard !partitions.isEmpty else { return nil }
                // An empty group goes with its last offset.
                let isLast = isEmpty && partitions.count == state.offsets.offsets(of: group).count
                return (group, partitions, isLast)
            }
        }
        guard let expired else { return }
        for (group, partitions, isLast) in expired {
            telemetry.emit(OffsetsExpired(group: group, count: partitions.count, withGroup: isLast))
            forget(group, partitions, andGroup: isLast) { _ in }
        }
        forgetIdleConsumerGroups()
    }

    // MARK: Running actions

    func change(_ body: (inout State) -> [Effect]) {
        for effect in state.withLock({ body(&$0) }) {
            switch effect {
            case .run(let work): work()
            case .write(let group): writeConsumerGroup(group)
            case .append(let group, let records): topic.append(records, group: group) { _ in }
            case .persist(let group, let generation, let metadata):
                topic.append([.group(group, metadata)], group: group) { [self] error in
                    change { state in
                        guard state.groups[group] != nil else { return [] }
                        return update(group, &state) { machine in
                            machine.persisted(generation: generation, error: error, now: time.now)
                        }
                    }
                }
            }
        }
    }

    /// Lets the group's machine decide and turns its actions into what is to be done outside the lock.
    func update(
        _ group: String, _ state: inout State, _ decide: (inout GroupMachine) -> [GroupAction]
    ) -> [Effect] {
        var machine = state.groups[group] ?? GroupMachine(id: group, settings: settings)
        let actions = decide(&machine)
        state.groups[group] = machine
        return actions.compactMap { action in
            switch action {
            case .answerJoin(let id, let answer):
                guard let respond = state.joins.removeValue(forKey: id) else { return nil }
                return .run { respond(answer) }
            case .answerSync(let id, let answer):
                guard let respond = state.syncs.removeValue(forKey: id) else { return nil }
                return .run { respond(answer) }
            case .persist(let generation):
                return .persist(group: group, generation: generation, machine.metadata(wallTime: time.wallTime))
            }
        }
    }
}
