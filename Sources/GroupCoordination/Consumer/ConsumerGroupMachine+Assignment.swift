import Base
import KafkaWire

/// What members are meant to own, and how each gets there.
extension ConsumerGroupMachine {
    // MARK: What there is to read

    /// The topics that a member subscribes to, by name and by pattern; whether they exist is another matter.
    func subscription(of member: ConsumerGroupMember) -> Set<String> {
        member.topicNames.union(matches[member.topicPattern ?? ""] ?? [])
    }

    mutating func groupEpochRose() -> [GroupRecord] {
        epoch += 1
        return [.consumerGroup(id, groupValue)]
    }

    /// Raises the group's epoch where members or their subscriptions changed (`isCertain`), or the topics they read did.
    mutating func subscriptionsChanged(isCertain: Bool, topics: TopicImage) -> [GroupRecord] {
        guard isCertain || topics.version != seenImage else { return [] }
        var records = findTopics(topics)
        seenImage = topics.version
        let hash = topics.hash(of: subscribedTopics)
        guard isCertain || hash != metadataHash else { return records }
        metadataHash = hash
        records += groupEpochRose()
        return records
    }

    private mutating func findTopics(_ topics: TopicImage) -> [GroupRecord] {
        let patterns = Set(members.values.compactMap(\.topicPattern).filter { !$0.isEmpty })
        var records: [GroupRecord] = []
        for gone in Set(matches.keys).subtracting(patterns).sorted() {
            matches[gone] = nil
            records.append(.consumerPattern(group: id, pattern: gone, nil))
        }
        for pattern in patterns.sorted() where matches[pattern] == nil || topics.version != seenImage {
            // Each was checked when a member brought it.
            guard let matcher = try? TopicPattern(pattern) else { continue }
            let found = Set(topics.topics.filter { !$0.value.isInternal && matcher.matches($0.key) }.keys)
            guard found != matches[pattern] else { continue }
            matches[pattern] = found
            var value = ConsumerGroupRegularExpressionValue()
            value.topics = found.sorted()
            value.version = Int64(clamping: topics.version)
            records.append(.consumerPattern(group: id, pattern: pattern, value))
        }
        return records
    }

    // MARK: Target

    /// The assignor that most members ask for; without a wish, the first.
    public var assignor: ConsumerAssignor {
        var votes: [ConsumerAssignor: Int] = [:]
        for member in members.values {
            if let wish = member.assignor.flatMap(ConsumerAssignor.init(rawValue:)) { votes[wish, default: 0] += 1 }
        }
        let most = votes.values.max()
        return ConsumerAssignor.allCases.first { most != nil && votes[$0] == most } ?? .uniform
    }

    /// Computes what each member is meant to own as of the group's epoch.
    mutating func assign(_ topics: TopicImage) -> [GroupRecord] {
        var partitionCounts: [TopicID: Int32] = [:]
        let readers = members.values.map { member in
            var read: Set<TopicID> = []
            for name in subscription(of: member) {
                guard let topic = topics[name] else { continue }
                read.insert(topic.id)
                partitionCounts[topic.id] = topic.partitionCount
            }
            return ConsumerAssignor.Reader(
                memberID: member.id, instanceID: member.instanceID, topics: read,
                current: targets[member.id] ?? MemberAssignment())
        }
        let assigned = assignor.assign(partitionCounts, to: readers)
        var records: [GroupRecord] = []
        for (memberID, target) in assigned.sorted(by: { $0.key < $1.key }) where targets[memberID] != target {
            targets[memberID] = target
            records.append(.consumerTarget(group: id, member: memberID, target.targetValue))
        }
        targetEpoch = epoch
        return records + [.consumerTargetEpoch(id, targetEpochValue)]
    }

    // MARK: Reconciliation

    /// Brings the member as far towards its target as the other members allow, and what it says that it owns.
    mutating func reconcile(
        _ memberID: String, owned: MemberAssignment?, mustWrite: Bool, now: Instant
    ) -> [GroupRecord] {
        guard let member = members[memberID] else { return [] }
        var next = member
        switch member.state {
        case .stable:
            if member.epoch != targetEpoch { next = step(member, owned: owned) }
        case .unrevokedPartitions:
            if let owned, owned.isDisjoint(with: member.revoking) { next = step(member, owned: owned) }
        case .unreleasedPartitions: next = step(member, owned: owned)
        }
        guard next != member || mustWrite else { return [] }
        if next.epoch != member.epoch { next.previousEpoch = member.epoch }
        if next.state != .unrevokedPartitions {
            next.revocationDeadline = nil
        } else if next.revoking != member.revoking {
            next.revocationDeadline = now + next.rebalanceTimeout
        }
        install(next, insteadOf: member)
        return [.consumerCurrent(group: id, member: memberID, next.currentValue)]
    }

    private func step(_ member: ConsumerGroupMember, owned: MemberAssignment?) -> ConsumerGroupMember {
        let target = targets[member.id] ?? MemberAssignment()
        var next = member
        let kept = member.assigned.intersection(target)
        let lost = member.assigned.subtracting(target)
        if !lost.isEmpty, owned.map({ !$0.isDisjoint(with: lost) }) ?? true {
            next.state = .unrevokedPartitions
            next.assigned = kept
            next.revoking = lost
            return next
        }
        let missing = target.subtracting(kept)
        let free = missing.filter { topic, partition in
            let holder = holder(of: topic, partition)
            return holder == nil || holder == member.id
        }
        next.state = free == missing ? .stable : .unreleasedPartitions
        next.epoch = targetEpoch
        next.assigned = kept.union(free)
        next.revoking = MemberAssignment()
        return next
    }
}
