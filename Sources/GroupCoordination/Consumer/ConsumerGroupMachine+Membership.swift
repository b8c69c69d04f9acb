import Base
import KafkaWire

/// Who a heartbeat is from, and who leaves.
extension ConsumerGroupMachine {
    /// The member that a heartbeat is from, before what the heartbeat says of it.
    struct Entry {
        var member: ConsumerGroupMember
        /// The id of the static member whose place it takes.
        var replaced: String?
        var records: [GroupRecord] = []
    }

    func entry(of request: ConsumerHeartbeat) throws(ConsumerGroupRefusal) -> Entry {
        let joins = request.epoch == ConsumerGroupMember.joinEpoch
        if let instanceID = request.instanceID, let holder = memberIDOfInstance[instanceID].flatMap({ members[$0] }) {
            if joins { return try takeover(of: holder, by: request) }
            guard holder.id == request.memberID else {
                throw ConsumerGroupRefusal(
                    .fencedInstanceId, "instance '\(instanceID)' is another member now: \(holder.id)")
            }
            try checkEpoch(of: holder, request)
            return Entry(member: holder)
        }
        // An instance id, too, is said only where it is news.
        if let member = members[request.memberID], request.instanceID == nil || member.instanceID == request.instanceID
        {
            try checkEpoch(of: member, request)
            return Entry(member: member)
        }
        guard joins, members[request.memberID] == nil else {
            throw ConsumerGroupRefusal(.unknownMemberId, "the group has no member '\(request.memberID)'")
        }
        guard members.count < settings.membersMax else {
            throw ConsumerGroupRefusal(.groupMaxSizeReached, "a group has at most \(settings.membersMax) members")
        }
        return Entry(member: newMember(request))
    }

    private func newMember(_ request: ConsumerHeartbeat) -> ConsumerGroupMember {
        ConsumerGroupMember(
            id: request.memberID.isEmpty ? request.newMemberID : request.memberID, instanceID: request.instanceID,
            clientID: request.clientID, clientHost: request.clientHost)
    }

    /// A static member that is back takes its own place, without a rebalance; whoever holds the place has to have left it.
    private func takeover(
        of holder: ConsumerGroupMember, by request: ConsumerHeartbeat
    ) throws(ConsumerGroupRefusal) -> Entry {
        // In the classic protocol instances don't leave: whoever comes later has the place.
        guard holder.epoch == ConsumerGroupMember.staticLeaveEpoch || holder.classic != nil else {
            if holder.id == request.memberID {
                // It did not hear the answer to its joining.
                try checkEpoch(of: holder, request)
                return Entry(member: holder)
            }
            throw ConsumerGroupRefusal(
                .unreleasedInstanceId, "instance '\(request.instanceID ?? "")' is still member \(holder.id)")
        }
        var member = holder
        member.id = request.memberID.isEmpty ? request.newMemberID : request.memberID
        member.epoch = ConsumerGroupMember.joinEpoch
        member.previousEpoch = -1
        member.state = .stable
        guard member.id == holder.id || members[member.id] == nil else {
            throw ConsumerGroupRefusal(.invalidRequest, "member \(member.id) is another instance")
        }
        return Entry(
            member: member, replaced: holder.id,
            records: member.id == holder.id ? [] : Self.tombstones(of: holder.id, in: id))
    }

    /// The member's own epoch, or the one before where it did not hear of the new one and owns nothing that it may not.
    private func checkEpoch(
        of member: ConsumerGroupMember, _ request: ConsumerHeartbeat
    ) throws(ConsumerGroupRefusal) {
        if request.epoch == member.epoch { return }
        if request.epoch == member.previousEpoch, request.epoch < member.epoch,
            request.owned?.isSubset(of: member.assigned) ?? false
        {
            return
        }
        throw ConsumerGroupRefusal(
            .fencedMemberEpoch, "the member's epoch is \(member.epoch), not \(request.epoch): it has to join again")
    }

    /// Everything that was kept under the former id is the new one's.
    mutating func replace(_ former: String, by memberID: String) {
        guard former != memberID, let member = members.removeValue(forKey: former) else { return }
        targets[memberID] = targets.removeValue(forKey: former)
        for (topic, partition) in member.held.byTopic.flatMap({ entry in entry.value.map { (entry.key, $0) } }) {
            holders[topic]?[partition] = memberID
        }
    }

    // MARK: Leaving

    mutating func leave(
        _ request: ConsumerHeartbeat, now: Instant
    ) throws(ConsumerGroupRefusal) -> ConsumerHeartbeatDecision {
        guard let member = members[request.memberID] else {
            if let instanceID = request.instanceID, memberIDOfInstance[instanceID] != nil {
                throw ConsumerGroupRefusal(.fencedInstanceId, "instance '\(instanceID)' is another member now")
            }
            throw ConsumerGroupRefusal(.unknownMemberId, "the group has no member '\(request.memberID)'")
        }
        let answer = ConsumerHeartbeatAnswer(memberID: member.id, epoch: request.epoch)
        guard request.epoch == ConsumerGroupMember.staticLeaveEpoch else {
            return ConsumerHeartbeatDecision(answer: answer, records: remove(member.id) + groupEpochRose())
        }
        guard member.instanceID == request.instanceID else {
            throw ConsumerGroupRefusal(.unknownMemberId, "member '\(member.id)' is not that instance")
        }
        // The process reads no more, so what it was to give up is free; what it is to have stays its own until its session ends.
        var away = member
        away.epoch = ConsumerGroupMember.staticLeaveEpoch
        away.previousEpoch = member.epoch
        away.state = .stable
        away.revoking = MemberAssignment()
        away.revocationDeadline = nil
        away.sessionDeadline = now + settings.consumerSessionTimeout
        install(away, insteadOf: member)
        return ConsumerHeartbeatDecision(
            answer: answer, records: [.consumerCurrent(group: id, member: member.id, away.currentValue)])
    }

    /// Takes the member out; what it held is free.
    mutating func remove(_ memberID: String) -> [GroupRecord] {
        guard let member = members.removeValue(forKey: memberID) else { return [] }
        release(member.held, of: memberID)
        targets[memberID] = nil
        if let instanceID = member.instanceID, memberIDOfInstance[instanceID] == memberID {
            memberIDOfInstance[instanceID] = nil
        }
        var records = Self.tombstones(of: memberID, in: id)
        if let pattern = member.topicPattern, !pattern.isEmpty, matches[pattern] != nil,
            !members.values.contains(where: { $0.topicPattern == pattern })
        {
            matches[pattern] = nil
            records.append(.consumerPattern(group: id, pattern: pattern, nil))
        }
        return records
    }

    // MARK: Who holds what

    func holder(of topic: TopicID, _ partition: Int32) -> String? { holders[topic]?[partition] }

    mutating func install(_ member: ConsumerGroupMember, insteadOf former: ConsumerGroupMember) {
        release(former.held, of: former.id)
        claim(member.held, for: member.id)
        members[member.id] = member
    }

    mutating func claim(_ partitions: MemberAssignment, for memberID: String) {
        for (topic, partitions) in partitions.byTopic {
            for partition in partitions { holders[topic, default: [:]][partition] = memberID }
        }
    }

    private mutating func release(_ partitions: MemberAssignment, of memberID: String) {
        for (topic, partitions) in partitions.byTopic {
            for partition in partitions where holders[topic]?[partition] == memberID {
                holders[topic]?[partition] = nil
            }
            if holders[topic]?.isEmpty ?? false { holders[topic] = nil }
        }
    }
}
