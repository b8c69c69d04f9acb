import Base
import KafkaConnection
import KafkaWire

public struct GroupListing: Sendable, Equatable {
    public var group: String
    /// `consumer` for consumer groups.
    public var protocolType: String
    /// `Stable`, `Empty`…; empty where the broker does not say (before Kafka 2.6).
    public var state: String
    public var coordinator: BrokerID
}

public struct GroupMember: Sendable, Equatable {
    public var memberID: String
    public var instanceID: String?
    public var clientID: String
    public var host: String
    public var assigned: [TopicPartition]
}

public struct GroupDescription: Sendable, Equatable {
    public var group: String
    public var state: String
    public var protocolType: String
    /// The assignor that the group agreed on.
    public var assignor: String
    public var members: [GroupMember]
}

/// A group's offset in a partition: the next record that it has not handled.
public struct CommittedOffset: Sendable, Equatable {
    public var offset: Offset
    /// The epoch of the last record handled; `.none` where unknown.
    public var leaderEpoch: LeaderEpoch
    public var metadata: String?

    public init(_ offset: Offset, leaderEpoch: LeaderEpoch = .none, metadata: String? = nil) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
    }
}

extension Admin {
    /// The groups of all brokers, in the order of their names.
    public func listGroups() async throws(ClientError) -> [GroupListing] {
        let view = try await describeCluster()
        var listings: [GroupListing] = []
        for broker in view.brokers.keys.sorted() {
            let response = try await cluster.send(ListGroupsRequest(), to: .broker(broker))
            if let error = ClientError(response.errorCode, "groups of broker \(broker)") { throw error }
            for group in response.groups {
                listings.append(
                    GroupListing(
                        group: group.groupId, protocolType: group.protocolType, state: group.groupState,
                        coordinator: broker))
            }
        }
        return listings.sorted { $0.group < $1.group }
    }

    /// One group; its state is `Dead` where there is none.
    public func describeGroup(_ name: String) async throws(ClientError) -> GroupDescription {
        try await cluster.retrying { () async throws(ClientError) in
            var request = DescribeGroupsRequest()
            request.groups = [name]
            let response = try await cluster.send(request, to: .coordinator(group: name))
            guard let group = response.groups.first else {
                throw ClientError(.protocolViolation, "DescribeGroups of \(name) was answered with nothing")
            }
            // So a broker answers too for a group of the consumer protocol, which another request tells of.
            if group.errorCode == .groupIdNotFound || group.groupState == "Dead" {
                return try await describeConsumerGroup(name)
                    ?? GroupDescription(group: name, state: "Dead", protocolType: "", assignor: "", members: [])
            }
            if let error = ClientError(group.errorCode, "describing group \(name)", detail: group.errorMessage) {
                cluster.doubtCoordinator(of: name)
                throw error
            }
            let members = group.members.map { member in
                let assignment = try? ConsumerAssignment.decode(member.memberAssignment)
                return GroupMember(
                    memberID: member.memberId, instanceID: member.groupInstanceId, clientID: member.clientId,
                    host: member.clientHost, assigned: (assignment?.topicPartitions ?? []).sorted())
            }
            return GroupDescription(
                group: group.groupId, state: group.groupState, protocolType: group.protocolType,
                assignor: group.protocolData, members: members)
        }
    }

    /// A group of the consumer protocol (KIP-848); nil where there is none of that name, or the broker knows no such groups.
    private func describeConsumerGroup(_ name: String) async throws(ClientError) -> GroupDescription? {
        let connection = try await cluster.connection(to: .coordinator(group: name))
        guard (try? connection.versions.version(of: ConsumerGroupDescribeRequest.self)) != nil else { return nil }
        let response = try await cluster.send(
            ConsumerGroupDescribeRequest(groupIds: [name]), to: .coordinator(group: name))
        guard let group = response.groups.first, group.errorCode != .groupIdNotFound else { return nil }
        if let error = ClientError(group.errorCode, "describing group \(name)", detail: group.errorMessage) {
            cluster.doubtCoordinator(of: name)
            throw error
        }
        let members = group.members.map { member in
            let assigned = member.assignment.topicPartitions.flatMap { topic in
                topic.partitions.map { TopicPartition(topic: topic.topicName, partition: $0) }
            }
            return GroupMember(
                memberID: member.memberId, instanceID: member.instanceId, clientID: member.clientId,
                host: member.clientHost, assigned: assigned.sorted())
        }
        return GroupDescription(
            group: name, state: group.groupState, protocolType: "consumer", assignor: group.assignorName,
            members: members)
    }

