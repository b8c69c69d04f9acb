import Base
import KafkaWire
import NIOCore

/// What a member brings that still speaks the classic protocol, in a group that migrates (KIP-848).
public struct ClassicMembership: Sendable, Equatable {
    public var sessionTimeout: Duration
    /// Its assignors in its order of preference, each with its subscription.
    public var protocols: [GroupMember.Assignor]
    /// By when it has to join again, or to ask for its assignment, once it was told to.
    var deadline: Instant?

    init(sessionTimeout: Duration, protocols: [GroupMember.Assignor]) {
        self.sessionTimeout = sessionTimeout
        self.protocols = protocols
    }
}

/// Members of the classic protocol in a consumer group. The broker assigns for them too: none of them leads, and each asks for what the broker gives it.
extension ConsumerGroupMachine {
    /// JoinGroup: the answer's generation is the member's epoch. It is answered at once, since nobody waits for the others.
    public mutating func classicJoinReceived(
        _ request: JoinRequest, topics: TopicImage, now: Instant
    ) throws(ConsumerGroupRefusal) -> (answer: JoinAnswer, records: [GroupRecord]) {
        if isDead { throw ConsumerGroupRefusal(.coordinatorNotAvailable, "the group is being changed") }
        let subscription = try subscription(in: request)
        let entry = try classicEntry(of: request)
        if request.memberID.isEmpty, request.instanceID == nil, request.requiresKnownMemberID {
            return (JoinAnswer(.memberIdRequired, memberID: request.newMemberID), [])
        }
        var member = entry.member
        member.clientID = request.clientID
        member.clientHost = request.clientHost
        member.topicNames = Set(subscription.topics)
        member.topicPattern = nil
        member.assignor = nil
        member.rebalanceTimeout = request.rebalanceTimeout
        member.classic = ClassicMembership(sessionTimeout: request.sessionTimeout, protocols: request.protocols)
        let owned = MemberAssignment(
            subscription.ownedPartitions.compactMap { owned in
                topics[owned.topic].map { (topic: $0.id, partitions: owned.partitions) }
            })
        if !owned.isEmpty, entry.replaced == nil, members[member.id] == nil {
            // It was dropped without knowing, and others may read what it still holds: it has to begin anew.
            throw ConsumerGroupRefusal(.unknownMemberId, "the group has no member '\(member.id)'")
        }
        let records = enter(member, entry, owned: owned, topics: topics, now: now)
        members[member.id]?.classic?.deadline = now + member.rebalanceTimeout
        var answer = JoinAnswer(.none, memberID: member.id)
        answer.generation = members[member.id]?.epoch ?? 0
        answer.protocolType = GroupMachine.consumerProtocolType
        answer.protocolName = classicProtocol
        return (answer, entry.records + records)
    }

    /// SyncGroup: what the member may read.
    public mutating func classicSyncReceived(_ request: SyncRequest, topics: TopicImage, now: Instant) -> SyncAnswer {
        let error = classicRefusal(request.memberID, request.instanceID, generation: request.generation)
        if error != .none { return SyncAnswer(error) }
        guard let member = members[request.memberID] else { return SyncAnswer(.unknownMemberId) }
        if let name = request.protocolName, name != classicProtocol { return SyncAnswer(.inconsistentGroupProtocol) }
        if epoch > member.epoch, member.state != .unrevokedPartitions {
            members[member.id]?.classic?.deadline = now + member.rebalanceTimeout
            return SyncAnswer(.rebalanceInProgress)
        }
        members[member.id]?.classic?.deadline = nil
        extendClassicSession(of: member.id, now: now)
        var answer = SyncAnswer(.none)
        answer.protocolType = GroupMachine.consumerProtocolType
        answer.protocolName = classicProtocol
        answer.assignment = Self.classicAssignment(member.assigned, topics)
        return answer
    }

    /// Heartbeat: REBALANCE_IN_PROGRESS asks the member to join again, so that it hears what it may read now.
    public mutating func classicHeartbeatReceived(
        memberID: String, instanceID: String?, generation: Int32, now: Instant
    ) -> ErrorCode {
        let error = classicRefusal(memberID, instanceID, generation: generation)
        if error != .none { return error }
        guard let member = members[memberID] else { return .unknownMemberId }
        extendClassicSession(of: memberID, now: now)
        guard member.epoch < epoch || member.state == .unrevokedPartitions || mayGetMore(member) else { return .none }
        if member.classic?.deadline == nil { members[memberID]?.classic?.deadline = now + member.rebalanceTimeout }
        return .rebalanceInProgress
    }

    /// LeaveGroup, by a member's id, or a static one's instance id alone.
    public mutating func classicLeaveReceived(
        memberID: String, instanceID: String?
    ) -> (error: ErrorCode, records: [GroupRecord]) {
        if isDead { return (.coordinatorNotAvailable, []) }
        var leaving = memberID
        if let instanceID {
            guard let current = memberIDOfInstance[instanceID] else { return (.unknownMemberId, []) }
            if !memberID.isEmpty, current != memberID { return (.fencedInstanceId, []) }
            leaving = current
        }
        // An administrator removes members of either protocol by their instance.
        guard let member = members[leaving], member.classic != nil || memberID.isEmpty else {
            return (.unknownMemberId, [])
        }
        return (.none, remove(leaving) + groupEpochRose())
    }

