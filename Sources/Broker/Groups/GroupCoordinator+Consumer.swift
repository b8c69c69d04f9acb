import Base
import GroupCoordination
import KafkaWire

/// Groups of the consumer protocol (KIP-848).
extension GroupCoordinator {
    typealias HeartbeatOutcome = Result<ConsumerHeartbeatAnswer, ConsumerGroupRefusal>

    /// Joins, keeps alive or leaves; answered once the log holds what the answer tells.
    func consumerHeartbeat(
        _ group: String, _ request: ConsumerHeartbeat, answer: @escaping @Sendable (HeartbeatOutcome) -> Void
    ) {
        let image = topics.image
        change { state in
            func refused(_ code: ErrorCode, _ message: String) -> [Effect] {
                [.run { answer(.failure(ConsumerGroupRefusal(code, message))) }]
            }
            let error = refusal(group, state)
            if error != .none { return refused(error, "\(error)") }
            var records: [GroupRecord] = []
            let isNew = state.consumers[group] == nil
            if let classic = state.groups[group] {
                guard let slot = migrated(classic, request, topics: image, &records) else {
                    let isMigratable = classic.protocolType == "consumer" && classic.state != .dead
                    return isMigratable && request.epoch == ConsumerGroupMember.joinEpoch
                        ? refused(.coordinatorNotAvailable, "the group rebalances; try again")
                        : refused(.groupIdNotFound, "group '\(group)' is one of the classic protocol")
                }
                state.consumers[group] = slot
            } else if isNew {
                guard request.epoch == ConsumerGroupMember.joinEpoch else {
                    return refused(.unknownMemberId, "there is no group '\(group)'")
                }
                guard state.count < settings.groupsMax else {
                    return refused(.groupMaxSizeReached, "this broker keeps at most \(settings.groupsMax) groups")
                }
                state.consumers[group] = ConsumerGroupSlot(ConsumerGroupMachine(id: group, settings: settings))
            }
            var decision: ConsumerHeartbeatDecision?
            do throws(ConsumerGroupRefusal) {
                decision = try state.consumers[group]?.machine.heartbeatReceived(request, topics: image, now: time.now)
            } catch {
                if isNew { state.consumers[group] = nil }
                return refused(error.code, error.message)
            }
            guard let decision else { return [] }
            state.groups[group] = nil
            let effects = state.consumers[group]?.decided(group, records + decision.records) { error in
                switch error {
                case .none: answer(.success(decision.answer))
                case .offsetMetadataTooLarge:
                    answer(.failure(ConsumerGroupRefusal(.invalidRequest, "the change is more than a batch holds")))
                default:
                    answer(.failure(ConsumerGroupRefusal(error, "the change could not be written; try again")))
                }
            }
            return effects ?? []
        }
    }

    /// A consumer group, or nil where there is none of that name.
    func describeConsumerGroup(_ group: String) -> (ErrorCode, ConsumerGroupMachine?) {
        state.withLock { state in
            let error = refusal(group, state)
            return (error, error == .none ? state.consumers[group]?.machine : nil)
        }
    }

    /// The classic group as a consumer group, with the records that make it one; nil where that can't be, or not now.
    private func migrated(
        _ classic: GroupMachine, _ request: ConsumerHeartbeat, topics: TopicImage, _ records: inout [GroupRecord]
    ) -> ConsumerGroupSlot? {
        guard request.epoch == ConsumerGroupMember.joinEpoch else { return nil }
        records = [.group(classic.id, nil)]
        var slot: ConsumerGroupSlot
        if classic.state == .empty {
            slot = ConsumerGroupSlot(ConsumerGroupMachine(id: classic.id, settings: settings))
        } else {
            guard let machine = ConsumerGroupMachine(migrating: classic, topics: topics, now: time.now) else {
                return nil
            }
            records += machine.allRecords
            slot = ConsumerGroupSlot(machine)
        }
        slot.former = classic
        return slot
    }

    /// Members of the classic protocol may take an empty consumer group over.
    func endEmptyConsumerGroup(_ group: String, _ state: inout State, _ effects: inout [Effect]) -> ErrorCode {
        guard let slot = state.consumers[group] else { return .none }
        guard !slot.isWriting, !slot.machine.isDead else { return .coordinatorNotAvailable }
        state.consumers[group] = nil
        effects.append(.append(group: group, slot.machine.tombstones))
        return .none
    }

    /// Deletes an empty consumer group with its offsets; false where there is no such group.
    func deleteConsumerGroup(_ group: String, then: @escaping @Sendable (ErrorCode) -> Void) -> Bool {
        var isOne = false
        change { state in
            guard refusal(group, state) == .none, var slot = state.consumers[group] else { return [] }
            isOne = true
            let partitions = Array(state.offsets.offsets(of: group).keys)
            switch slot.machine.deletionRequested() {
            case .failure(let refusal): return [.run { then(refusal.code) }]
            case .success(let tombstones):
                let offsets = partitions.map { GroupRecord.offset(group: group, partition: $0, nil) }
                let effects = slot.decided(group, offsets + tombstones) { [self] error in
                    if error == .none {
                        self.state.withLock { state in
                            for partition in partitions { state.offsets[group, partition] = nil }
                            state.consumers[group] = nil
                        }
                    }
                    then(error)
                }
                state.consumers[group] = slot
                return effects
            }
        }
        return isOne
    }

