import Base
import KafkaWire

/// One consumer group of the new protocol (KIP-848): events in, an answer and records out. No I/O, no clock, no randomness.
///
/// Three epochs lead one another: the *group's* rises when members, subscriptions or topics change; the *target's* says for which of them the assignment
/// was computed; each *member's* says how far it has come. A member first gives up what it is to lose, says so, and only then rises to the target's
/// epoch; others get a partition once nobody holds it.
///
/// Invariants: no partition is held by two members; a partition that a member was told to give up is held until the member says that it did, or is
/// dropped; a refused heartbeat changes nothing; every change is told as records, whose replay gives the same group.
public struct ConsumerGroupMachine: Sendable {
    public let id: String
    public let settings: GroupSettings
    /// Rises with each change of what the group is made of.
    public internal(set) var epoch: Int32 = 0
    /// The group's epoch for which the assignment was computed.
    public internal(set) var targetEpoch: Int32 = 0
    public internal(set) var members: [String: ConsumerGroupMember] = [:]
    /// What each member is meant to own.
    public internal(set) var targets: [String: MemberAssignment] = [:]
    /// Deleted; every request is refused.
    public internal(set) var isDead = false

    /// Of the subscribed topics, as the group's epoch has them.
    var metadataHash: Int64 = 0
    /// Up to which image of the topics the group has looked for changes; 0 before the first.
    var seenImage: UInt64 = 0
    /// The topics that each pattern of a member finds.
    var matches: [String: Set<String>] = [:]
    var memberIDOfInstance: [String: String] = [:]
    /// Who holds a partition: the members' `held`, turned round.
    var holders: [TopicID: [Int32: String]] = [:]

    public init(id: String, settings: GroupSettings) {
        self.id = id
        self.settings = settings
    }

    /// The name that ConsumerGroupDescribe and ListGroups answer with.
    public var stateName: String {
        if isDead { return "Dead" }
        if members.isEmpty { return "Empty" }
        if epoch > targetEpoch { return "Assigning" }
        let isSettled = members.values.allSatisfy { $0.epoch == targetEpoch && $0.state == .stable }
        return isSettled ? "Stable" : "Reconciling"
    }

    // MARK: Heartbeat

    /// Joins, keeps alive, acknowledges, or leaves, as the heartbeat's epoch says.
    ///
    /// - Parameter topics: as they are now; the group looks for changes only where their version differs from the last.
    public mutating func heartbeatReceived(
        _ request: ConsumerHeartbeat, topics: TopicImage, now: Instant
    ) throws(ConsumerGroupRefusal) -> ConsumerHeartbeatDecision {
        if isDead { throw ConsumerGroupRefusal(.coordinatorNotAvailable, "the group is being deleted") }
        try validate(request)
        if request.epoch < ConsumerGroupMember.joinEpoch { return try leave(request, now: now) }
        let entry = try entry(of: request)
        let member = entry.member.updated(by: request)
        // What a member says that has not heard of its epoch yet may be older than what it was told to give up.
        let owned = request.epoch == entry.member.epoch ? request.owned : nil
        let records = entry.records + enter(member, entry, owned: owned, topics: topics, now: now)
        let after = members[member.id] ?? member
        let isNews =
            request.isFull || after.assigned != entry.member.assigned || after.epoch != request.epoch
        return ConsumerHeartbeatDecision(
            answer: ConsumerHeartbeatAnswer(
                memberID: after.id, epoch: after.epoch, assignment: isNews ? after.assigned : nil), records: records)
    }

