import Base
import KafkaWire
import NIOCore

/// SyncGroup: the leader hands in the assignment, the others wait for theirs.
extension GroupMachine {
    public mutating func syncReceived(_ request: SyncRequest, id: GroupRequestID, now: Instant) -> [GroupAction] {
        if let error = refusal(of: request) { return [.answerSync(id, SyncAnswer(error))] }
        guard let index = index(of: request.memberID) else { return [.answerSync(id, SyncAnswer(.unknownMemberId))] }
        extendSession(at: index, now: now)
        switch state {
        case .empty, .dead: return [.answerSync(id, SyncAnswer(.unknownMemberId))]
        case .preparingRebalance: return [.answerSync(id, SyncAnswer(.rebalanceInProgress))]
        case .stable: return [.answerSync(id, assignment(of: members[index]))]
        case .completingRebalance, .persistingAssignment:
            var actions: [GroupAction] = []
            if let earlier = members[index].waitingSync {
                actions.append(.answerSync(earlier, SyncAnswer(.rebalanceInProgress)))
            }
            members[index].waitingSync = id
            guard case .completingRebalance = state, request.memberID == leader else { return actions }
            let bytes = request.assignments.values.reduce(0) { $0 + $1.readableBytes }
            guard bytes <= settings.metadataBytesMax.bytes * max(1, members.count) else {
                members[index].waitingSync = nil
                return actions + [.answerSync(id, SyncAnswer(.invalidRequest))]
            }
            for place in members.indices {
                members[place].assignment = request.assignments[members[place].id] ?? ByteBuffer()
            }
            state = .persistingAssignment
            return actions + [.persist(generation: generation)]
        }
    }

    /// The log has (or has not) taken the group's metadata. On failure the members are told to join again.
    public mutating func persisted(generation: Int32, error: ErrorCode, now: Instant) -> [GroupAction] {
        guard generation == self.generation, state == .persistingAssignment else { return [] }
        if error != .none {
            var actions: [GroupAction] = []
            for index in members.indices {
                guard let sync = members[index].waitingSync else { continue }
                members[index].waitingSync = nil
                actions.append(.answerSync(sync, SyncAnswer(error)))
            }
            return actions + prepareRebalance(now: now)
        }
        state = .stable
        var actions: [GroupAction] = []
        for index in members.indices {
            extendSession(at: index, now: now)
            guard let sync = members[index].waitingSync else { continue }
            members[index].waitingSync = nil
            actions.append(.answerSync(sync, assignment(of: members[index])))
        }
        return actions
    }

    private func refusal(of request: SyncRequest) -> ErrorCode? {
        if let refusal = refusal(memberID: request.memberID, instanceID: request.instanceID) { return refusal }
        if request.generation != generation { return .illegalGeneration }
        if let type = request.protocolType, type != protocolType { return .inconsistentGroupProtocol }
        if let name = request.protocolName, name != protocolName { return .inconsistentGroupProtocol }
        return nil
    }

    private func assignment(of member: GroupMember) -> SyncAnswer {
        var answer = SyncAnswer(.none)
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.assignment = member.assignment
        return answer
    }
}
