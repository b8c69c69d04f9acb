import Base
import KafkaWire

// The group as records of `__consumer_offsets` hold it, in Kafka's own layouts.

extension MemberAssignment {
    var targetValue: ConsumerGroupTargetAssignmentMemberValue {
        var value = ConsumerGroupTargetAssignmentMemberValue()
        value.topicPartitions = sorted.map { .init(topicId: $0.topic, partitions: $0.partitions) }
        return value
    }

    fileprivate var currentTopics: [ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions] {
        sorted.map { .init(topicId: $0.topic, partitions: $0.partitions) }
    }

    fileprivate init(_ topics: [ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions]) {
        self.init(topics.map { (topic: $0.topicId, partitions: $0.partitions) })
    }
}

extension ConsumerGroupMember {
    var metadataValue: ConsumerGroupMemberMetadataValue {
        var value = ConsumerGroupMemberMetadataValue()
        value.instanceId = instanceID
        value.rackId = rackID
        value.clientId = clientID
        value.clientHost = clientHost
        value.subscribedTopicNames = topicNames.sorted()
        value.subscribedTopicRegex = topicPattern
        value.rebalanceTimeoutMs = Int32(clamping: rebalanceTimeout.milliseconds)
        value.serverAssignor = assignor
        value.classicMemberMetadata = classic.map { classic in
            var metadata = ConsumerGroupMemberMetadataValue.ClassicMemberMetadata()
            metadata.sessionTimeoutMs = Int32(clamping: classic.sessionTimeout.milliseconds)
            metadata.supportedProtocols = classic.protocols.map { .init(name: $0.name, metadata: $0.metadata) }
            return metadata
        }
        return value
    }

    var currentValue: ConsumerGroupCurrentMemberAssignmentValue {
        var value = ConsumerGroupCurrentMemberAssignmentValue()
        value.memberEpoch = epoch
        value.previousMemberEpoch = previousEpoch
        value.state = state.rawValue
        value.assignedPartitions = assigned.currentTopics
        value.partitionsPendingRevocation = revoking.currentTopics
        return value
    }

    fileprivate mutating func take(_ value: ConsumerGroupMemberMetadataValue) {
        instanceID = value.instanceId
        rackID = value.rackId
        clientID = value.clientId
        clientHost = value.clientHost
        topicNames = Set(value.subscribedTopicNames)
        topicPattern = value.subscribedTopicRegex
        rebalanceTimeout = .milliseconds(Int64(value.rebalanceTimeoutMs))
        assignor = value.serverAssignor
        classic = value.classicMemberMetadata.map { metadata in
            ClassicMembership(
                sessionTimeout: .milliseconds(Int64(metadata.sessionTimeoutMs)),
                protocols: metadata.supportedProtocols.map { .init(name: $0.name, metadata: $0.metadata) })
        }
    }

    fileprivate mutating func take(_ value: ConsumerGroupCurrentMemberAssignmentValue) {
        epoch = value.memberEpoch
        previousEpoch = value.previousMemberEpoch
        assigned = MemberAssignment(value.assignedPartitions)
        revoking = MemberAssignment(value.partitionsPendingRevocation)
        // A state that is not known is taken for the one that asks least: the next heartbeat looks again.
        state = State(rawValue: value.state) ?? .unreleasedPartitions
    }
}

extension ConsumerGroupMachine {
    var groupValue: ConsumerGroupMetadataValue { ConsumerGroupMetadataValue(epoch: epoch, metadataHash: metadataHash) }

    var targetEpochValue: ConsumerGroupTargetAssignmentMetadataValue {
        ConsumerGroupTargetAssignmentMetadataValue(assignmentEpoch: targetEpoch)
    }

    static func tombstones(of memberID: String, in group: String) -> [GroupRecord] {
        [
            .consumerCurrent(group: group, member: memberID, nil), .consumerTarget(group: group, member: memberID, nil),
            .consumerMember(group: group, member: memberID, nil),
        ]
    }

    /// What ends the group in the log.
    public var tombstones: [GroupRecord] {
        let ofMembers = members.keys.sorted().flatMap { Self.tombstones(of: $0, in: id) }
        let ofPatterns = matches.keys.sorted().map { GroupRecord.consumerPattern(group: id, pattern: $0, nil) }
        return ofMembers + ofPatterns + [.consumerTargetEpoch(id, nil), .consumerGroup(id, nil)]
    }

    /// The group as it stood when its last record was written. Members have a whole session, and as long as their rebalance timeout to give up what they
    /// were told to, to show that they live.
    mutating func restored(now: Instant) {
        holders = [:]
        memberIDOfInstance = [:]
        for id in members.keys.sorted() {
            guard var member = members[id] else { continue }
            renew(&member, now: now)
            members[id] = member
            if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = id }
            claim(member.held, for: id)
        }
        targets = targets.filter { members[$0.key] != nil }
    }

    private func renew(_ member: inout ConsumerGroupMember, now: Instant) {
        member.sessionDeadline = now + (member.classic?.sessionTimeout ?? settings.consumerSessionTimeout)
        member.classic?.deadline = nil
        member.revocationDeadline = member.state == .unrevokedPartitions ? now + member.rebalanceTimeout : nil
    }

    /// The group as it stood before a change that could not be written.
    public mutating func takenBack(now: Instant) {
        for (id, var member) in members {
            renew(&member, now: now)
            members[id] = member
        }
    }
}

/// Builds a group from its records, in the order of the log.
public struct ConsumerGroupReplay: Sendable {
    private var group: ConsumerGroupMachine
    /// Members of which more is known than an assignment.
    private var known: Set<String> = []
    private var exists = false

    public init(id: String, settings: GroupSettings) { group = ConsumerGroupMachine(id: id, settings: settings) }

    public mutating func apply(_ record: GroupRecord) {
        switch record {
        case .consumerGroup(_, let value):
            exists = value != nil
            group.epoch = value?.epoch ?? 0
            group.metadataHash = value?.metadataHash ?? 0
        case .consumerTargetEpoch(_, let value): group.targetEpoch = value?.assignmentEpoch ?? 0
        case .consumerMember(_, let id, let value?):
            known.insert(id)
            change(id) { $0.take(value) }
        case .consumerMember(_, let id, nil):
            known.remove(id)
            group.members[id] = nil
        case .consumerTarget(_, let id, let value):
            group.targets[id] = value.map {
                MemberAssignment($0.topicPartitions.map { (topic: $0.topicId, partitions: $0.partitions) })
            }
        case .consumerCurrent(_, let id, let value?): change(id) { $0.take(value) }
        case .consumerCurrent(_, let id, nil): change(id) { $0.forgetAssignment() }
        case .consumerPattern(_, let pattern, let value): group.matches[pattern] = value.map { Set($0.topics) }
        case .offset, .group, .other: break
        }
    }

    private mutating func change(_ id: String, _ body: (inout ConsumerGroupMember) -> Void) {
        var member =
            group.members[id] ?? ConsumerGroupMember(id: id, instanceID: nil, clientID: "", clientHost: "")
        body(&member)
        group.members[id] = member
    }

    /// The group; nil where it was deleted.
    public func finished(now: Instant) -> ConsumerGroupMachine? {
        guard exists else { return nil }
        var group = group
        group.members = group.members.filter { known.contains($0.key) }
        group.restored(now: now)
        return group
    }
}

extension ConsumerGroupMember {
    fileprivate mutating func forgetAssignment() {
        epoch = Self.joinEpoch
        previousEpoch = -1
        state = .stable
        assigned = MemberAssignment()
        revoking = MemberAssignment()
    }
}
