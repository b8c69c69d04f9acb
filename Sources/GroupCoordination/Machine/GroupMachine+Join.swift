import Base
import KafkaWire
import NIOCore

/// JoinGroup: who takes part in the next generation.
extension GroupMachine {
    public mutating func joinReceived(
        _ request: JoinRequest, id: GroupRequestID, now: Instant, wallTime: Timestamp
    ) -> [GroupAction] {
        if let error = refusal(of: request) {
            return [.answerJoin(id, JoinAnswer(error, memberID: request.memberID))]
        }
        if request.memberID.isEmpty {
            return joinWithoutID(request, id: id, now: now, wallTime: wallTime)
        }
        if pendingMembers.removeValue(forKey: request.memberID) != nil {
            return addMember(request, memberID: request.memberID, id: id, now: now, wallTime: wallTime)
        }
        if let error = self.refusal(memberID: request.memberID, instanceID: request.instanceID) {
            return [.answerJoin(id, JoinAnswer(error, memberID: request.memberID))]
        }
        return rejoin(request, id: id, now: now, wallTime: wallTime)
    }

    private func refusal(of request: JoinRequest) -> ErrorCode? {
        if state == .dead { return .coordinatorNotAvailable }
        if request.sessionTimeout < settings.sessionTimeoutMin || request.sessionTimeout > settings.sessionTimeoutMax {
            return .invalidSessionTimeout
        }
        if request.protocolType.isEmpty || request.protocols.isEmpty { return .inconsistentGroupProtocol }
        let bytes = request.protocols.reduce(0) { $0 + $1.metadata.readableBytes + $1.name.utf8.count }
        if bytes > settings.metadataBytesMax.bytes { return .invalidRequest }
        let others = members.filter {
            $0.id != request.memberID && ($0.instanceID == nil || $0.instanceID != request.instanceID)
        }
        if others.isEmpty { return nil }
        if protocolType != request.protocolType { return .inconsistentGroupProtocol }
        let names = Set(request.protocols.map(\.name))
        let supportedByAll = others.reduce(into: names) { common, member in
            common.formIntersection(member.protocols.map(\.name))
        }
        return supportedByAll.isEmpty ? .inconsistentGroupProtocol : nil
    }

    private mutating func joinWithoutID(
        _ request: JoinRequest, id: GroupRequestID, now: Instant, wallTime: Timestamp
    ) -> [GroupAction] {
        if let instanceID = request.instanceID, let old = memberIDOfInstance[instanceID] {
            return replaceStaticMember(old, with: request, id: id, now: now, wallTime: wallTime)
        }
        guard members.count + pendingMembers.count < settings.membersMax else {
            return [.answerJoin(id, JoinAnswer(.groupMaxSizeReached, memberID: ""))]
        }
        if request.instanceID == nil, request.requiresKnownMemberID {
            pendingMembers[request.newMemberID] = now + request.sessionTimeout
            return [.answerJoin(id, JoinAnswer(.memberIdRequired, memberID: request.newMemberID))]
        }
        return addMember(request, memberID: request.newMemberID, id: id, now: now, wallTime: wallTime)
    }

    private mutating func addMember(
        _ request: JoinRequest, memberID: String, id: GroupRequestID, now: Instant, wallTime: Timestamp
    ) -> [GroupAction] {
        if members.isEmpty { protocolType = request.protocolType }
        let member = GroupMember(
            id: memberID, instanceID: request.instanceID, clientID: request.clientID, clientHost: request.clientHost,
            rebalanceTimeout: request.rebalanceTimeout, sessionTimeout: request.sessionTimeout,
            protocols: request.protocols, waitingJoin: id, sessionDeadline: now + request.sessionTimeout)
        members.append(member)
        if leader == nil { leader = memberID }
        if let instanceID = request.instanceID { memberIDOfInstance[instanceID] = memberID }
        if case .preparingRebalance = state, isInitialRebalance {
            let putOff = min(now + settings.initialRebalanceDelay, initialRebalanceLimit)
            state = .preparingRebalance(deadline: putOff)
            return []
        }
        return prepareRebalance(now: now) + completeJoinIfReady(now: now, wallTime: wallTime)
    }

    /// A static member that restarted: it gets a new id, the old one is fenced, and where nothing else changed no rebalance begins.
    private mutating func replaceStaticMember(
        _ old: String, with request: JoinRequest, id: GroupRequestID, now: Instant, wallTime: Timestamp
    ) -> [GroupAction] {
        guard let index = index(of: old) else {
            memberIDOfInstance[request.instanceID ?? ""] = nil
            return addMember(request, memberID: request.newMemberID, id: id, now: now, wallTime: wallTime)
        }
        var actions: [GroupAction] = []
        if let join = members[index].waitingJoin {
            actions.append(.answerJoin(join, JoinAnswer(.fencedInstanceId, memberID: old)))
        }
        if let sync = members[index].waitingSync { actions.append(.answerSync(sync, SyncAnswer(.fencedInstanceId))) }
        let isSameSubscription =
            members[index].metadata(for: protocolName) == request.protocols.first { $0.name == protocolName }?.metadata
        members[index].id = request.newMemberID
        members[index].protocols = request.protocols
        members[index].clientID = request.clientID
        members[index].clientHost = request.clientHost
        members[index].sessionTimeout = request.sessionTimeout
        members[index].rebalanceTimeout = request.rebalanceTimeout
        members[index].waitingJoin = nil
        members[index].waitingSync = nil
        extendSession(at: index, now: now)
        if let instanceID = request.instanceID { memberIDOfInstance[instanceID] = request.newMemberID }
        let wasLeader = leader == old
        if wasLeader { leader = request.newMemberID }
        if state == .stable, isSameSubscription {
            var answer = currentGeneration(for: request.newMemberID)
            answer.skipAssignment = wasLeader
            return actions + [.persist(generation: generation), .answerJoin(id, answer)]
        }
        members[index].waitingJoin = id
        return actions + prepareRebalance(now: now) + completeJoinIfReady(now: now, wallTime: wallTime)
    }

