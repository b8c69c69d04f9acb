import Base
import KafkaWire
import NIOCore

/// A record of `__consumer_offsets` in Kafka's own layout, to be written or as it was read.
public enum GroupRecord: Sendable, Equatable {
    /// Nil is a tombstone: the offset was deleted or expired.
    case offset(group: String, partition: TopicPartition, CommittedOffset?)
    /// Nil is a tombstone: the group is gone.
    case group(String, GroupMetadataValue?)
    /// Written by another version of Kafka, or for the consumer protocol; kept in the log, not read here.
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
        default: return .other
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
