import Base
import KafkaConnection
import KafkaWire

/// The requests of one member to its coordinator, with the answers in the machine's terms.
struct GroupCoordinatorCalls: Sendable {
    static let protocolType = "consumer"

    /// The last versions without compact lengths. Later ones bring nothing that is needed here, and these are what nearly every other client sends, so every
    /// broker has seen them; librdkafka's mock cluster can't read the later ones.
    private static let joinVersionMax: Int16 = 5
    private static let syncVersionMax: Int16 = 3
    private static let heartbeatVersionMax: Int16 = 3
    private static let leaveVersionMax: Int16 = 2

    let cluster: KafkaCluster
    let settings: GroupConsumerSettings
    let lane: Lane

    private var coordinator: Destination { .coordinator(group: settings.group) }

    /// How a call ended that the coordinator refused or that did not reach it (nil).
    struct Refusal: Error {
        var error: ErrorCode?
        var memberID = ""
    }

    func findCoordinator() async throws(Refusal) {
        do {
            _ = try await cluster.connection(to: coordinator, lane: lane)
        } catch {
            throw Refusal(error: error.kafkaError)
        }
    }

    private func send<Request: WireRequest>(
        _ request: Request, versionMax: Int16? = nil, timeout: Duration? = nil
    ) async throws(Refusal) -> Request.Response {
        do {
            return try await cluster.send(
                request, to: coordinator, lane: lane, versionMax: versionMax, timeout: timeout)
        } catch {
            throw Refusal(error: error.code == .unsupportedVersion ? .unsupportedVersion : nil)
        }
    }

    private func check(_ error: ErrorCode, memberID: String = "") throws(Refusal) {
        guard error.isError else { return }
        if error == .notCoordinator || error == .coordinatorNotAvailable {
            cluster.doubtCoordinator(of: settings.group)
        }
        throw Refusal(error: error, memberID: memberID)
    }

    func join(memberID: String) async throws(Refusal) -> ConsumerGroupMachine.JoinAnswer {
        var subscription = ConsumerSubscription()
        subscription.topics = settings.topics
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = RangeAssignor.name
        do { offered.metadata = try subscription.encode(version: 1) } catch { throw Refusal(error: .invalidRequest) }
        var request = JoinGroupRequest()
        request.groupId = settings.group
        request.memberId = memberID
        request.groupInstanceId = settings.instanceID
        request.sessionTimeoutMs = Int32(clamping: settings.sessionTimeout.milliseconds)
        request.rebalanceTimeoutMs = Int32(clamping: settings.rebalanceTimeout.milliseconds)
        request.protocolType = Self.protocolType
        request.protocols = [offered]
        // The coordinator holds the answer back until all members have joined, or the rebalance timeout.
        let response = try await send(
            request, versionMax: Self.joinVersionMax, timeout: settings.rebalanceTimeout + .seconds(10))
        try check(response.errorCode, memberID: response.memberId)
        var members: [RangeAssignor.Member] = []
        if response.leader == response.memberId && !response.skipAssignment {
            for member in response.members {
                guard let subscription = try? ConsumerSubscription.decode(member.metadata) else {
                    throw Refusal(error: .inconsistentGroupProtocol)
                }
                members.append(
                    RangeAssignor.Member(
                        memberID: member.memberId, instanceID: member.groupInstanceId, topics: subscription.topics))
            }
        }
        return ConsumerGroupMachine.JoinAnswer(
            generation: response.generationId, memberID: response.memberId,
            leaderID: response.skipAssignment ? "" : response.leader, protocolName: response.protocolName,
            members: members)
    }

    func countPartitions(_ topics: [String]) async -> [String: Int]? {
        // A topic that is not there yet has none; the next look may find it.
        guard let view = try? await cluster.refresh(topics) else { return nil }
        var counts: [String: Int] = [:]
        for topic in topics {
            if let info = view.topics[topic] {
                counts[topic] = info.partitions.count
            } else if view.topicErrors[topic]?.isRetriable ?? true, view.topicErrors[topic] != .unknownTopicOrPartition
            {
                return nil
            } else {
                counts[topic] = 0
            }
        }
        return counts
    }