    public func isClassic(_ memberID: String) -> Bool { members[memberID]?.classic != nil }

    // MARK: Parts

    /// The first assignor that all members of the classic protocol know. It assigns nothing; clients want to hear a name.
    var classicProtocol: String? {
        let all = members.values.compactMap(\.classic).map { $0.protocols.map(\.name) }
        let common = all.dropFirst().reduce(Set(all.first ?? [])) { $0.intersection($1) }
        let oldest = members.values.filter { $0.classic != nil }.min { $0.id < $1.id }
        return oldest?.classic?.protocols.first { common.contains($0.name) }?.name
    }

    static func classicAssignment(_ assigned: MemberAssignment, _ topics: TopicImage) -> ByteBuffer {
        var assignment = ConsumerAssignment()
        let topicPartitions = assigned.sorted.compactMap { id, partitions in
            topics.name(of: id).map { (name: $0, partitions: partitions) }
        }
        assignment.assignedPartitions = topicPartitions.sorted { $0.name < $1.name }.map {
            .init(topic: $0.name, partitions: $0.partitions)
        }
        // Version 0 is what every client reads, and nothing later adds to it.
        return (try? assignment.encode(version: 0)) ?? ByteBuffer()
    }

    private func subscription(in request: JoinRequest) throws(ConsumerGroupRefusal) -> ConsumerSubscription {
        if request.sessionTimeout < settings.sessionTimeoutMin || request.sessionTimeout > settings.sessionTimeoutMax {
            throw ConsumerGroupRefusal(.invalidSessionTimeout, "the session timeout is out of bounds")
        }
        let bytes = request.protocols.reduce(0) { $0 + $1.metadata.readableBytes + $1.name.utf8.count }
        if bytes > settings.metadataBytesMax.bytes {
            throw ConsumerGroupRefusal(.invalidRequest, "a subscription of \(bytes) bytes")
        }
        guard request.protocolType == GroupMachine.consumerProtocolType, let first = request.protocols.first,
            let subscription = try? ConsumerSubscription.decode(first.metadata)
        else { throw ConsumerGroupRefusal(.inconsistentGroupProtocol, "the group is one of consumers") }
        let others = members.values.filter { member in
            member.id != request.memberID && (member.instanceID == nil || member.instanceID != request.instanceID)
        }
        let common = others.compactMap(\.classic).reduce(Set(request.protocols.map(\.name))) { common, other in
            common.intersection(other.protocols.map(\.name))
        }
        if common.isEmpty { throw ConsumerGroupRefusal(.inconsistentGroupProtocol, "no assignor is common to all") }
        return subscription
    }

    private func classicEntry(of request: JoinRequest) throws(ConsumerGroupRefusal) -> Entry {
        let holder = request.instanceID.flatMap { memberIDOfInstance[$0] }.flatMap { members[$0] }
        if let holder {
            if holder.id == request.memberID { return Entry(member: holder) }
            guard request.memberID.isEmpty else {
                throw ConsumerGroupRefusal(.fencedInstanceId, "the instance is another member now")
            }
            guard holder.classic != nil || holder.epoch == ConsumerGroupMember.staticLeaveEpoch else {
                throw ConsumerGroupRefusal(.unreleasedInstanceId, "the instance is still member \(holder.id)")
            }
            // It began anew and owns nothing, whatever its former self was doing.
            var member = holder
            member.id = request.newMemberID
            member.epoch = ConsumerGroupMember.joinEpoch
            member.previousEpoch = -1
            member.state = .stable
            return Entry(member: member, replaced: holder.id, records: Self.tombstones(of: holder.id, in: id))
        }
        if let member = members[request.memberID] {
            guard member.instanceID == request.instanceID else {
                throw ConsumerGroupRefusal(.unknownMemberId, "the member is no such instance")
            }
            return Entry(member: member)
        }
        guard members.count < settings.membersMax else {
            throw ConsumerGroupRefusal(.groupMaxSizeReached, "a group has at most \(settings.membersMax) members")
        }
        return Entry(
            member: ConsumerGroupMember(
                id: request.memberID.isEmpty ? request.newMemberID : request.memberID, instanceID: request.instanceID,
                clientID: request.clientID, clientHost: request.clientHost))
    }

    private func classicRefusal(_ memberID: String, _ instanceID: String?, generation: Int32) -> ErrorCode {
        if isDead { return .coordinatorNotAvailable }
        if let instanceID {
            guard let current = memberIDOfInstance[instanceID] else { return .unknownMemberId }
            if current != memberID { return .fencedInstanceId }
        }
        guard let member = members[memberID], member.classic != nil else { return .unknownMemberId }
        return member.epoch == generation ? .none : .illegalGeneration
    }

    private mutating func extendClassicSession(of memberID: String, now: Instant) {
        guard let timeout = members[memberID]?.classic?.sessionTimeout else { return }
        members[memberID]?.sessionDeadline = now + timeout
    }

    /// Whether partitions that it waits for are free now.
    private func mayGetMore(_ member: ConsumerGroupMember) -> Bool {
        guard member.state == .unreleasedPartitions else { return false }
        let missing = (targets[member.id] ?? MemberAssignment()).subtracting(member.assigned)
        return !missing.filter { holder(of: $0, $1) == nil }.isEmpty
    }
}