    private mutating func rejoin(
        _ request: JoinRequest, id: GroupRequestID, now: Instant, wallTime: Timestamp
    ) -> [GroupAction] {
        guard let index = index(of: request.memberID) else { return [] }
        let isUnchanged = members[index].protocols == request.protocols
        extendSession(at: index, now: now)
        switch state {
        case .completingRebalance, .persistingAssignment:
            // The member did not hear the answer to its last JoinGroup.
            if isUnchanged { return [.answerJoin(id, currentGeneration(for: request.memberID))] }
        case .stable:
            if isUnchanged, leader != request.memberID {
                return [.answerJoin(id, currentGeneration(for: request.memberID))]
            }
        case .preparingRebalance: break
        case .empty, .dead: return [.answerJoin(id, JoinAnswer(.unknownMemberId, memberID: request.memberID))]
        }
        var actions: [GroupAction] = []
        if let earlier = members[index].waitingJoin {
            actions.append(.answerJoin(earlier, JoinAnswer(.rebalanceInProgress, memberID: request.memberID)))
        }
        members[index].protocols = request.protocols
        members[index].sessionTimeout = request.sessionTimeout
        members[index].rebalanceTimeout = request.rebalanceTimeout
        members[index].waitingJoin = id
        return actions + prepareRebalance(now: now) + completeJoinIfReady(now: now, wallTime: wallTime)
    }

    /// Begins a rebalance where none is under way: who waits for an assignment is told to join again.
    mutating func prepareRebalance(now: Instant) -> [GroupAction] {
        if case .preparingRebalance = state { return [] }
        var actions: [GroupAction] = []
        for index in members.indices {
            members[index].assignment = ByteBuffer()
            guard let sync = members[index].waitingSync else { continue }
            members[index].waitingSync = nil
            actions.append(.answerSync(sync, SyncAnswer(.rebalanceInProgress)))
        }
        let patience = members.map(\.rebalanceTimeout).max() ?? .zero
        isInitialRebalance = state == .empty
        initialRebalanceLimit = now + patience
        let deadline = isInitialRebalance ? now + min(settings.initialRebalanceDelay, patience) : now + patience
        state = .preparingRebalance(deadline: deadline)
        return actions
    }

    /// Ends the joining once every member has joined again; an initial rebalance waits for its delay.
    mutating func completeJoinIfReady(now: Instant, wallTime: Timestamp) -> [GroupAction] {
        guard case .preparingRebalance(let deadline) = state else { return [] }
        if isInitialRebalance && now < deadline && !members.isEmpty { return [] }
        guard pendingMembers.isEmpty || members.isEmpty, members.allSatisfy({ $0.waitingJoin != nil }) else {
            return []
        }
        return completeJoin(now: now, wallTime: wallTime)
    }

    /// The next generation begins with those who joined; absent static members stay until their session ends.
    mutating func completeJoin(now: Instant, wallTime: Timestamp) -> [GroupAction] {
        var actions: [GroupAction] = []
        for absent in members.filter({ $0.waitingJoin == nil && !$0.isStatic }).map(\.id) {
            actions += removeMember(absent)
        }
        generation = generation == .max ? 1 : generation + 1
        isInitialRebalance = false
        guard members.contains(where: { $0.waitingJoin != nil }) else {
            if members.isEmpty {
                state = .empty
                protocolName = nil
                leader = nil
                emptySince = wallTime
                return actions + [.persist(generation: generation)]
            }
            // Only absent static members are left: wait for them or for the end of their sessions.
            let patience = members.map(\.rebalanceTimeout).max() ?? .zero
            state = .preparingRebalance(deadline: now + max(patience, .seconds(1)))
            return actions
        }
        emptySince = nil
        protocolName = electedProtocol()
        if index(of: leader ?? "").map({ members[$0].waitingJoin == nil }) ?? true {
            leader = members.first { $0.waitingJoin != nil }?.id
        }
        let patience = members.map(\.rebalanceTimeout).max() ?? .zero
        state = .completingRebalance(deadline: now + patience)
        for index in members.indices {
            extendSession(at: index, now: now)
            guard let join = members[index].waitingJoin else { continue }
            members[index].waitingJoin = nil
            actions.append(.answerJoin(join, currentGeneration(for: members[index].id)))
        }
        return actions
    }

    /// The assignor that most members prefer among those that all support; ties go to the leader's order.
    private func electedProtocol() -> String? {
        let common = members.dropFirst().reduce(into: Set(members.first?.protocols.map(\.name) ?? [])) {
            common, member in
            common.formIntersection(member.protocols.map(\.name))
        }
        var votes: [String: Int] = [:]
        for member in members {
            if let vote = member.protocols.first(where: { common.contains($0.name) })?.name {
                votes[vote, default: 0] += 1
            }
        }
        let most = votes.values.max()
        return members.first?.protocols.map(\.name).first { votes[$0] == most }
    }

    /// The answer to a JoinGroup that belongs to the generation that stands.
    func currentGeneration(for memberID: String) -> JoinAnswer {
        var answer = JoinAnswer(.none, memberID: memberID)
        answer.generation = generation
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.leader = leader ?? ""
        if memberID == leader {
            answer.members = members.map {
                JoinAnswer.Member(id: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: protocolName))
            }
        }
        return answer
    }
}
