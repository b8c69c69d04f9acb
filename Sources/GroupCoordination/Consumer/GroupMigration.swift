import Base
import KafkaWire
import NIOCore

// A group goes over to the other protocol while its members live (KIP-848): to the consumer protocol with its first member of that, back with its last.

extension ConsumerGroupMachine {
    /// The group of the classic protocol as one of the consumer protocol, with each member where it is, and the records that make it so. Nil where its members
    /// are no consumers, or are not all where the log says: while a classic group rebalances nobody can tell who reads what.
    public init?(migrating classic: GroupMachine, topics: TopicImage, now: Instant) {
        guard classic.state == .stable, classic.protocolType == GroupMachine.consumerProtocolType else { return nil }
        self.init(id: classic.id, settings: classic.settings)
        epoch = classic.generation
        targetEpoch = classic.generation
        for member in classic.members {
            guard let first = member.protocols.first,
                let subscription = try? ConsumerSubscription.decode(first.metadata),
                // Whom the leader gave nothing has no bytes at all.
                let assignment = member.assignment.readableBytes == 0
                    ? ConsumerAssignment() : try? ConsumerAssignment.decode(member.assignment)
            else { return nil }
            var migrated = ConsumerGroupMember(
                id: member.id, instanceID: member.instanceID, clientID: member.clientID, clientHost: member.clientHost)
            migrated.topicNames = Set(subscription.topics)
            migrated.rebalanceTimeout = member.rebalanceTimeout
            migrated.epoch = classic.generation
            migrated.previousEpoch = classic.generation
            migrated.classic = ClassicMembership(sessionTimeout: member.sessionTimeout, protocols: member.protocols)
            migrated.sessionDeadline = now + member.sessionTimeout
            migrated.assigned = MemberAssignment(
                assignment.assignedPartitions.compactMap { assigned in
                    topics[assigned.topic].map { (topic: $0.id, partitions: assigned.partitions) }
                }
            ).filter { holder(of: $0, $1) == nil }
            claim(migrated.assigned, for: migrated.id)
            members[migrated.id] = migrated
            targets[migrated.id] = migrated.assigned
            if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = member.id }
        }
        metadataHash = topics.hash(of: subscribedTopics)
    }

    /// Everything about the group, as if it were new.
    public var allRecords: [GroupRecord] {
        let ofMembers = members.values.sorted { $0.id < $1.id }.flatMap { member -> [GroupRecord] in
            [
                .consumerMember(group: id, member: member.id, member.metadataValue),
                .consumerTarget(group: id, member: member.id, (targets[member.id] ?? MemberAssignment()).targetValue),
                .consumerCurrent(group: id, member: member.id, member.currentValue),
            ]
        }
        return [.consumerGroup(id, groupValue)] + ofMembers + [.consumerTargetEpoch(id, targetEpochValue)]
    }

    /// Until the group is one of the classic protocol every request is refused.
    public mutating func migrationBegan() { isDead = true }

    /// Whether only members of the classic protocol are left.
    public var isClassicAgain: Bool { !members.isEmpty && members.values.allSatisfy { $0.classic != nil } }
}

extension GroupMachine {
    /// The group of the consumer protocol of which only members of the classic one are left. They are to join again, so that one of them leads.
    public init(migrating consumers: ConsumerGroupMachine, topics: TopicImage, now: Instant) {
        self.init(id: consumers.id, settings: consumers.settings)
        generation = consumers.epoch
        protocolType = Self.consumerProtocolType
        protocolName = consumers.classicProtocol
        for member in consumers.members.values.sorted(by: { $0.id < $1.id }) {
            guard let classic = member.classic else { continue }
            var migrated = GroupMember(
                id: member.id, instanceID: member.instanceID, clientID: member.clientID, clientHost: member.clientHost,
                rebalanceTimeout: member.rebalanceTimeout, sessionTimeout: classic.sessionTimeout,
                protocols: classic.protocols, waitingJoin: nil, waitingSync: nil,
                sessionDeadline: now + classic.sessionTimeout)
            migrated.assignment = ConsumerGroupMachine.classicAssignment(member.assigned, topics)
            members.append(migrated)
            if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = member.id }
        }
        leader = members.first?.id
        state = .stable
    }

    /// Tells members, at their next heartbeat, to join again.
    public mutating func rebalanceRequested(now: Instant) -> [GroupAction] { prepareRebalance(now: now) }
}