    /// Empty groups that hold no offset are forgotten, or every name that was ever tried would stay.
    func forgetIdleConsumerGroups() {
        let idle = state.withLock { state in
            state.consumers.filter { group, slot in
                slot.machine.members.isEmpty && !slot.isWriting && state.offsets.offsets(of: group).isEmpty
                    && state.pending.partitions(of: group).isEmpty
            }.map(\.key)
        }
        for group in idle { _ = deleteConsumerGroup(group) { _ in } }
    }

    func tickConsumerGroups(_ state: inout State, now: Instant) -> [Effect] {
        var effects: [Effect] = []
        for group in state.consumers.keys {
            guard let records = state.consumers[group]?.machine.tick(now: now), !records.isEmpty else { continue }
            effects += state.consumers[group]?.decided(group, records, then: nil) ?? []
        }
        for (group, slot) in state.consumers where slot.machine.isClassicAgain && !slot.machine.isDead {
            let classic = GroupMachine(migrating: slot.machine, topics: topics.image, now: now)
            let records = slot.machine.tombstones + [.group(group, classic.metadata(wallTime: time.wallTime))]
            state.consumers[group]?.machine.migrationBegan()
            state.consumers[group]?.becomes = classic
            effects += state.consumers[group]?.decided(group, records, then: nil) ?? []
        }
        return effects
    }

    // MARK: Members of the classic protocol

    func classicJoin(
        _ group: String, _ request: JoinRequest, _ state: inout State, answer: @escaping @Sendable (JoinAnswer) -> Void
    ) -> [Effect] {
        let image = topics.image
        do throws(ConsumerGroupRefusal) {
            guard
                let (joined, records) = try state.consumers[group]?.machine.classicJoinReceived(
                    request, topics: image, now: time.now)
            else { return [] }
            return state.consumers[group]?.decided(group, records) { error in
                answer(error == .none ? joined : JoinAnswer(error, memberID: request.memberID))
            } ?? []
        } catch {
            let refused = JoinAnswer(error.code, memberID: request.memberID)
            return [.run { answer(refused) }]
        }
    }

    func classicSync(
        _ group: String, _ request: SyncRequest, _ state: inout State, answer: @escaping @Sendable (SyncAnswer) -> Void
    ) -> [Effect] {
        let image = topics.image
        let told = state.consumers[group]?.machine.classicSyncReceived(request, topics: image, now: time.now)
        guard let told else { return [] }
        return state.consumers[group]?.decided(group, []) { error in
            answer(error == .none ? told : SyncAnswer(error))
        } ?? []
    }

    func classicLeave(
        _ group: String, memberID: String, instanceID: String?, _ state: inout State
    ) -> (error: ErrorCode, effects: [Effect]) {
        let outcome = state.consumers[group]?.machine.classicLeaveReceived(memberID: memberID, instanceID: instanceID)
        guard let outcome else { return (.unknownMemberId, []) }
        return (outcome.error, state.consumers[group]?.decided(group, outcome.records, then: nil) ?? [])
    }

    // MARK: Writing

    /// Writes what the group has decided as one batch, and goes on until nothing is left.
    func writeConsumerGroup(_ group: String) {
        let batch = state.withLock {
            state -> (records: [GroupRecord], ConsumerGroupMachine, [ConsumerGroupSlot.Waiter])? in
            guard let slot = state.consumers[group] else { return nil }
            state.consumers[group]?.queue = []
            state.consumers[group]?.waiters = []
            return (slot.queue, slot.machine, slot.waiters)
        }
        guard let (records, snapshot, waiters) = batch else { return }
        topic.append(records, group: group) { [self] error in
            change { state in
                guard var slot = state.consumers[group] else { return waiters.map { waiter in .run { waiter(error) } } }
                var answered = waiters
                if error == .none {
                    slot.durable = snapshot
                } else {
                    answered += slot.waiters
                    slot.waiters = []
                    slot.queue = []
                }
                if slot.queue.isEmpty {
                    answered += slot.waiters
                    slot.waiters = []
                    slot.isWriting = false
                }
                if error != .none, var durable = slot.durable {
                    durable.takenBack(now: time.now)
                    slot.machine = durable
                }
                if error != .none { slot.becomes = nil }
                let isLost = error != .none && slot.durable == nil
                state.consumers[group] = isLost ? nil : slot
                if isLost { state.groups[group] = slot.former }
                let answers = answered.map { waiter in Effect.run { waiter(error) } }
                if slot.isWriting { return answers + [.write(group: group)] }
                guard let classic = slot.becomes else { return answers }
                state.consumers[group] = nil
                state.groups[group] = classic
                return answers + update(group, &state) { $0.rebalanceRequested(now: time.now) }
            }
        }
    }
}

extension ConsumerGroupSlot {
    /// Takes in what was decided; `then` is called once the log holds it, and all that was decided before.
    mutating func decided(_ group: String, _ records: [GroupRecord], then: Waiter?) -> [GroupCoordinator.Effect] {
        queue += records
        if let then {
            if records.isEmpty, !isWriting { return [.run { then(.none) }] }
            waiters.append(then)
        }
        if isWriting || queue.isEmpty { return [] }
        isWriting = true
        return [.write(group: group)]
    }
}