    func sync(
        _ generation: GroupGeneration, plan: [String: [TopicPartition]]
    ) async throws(Refusal) -> [TopicPartition] {
        var request = SyncGroupRequest()
        request.groupId = settings.group
        request.generationId = generation.id
        request.memberId = generation.memberID
        request.groupInstanceId = settings.instanceID
        for (member, partitions) in plan.sorted(by: { $0.key < $1.key }) {
            var assignment = SyncGroupRequest.SyncGroupRequestAssignment()
            assignment.memberId = member
            do { assignment.assignment = try ConsumerAssignment(partitions).encode(version: 1) } catch {
                throw Refusal(error: .invalidRequest)
            }
            request.assignments.append(assignment)
        }
        let response = try await send(
            request, versionMax: Self.syncVersionMax, timeout: settings.rebalanceTimeout + .seconds(10))
        try check(response.errorCode)
        // A member without partitions may get no bytes at all.
        guard response.assignment.readableBytes > 0 else { return [] }
        guard let assignment = try? ConsumerAssignment.decode(response.assignment) else {
            throw Refusal(error: .inconsistentGroupProtocol)
        }
        return assignment.topicPartitions
    }

    /// `.none` for a good answer, nil where there was none.
    func heartbeat(_ generation: GroupGeneration) async -> ErrorCode? {
        var request = HeartbeatRequest()
        request.groupId = settings.group
        request.generationId = generation.id
        request.memberId = generation.memberID
        request.groupInstanceId = settings.instanceID
        do throws(Refusal) {
            let response = try await send(
                request, versionMax: Self.heartbeatVersionMax, timeout: settings.sessionTimeout)
            try check(response.errorCode)
            return ErrorCode.none
        } catch { return error.error }
    }

    /// A static member stays: it comes back within its session timeout (KIP-345).
    func leave(memberID: String) async {
        guard settings.instanceID == nil else { return }
        var request = LeaveGroupRequest()
        request.groupId = settings.group
        request.memberId = memberID
        do {
            // Not on the lane, where a join may be held back.
            _ = try await cluster.send(
                request, to: coordinator, versionMax: Self.leaveVersionMax, timeout: .seconds(5))
        } catch {
            // The coordinator finds out by the session timeout.
        }
    }

    /// One try of a commit; the first error of any partition.
    func commit(
        _ offsets: [TopicPartition: CommittedOffset], generation: GroupGeneration
    ) async throws(Refusal) {
        var request = OffsetCommitRequest()
        request.groupId = settings.group
        request.generationIdOrMemberEpoch = generation.id
        request.memberId = generation.memberID
        request.groupInstanceId = settings.instanceID
        for (name, entries) in Dictionary(grouping: offsets, by: \.key.topic).sorted(by: { $0.key < $1.key }) {
            var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
            topic.name = name
            topic.partitions = entries.sorted { $0.key < $1.key }.map { entry in
                var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
                partition.partitionIndex = entry.key.partition
                partition.committedOffset = entry.value.offset.rawValue
                partition.committedLeaderEpoch = entry.value.leaderEpoch.rawValue
                partition.committedMetadata = entry.value.metadata ?? ""
                return partition
            }
            request.topics.append(topic)
        }
        let response = try await send(request)
        for topic in response.topics {
            for partition in topic.partitions { try check(partition.errorCode) }
        }
    }
}

extension ConsumerAssignment {
    init(_ partitions: [Base.TopicPartition]) {
        self.init()
        for (name, entries) in Dictionary(grouping: partitions, by: \.topic).sorted(by: { $0.key < $1.key }) {
            var topic = TopicPartition()
            topic.topic = name
            topic.partitions = entries.map(\.partition).sorted()
            assignedPartitions.append(topic)
        }
    }
}
