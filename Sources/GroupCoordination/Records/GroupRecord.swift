import Base
import KafkaWire
import NIOCore

/// A record of `__consumer_offsets` in Kafka's own layout, to be written or as it was read.
public enum GroupRecord: Sendable, Equatable {
    /// Nil is a tombstone: the offset was deleted or expired.
    case offset(group: String, partition: TopicPartition, CommittedOffset?)
    /// Nil is a tombstone: the group is gone.
    case group(String, GroupMetadataValue?)
    /// The six kinds of the consumer protocol (KIP-848); nil is a tombstone in each.
    case consumerGroup(String, ConsumerGroupMetadataValue?)
    case consumerMember(group: String, member: String, ConsumerGroupMemberMetadataValue?)
    case consumerTargetEpoch(String, ConsumerGroupTargetAssignmentMetadataValue?)
    case consumerTarget(group: String, member: String, ConsumerGroupTargetAssignmentMemberValue?)
    case consumerCurrent(group: String, member: String, ConsumerGroupCurrentMemberAssignmentValue?)
    case consumerPattern(group: String, pattern: String, ConsumerGroupRegularExpressionValue?)
    /// Written by another version of Kafka; kept in the log, not read here.
    case other

    /// Versions that every Kafka since 2.1 reads.
    private static let offsetVersion: Int16 = 3
    private static let groupVersion: Int16 = 3

    /// Key and value as the log holds them; `.other` is only ever read.
    public func encoded() throws(WireError) -> (key: ByteBuffer, value: ByteBuffer?) {
        switch self {
        case .offset(let group, let partition, let committed):
            var key = OffsetCommitKey()
            key.group = group
            key.topic = partition.topic
            key.partition = partition.partition
            guard let committed else { return (try key.encodeRecord(), nil) }
            var value = OffsetCommitValue()
            value.offset = committed.offset.rawValue
            value.leaderEpoch = committed.leaderEpoch.rawValue
            value.metadata = committed.metadata
            value.commitTimestamp = committed.committedAt.milliseconds
            return (try key.encodeRecord(), try value.encodeRecord(version: Self.offsetVersion))
        case .group(let group, let metadata):
            var key = GroupMetadataKey()
            key.group = group
            return (try key.encodeRecord(), try metadata?.encodeRecord(version: Self.groupVersion))
        case .consumerGroup(let group, let value):
            let key = ConsumerGroupMetadataKey(groupId: group)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .consumerMember(let group, let member, let value):
            let key = ConsumerGroupMemberMetadataKey(groupId: group, memberId: member)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .consumerTargetEpoch(let group, let value):
            let key = ConsumerGroupTargetAssignmentMetadataKey(groupId: group)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .consumerTarget(let group, let member, let value):
            let key = ConsumerGroupTargetAssignmentMemberKey(groupId: group, memberId: member)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .consumerCurrent(let group, let member, let value):
            let key = ConsumerGroupCurrentMemberAssignmentKey(groupId: group, memberId: member)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .consumerPattern(let group, let pattern, let value):
            let key = ConsumerGroupRegularExpressionKey(groupId: group, regularExpression: pattern)
            return (try key.encodeRecord(), try value?.encodeRecord(version: 0))
        case .other: preconditionFailure("records of other kinds are never written here")
        }
    }