    /// Takes in what the member now says of itself, looks for changes of topics, and brings it as far towards its target as can be.
    mutating func enter(
        _ member: ConsumerGroupMember, _ entry: Entry, owned: MemberAssignment?, topics: TopicImage, now: Instant
    ) -> [GroupRecord] {
        var records: [GroupRecord] = []
        let isNew = entry.replaced == nil && members[member.id] == nil
        let isElsewhere = isNew || entry.replaced != nil
        if let former = entry.replaced { replace(former, by: member.id) }
        if isElsewhere || member != entry.member {
            records.append(.consumerMember(group: id, member: member.id, member.metadataValue))
        }
        if entry.replaced != nil, let target = targets[member.id] {
            records.append(.consumerTarget(group: id, member: member.id, target.targetValue))
        }
        members[member.id] = member
        if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = member.id }
        records += subscriptionsChanged(
            isCertain: isNew || member.subscribes(unlike: entry.member), topics: topics)
        if epoch > targetEpoch { records += assign(topics) }
        records += reconcile(member.id, owned: owned, mustWrite: isElsewhere, now: now)
        members[member.id]?.sessionDeadline = now + (member.classic?.sessionTimeout ?? settings.consumerSessionTimeout)
        return records
    }

    private func validate(_ request: ConsumerHeartbeat) throws(ConsumerGroupRefusal) {
        func invalid(_ message: String) -> ConsumerGroupRefusal { ConsumerGroupRefusal(.invalidRequest, message) }
        if request.epoch < ConsumerGroupMember.staticLeaveEpoch {
            throw invalid("there is no member epoch \(request.epoch)")
        }
        if request.memberID.isEmpty, request.epoch != ConsumerGroupMember.joinEpoch || request.newMemberID.isEmpty {
            throw invalid("a member has an id")
        }
        if request.instanceID?.isEmpty ?? false { throw invalid("an instance id is not empty") }
        if request.epoch == ConsumerGroupMember.staticLeaveEpoch, request.instanceID == nil {
            throw invalid("only a static member leaves for a while: say the instance id")
        }
        if request.epoch == ConsumerGroupMember.joinEpoch {
            if request.rebalanceTimeout == nil { throw invalid("a member that joins says its rebalance timeout") }
            if request.owned?.isEmpty != true {
                throw invalid("a member that joins says that it owns no partitions")
            }
            if request.topicNames == nil, request.topicPattern == nil {
                throw invalid("a member that joins says what it subscribes to")
            }
        }
        if let timeout = request.rebalanceTimeout, timeout <= .zero {
            throw invalid("a rebalance timeout is longer than nothing")
        }
        let bytes =
            (request.topicNames ?? []).reduce(0) { $0 + $1.utf8.count } + (request.rackID?.utf8.count ?? 0)
        if bytes > settings.metadataBytesMax.bytes {
            throw invalid("a subscription of \(bytes) bytes; at most \(settings.metadataBytesMax.bytes) are taken")
        }
        if let assignor = request.assignor, ConsumerAssignor(rawValue: assignor) == nil {
            let known = ConsumerAssignor.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConsumerGroupRefusal(.unsupportedAssignor, "there is no assignor '\(assignor)', only \(known)")
        }
        if let pattern = request.topicPattern, !pattern.isEmpty, matches[pattern] == nil {
            do throws(TopicPattern.Fault) { _ = try TopicPattern(pattern) } catch {
                throw ConsumerGroupRefusal(.invalidRegularExpression, "'\(pattern)': \(error.message)")
            }
        }
    }

    // MARK: Time

    /// Drops members whose session is over, and those that did not give up partitions in time. Call it a few times a second.
    public mutating func tick(now: Instant) -> [GroupRecord] {
        if isDead { return [] }
        let late = members.values.filter { member in
            member.sessionDeadline <= now || member.revocationDeadline.map { $0 <= now } ?? false
                || member.classic?.deadline.map { $0 <= now } ?? false
        }
        if late.isEmpty { return [] }
        return late.sorted { $0.id < $1.id }.flatMap { remove($0.id) } + groupEpochRose()
    }

    // MARK: Commits

    /// Whether offsets may be committed or read by this member. −1 without a member is "simple": to commit so the group has to be empty.
    public func offsetsRequested(memberID: String, epoch: Int32, writes: Bool) -> ErrorCode {
        if isDead { return .coordinatorNotAvailable }
        if epoch < 0, writes ? members.isEmpty : memberID.isEmpty { return .none }
        guard let member = members[memberID] else { return .unknownMemberId }
        if member.epoch == epoch { return .none }
        return member.classic == nil ? .staleMemberEpoch : .illegalGeneration
    }

    // MARK: Administration

    /// The topics that members read, by name: their offsets are kept.
    public var subscribedTopics: Set<String> {
        members.values.reduce(into: []) { $0.formUnion(subscription(of: $1)) }
    }

    /// Deletes an empty group: the records that say so, or `.nonEmptyGroup`.
    public mutating func deletionRequested() -> Result<[GroupRecord], ConsumerGroupRefusal> {
        if isDead { return .failure(ConsumerGroupRefusal(.groupIdNotFound, "the group is being deleted")) }
        guard members.isEmpty else {
            return .failure(ConsumerGroupRefusal(.nonEmptyGroup, "the group has \(members.count) members"))
        }
        isDead = true
        return .success(tombstones)
    }

    /// Which of the partitions' offsets may not be deleted, and why: those that members read.
    public func offsetDeletionRequested(_ partitions: [TopicPartition]) -> [TopicPartition: ErrorCode] {
        let read = subscribedTopics
        return partitions.reduce(into: [:]) { refused, partition in
            if read.contains(partition.topic) { refused[partition] = .groupSubscribedToTopic }
        }
    }
}