    /// What a group has committed: for these partitions, or for all that it has. Partitions without a committed offset are left out.
    ///
    /// - Parameter requireStable: waits for transactions that commit offsets to end (KIP-447).
    public func committedOffsets(
        group name: String, partitions: [TopicPartition]? = nil, requireStable: Bool = false
    ) async throws(ClientError) -> [TopicPartition: CommittedOffset] {
        try await cluster.retrying { () async throws(ClientError) in
            try await fetchOffsets(group: name, partitions: partitions, requireStable: requireStable)
        }
    }

    /// One try.
    func fetchOffsets(
        group name: String, partitions: [TopicPartition]?, requireStable: Bool
    ) async throws(ClientError) -> [TopicPartition: CommittedOffset] {
        let connection = try await cluster.connection(to: .coordinator(group: name))
        let version = try connection.versions.version(of: OffsetFetchRequest.self)
        let request = OffsetFetchRequest(
            group: name, partitions: partitions, requireStable: requireStable && version >= 7, version: version)
        let response: OffsetFetchResponse
        do {
            response = try await connection.send(request, version: version)
        } catch {
            cluster.doubtCoordinator(of: name)
            throw error
        }
        var offsets: [TopicPartition: CommittedOffset] = [:]
        for answer in response.flattened(group: name) {
            let what = "committed offset of group \(name) in \(answer.partition.map(\.description) ?? "all partitions")"
            if let error = ClientError(answer.error, what) {
                if answer.error == .notCoordinator || answer.error == .coordinatorNotAvailable {
                    cluster.doubtCoordinator(of: name)
                }
                throw error
            }
            if let partition = answer.partition, answer.offset.offset >= .zero { offsets[partition] = answer.offset }
        }
        return offsets
    }
}

extension ConsumerAssignment {
    /// All partitions of the assignment.
    var topicPartitions: [Base.TopicPartition] {
        assignedPartitions.flatMap { topic in
            topic.partitions.map { Base.TopicPartition(topic: topic.topic, partition: $0) }
        }
    }
}

extension OffsetFetchRequest {
    /// v8 and later ask for a list of groups, earlier versions for one. Nil partitions are all that the group has.
    init(group: String, partitions: [TopicPartition]?, requireStable: Bool, version: Int16) {
        self.init()
        self.requireStable = requireStable
        let byTopic = partitions.map { Dictionary(grouping: $0, by: \.topic).sorted { $0.key < $1.key } }
        if version >= 8 {
            var wire = OffsetFetchRequestGroup()
            wire.groupId = group
            wire.topics = byTopic?.map { name, partitions in
                var topic = OffsetFetchRequestTopics()
                topic.name = name
                topic.partitionIndexes = partitions.map(\.partition)
                return topic
            }
            groups = [wire]
        } else {
            groupId = group
            topics = byTopic?.map { name, partitions in
                var topic = OffsetFetchRequestTopic()
                topic.name = name
                topic.partitionIndexes = partitions.map(\.partition)
                return topic
            }
        }
    }
}

extension OffsetFetchResponse {
    struct Answer {
        /// Nil for an error of the whole request.
        var partition: TopicPartition?
        var error: ErrorCode
        var offset: CommittedOffset
    }

    /// The answers of either shape in one list.
    func flattened(group: String) -> [Answer] {
        var answers: [Answer] = []
        if errorCode != .none {
            answers.append(Answer(partition: nil, error: errorCode, offset: CommittedOffset(.none)))
        }
        for topic in topics {
            for entry in topic.partitions {
                let offset = CommittedOffset(
                    Offset(entry.committedOffset), leaderEpoch: LeaderEpoch(entry.committedLeaderEpoch),
                    metadata: entry.metadata)
                let partition = TopicPartition(topic: topic.name, partition: entry.partitionIndex)
                answers.append(Answer(partition: partition, error: entry.errorCode, offset: offset))
            }
        }
        for wire in groups where wire.groupId == group {
            if wire.errorCode != .none {
                answers.append(Answer(partition: nil, error: wire.errorCode, offset: CommittedOffset(.none)))
            }
            for topic in wire.topics {
                for entry in topic.partitions {
                    let offset = CommittedOffset(
                        Offset(entry.committedOffset), leaderEpoch: LeaderEpoch(entry.committedLeaderEpoch),
                        metadata: entry.metadata)
                    let partition = TopicPartition(topic: topic.name, partition: entry.partitionIndex)
                    answers.append(Answer(partition: partition, error: entry.errorCode, offset: offset))
                }
            }
        }
        return answers
    }
}
