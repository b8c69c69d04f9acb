import Base
import KafkaConnection
import KafkaWire

/// The requests of one member to its coordinator, with the answers in the machine's terms.
struct GroupCoordinatorCalls: Sendable {
    static let protocolType = "consumer"

    /// What both sides have, with one exception: a version that is the same message in another encoding, where the broker has nothing later. librdkafka's
    /// mock cluster claims JoinGroup 6, SyncGroup 4 and LeaveGroup 4, the first flexible versions, yet reads all of them in the earlier layout, so that
    /// negotiation alone can't find a common one. Any Kafka has at least JoinGroup 7, SyncGroup 5, LeaveGroup 5 beside its flexible versions, or (2.4) loses
    /// nothing by the earlier ones.
    private static let misreadVersions: [ApiKey: (claimed: Int16, read: Int16)] = [
        .joinGroup: (6, 5), .syncGroup: (4, 3), .heartbeat: (4, 3), .leaveGroup: (4, 2),
    ]

    static func version<Request: WireRequest>(
        of _: Request.Type, _ versions: NegotiatedVersions
    ) throws(ClientError) -> Int16 {
        let common = try versions.version(of: Request.self)
        guard let misread = misreadVersions[Request.apiKey], common == misread.claimed,
            versions.served(Request.apiKey)?.contains(misread.read) == true
        else { return common }
        return misread.read
    }

    let cluster: KafkaCluster
    let settings: GroupConsumerSettings
    let lane: Lane

    private var coordinator: Destination { .coordinator(group: settings.group) }

    /// How a call ended that the coordinator refused or that did not reach it (nil).
    struct Refusal: Error {
        var error: ErrorCode?
        var memberID = ""
        /// What was asked, and how it failed; without what differs from try to try, and for a person to read.
        var form: String
        var text: String

        init(error: ErrorCode, memberID: String = "", to call: String) {
            self.error = error
            self.memberID = memberID
            form = "\(call) \(error)"
            text = "\(call): the coordinator answered \(error)"
        }

        init(_ error: ClientError, kafkaError: ErrorCode?, to call: String) {
            self.error = kafkaError
            form = "\(call) \(error.kafkaError?.description ?? error.code.description)"
            text = "\(call): \(error.message)"
        }
    }

    func findCoordinator() async throws(Refusal) {
        do {
            _ = try await cluster.connection(to: coordinator, lane: lane)
        } catch {
            throw Refusal(error, kafkaError: error.kafkaError, to: "FindCoordinator")
        }
    }

    private func send<Request: WireRequest>(
        _ request: Request, lane: Lane? = nil, timeout: Duration? = nil
    ) async throws(Refusal) -> Request.Response {
        do {
            let lane = lane ?? self.lane
            let versions = try await cluster.connection(to: coordinator, lane: lane).versions
            return try await cluster.send(
                request, to: coordinator, lane: lane, version: try Self.version(of: Request.self, versions),
                timeout: timeout)
        } catch {
            throw Refusal(
                error, kafkaError: error.code == .unsupportedVersion ? .unsupportedVersion : nil,
                to: "\(Request.apiKey)")
        }
    }

    private func check(_ error: ErrorCode, _ call: String, memberID: String = "") throws(Refusal) {
        guard error.isError else { return }
        if error == .notCoordinator || error == .coordinatorNotAvailable {
            cluster.doubtCoordinator(of: settings.group)
        }
        throw Refusal(error: error, memberID: memberID, to: call)
    }

    func join(memberID: String) async throws(Refusal) -> ConsumerGroupMachine.JoinAnswer {
        var subscription = ConsumerSubscription()
        subscription.topics = settings.topics
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = RangeAssignor.name
        do { offered.metadata = try subscription.encode(version: 1) } catch {
            throw Refusal(error: .invalidRequest, to: "JoinGroup")
        }
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
            request, timeout: settings.rebalanceTimeout + .seconds(10))
        try check(response.errorCode, "JoinGroup", memberID: response.memberId)
        var members: [RangeAssignor.Member] = []
        if response.leader == response.memberId && !response.skipAssignment {
            for member in response.members {
                guard let subscription = try? ConsumerSubscription.decode(member.metadata) else {
                    throw Refusal(error: .inconsistentGroupProtocol, to: "JoinGroup")
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
        request.protocolType = Self.protocolType
        request.protocolName = RangeAssignor.name
        for (member, partitions) in plan.sorted(by: { $0.key < $1.key }) {
            var assignment = SyncGroupRequest.SyncGroupRequestAssignment()
            assignment.memberId = member
            do { assignment.assignment = try ConsumerAssignment(partitions).encode(version: 1) } catch {
                throw Refusal(error: .invalidRequest, to: "SyncGroup")
            }
            request.assignments.append(assignment)
        }
        let response = try await send(
            request, timeout: settings.rebalanceTimeout + .seconds(10))
        try check(response.errorCode, "SyncGroup")
        // A member without partitions may get no bytes at all.
        guard response.assignment.readableBytes > 0 else { return [] }
        guard let assignment = try? ConsumerAssignment.decode(response.assignment) else {
            throw Refusal(error: .inconsistentGroupProtocol, to: "SyncGroup")
        }
        return assignment.topicPartitions
    }

    func heartbeat(_ generation: GroupGeneration) async throws(Refusal) {
        var request = HeartbeatRequest()
        request.groupId = settings.group
        request.generationId = generation.id
        request.memberId = generation.memberID
        request.groupInstanceId = settings.instanceID
        let response = try await send(request, timeout: settings.sessionTimeout)
        try check(response.errorCode, "Heartbeat")
    }

    /// A static member stays: it comes back within its session timeout (KIP-345).
    func leave(memberID: String) async {
        guard settings.instanceID == nil else { return }
        var request = LeaveGroupRequest()
        request.groupId = settings.group
        do throws(Refusal) {
            // Not on the lane, where a join may be held back.
            let versions: NegotiatedVersions
            do throws(ClientError) {
                versions = try await cluster.connection(to: coordinator).versions
                // From v3 on several may leave at once.
                if try Self.version(of: LeaveGroupRequest.self, versions) >= 3 {
                    var member = LeaveGroupRequest.MemberIdentity()
                    member.memberId = memberID
                    member.reason = "the consumer was stopped"
                    request.members = [member]
                } else {
                    request.memberId = memberID
                }
            } catch { return }
            _ = try await send(request, lane: .shared, timeout: .seconds(5))
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
            for partition in topic.partitions { try check(partition.errorCode, "OffsetCommit") }
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