    public static func decode(key: ByteBuffer, value: ByteBuffer?) throws(WireError) -> GroupRecord {
        switch try GroupRecordKey.decode(key) {
        case .offsetCommit(let key):
            let partition = TopicPartition(topic: key.topic, partition: key.partition)
            guard let value else { return .offset(group: key.group, partition: partition, nil) }
            let committed = try OffsetCommitValue.decodeRecord(value)
            return .offset(
                group: key.group, partition: partition,
                CommittedOffset(
                    offset: Offset(committed.offset), leaderEpoch: LeaderEpoch(committed.leaderEpoch),
                    metadata: committed.metadata, committedAt: Timestamp(milliseconds: committed.commitTimestamp)))
        case .groupMetadata(let key):
            guard let value else { return .group(key.group, nil) }
            return .group(key.group, try GroupMetadataValue.decodeRecord(value))
        case .consumerGroupMetadata(let key): return .consumerGroup(key.groupId, try read(value))
        case .consumerGroupMemberMetadata(let key):
            return .consumerMember(group: key.groupId, member: key.memberId, try read(value))
        case .consumerGroupTargetAssignmentMetadata(let key):
            return .consumerTargetEpoch(key.groupId, try read(value))
        case .consumerGroupTargetAssignmentMember(let key):
            return .consumerTarget(group: key.groupId, member: key.memberId, try read(value))
        case .consumerGroupCurrentMemberAssignment(let key):
            return .consumerCurrent(group: key.groupId, member: key.memberId, try read(value))
        case .consumerGroupRegularExpression(let key):
            return .consumerPattern(group: key.groupId, pattern: key.regularExpression, try read(value))
        // Kafka up to 4.0 wrote how many partitions a topic has; 4.1 keeps a hash in the group's record.
        case .consumerGroupPartitionMetadata, .unknown: return .other
        }
    }

    private static func read<Value: CoordinatorValue>(_ value: ByteBuffer?) throws(WireError) -> Value? {
        guard let value else { return nil }
        return try Value.decodeRecord(value)
    }

    /// Whose consumer group it is about; nil for records of other kinds.
    public var consumerGroupID: String? {
        switch self {
        case .consumerGroup(let group, _), .consumerTargetEpoch(let group, _), .consumerMember(let group, _, _),
            .consumerTarget(let group, _, _), .consumerCurrent(let group, _, _), .consumerPattern(let group, _, _):
            group
        case .offset, .group, .other: nil
        }
    }
}

extension GroupMachine {
    /// The group as its metadata record holds it.
    public func metadata(wallTime: Timestamp) -> GroupMetadataValue {
        var value = GroupMetadataValue()
        value.protocolType = protocolType ?? ""
        value.generation = generation
        value.protocol = protocolName
        value.leader = leader
        value.currentStateTimestamp = wallTime.milliseconds
        value.members = members.map { member in
            var entry = GroupMetadataValue.MemberMetadata()
            entry.memberId = member.id
            entry.groupInstanceId = member.instanceID
            entry.clientId = member.clientID
            entry.clientHost = member.clientHost
            entry.rebalanceTimeout = Int32(clamping: member.rebalanceTimeout.milliseconds)
            entry.sessionTimeout = Int32(clamping: member.sessionTimeout.milliseconds)
            entry.subscription = member.metadata(for: protocolName)
            entry.assignment = member.assignment
            return entry
        }
        return value
    }

    /// A group as it stood when the broker stopped: members have a whole session to show that they live.
    public init(id: String, restoring value: GroupMetadataValue, settings: GroupSettings, now: Instant) {
        self.init(id: id, settings: settings)
        generation = value.generation
        protocolType = value.protocolType.isEmpty ? nil : value.protocolType
        protocolName = value.protocol
        leader = value.leader
        emptySince = Timestamp(milliseconds: value.currentStateTimestamp)
        members = value.members.map { entry in
            let sessionTimeout = Duration.milliseconds(Int64(entry.sessionTimeout))
            var member = GroupMember(
                id: entry.memberId, instanceID: entry.groupInstanceId, clientID: entry.clientId,
                clientHost: entry.clientHost, rebalanceTimeout: .milliseconds(Int64(entry.rebalanceTimeout)),
                sessionTimeout: sessionTimeout,
                protocols: [GroupMember.Assignor(name: value.protocol ?? "", metadata: entry.subscription)],
                waitingJoin: nil, waitingSync: nil, sessionDeadline: now + sessionTimeout)
            member.assignment = entry.assignment
            return member
        }
        for member in members {
            if let instanceID = member.instanceID { memberIDOfInstance[instanceID] = member.id }
        }
        if !members.isEmpty {
            state = .stable
            emptySince = nil
        }
    }
}
