import Base
import BrokerTestKit
import KafkaWire
import TestKit
import Testing

@testable import Broker

/// Groups of the consumer protocol (KIP-848) over a socket.
@Suite struct ConsumerGroupTests {
    private typealias Heartbeat = ConsumerGroupHeartbeatRequest

    private static func join(_ member: String, topics: [String] = ["t"], instance: String? = nil) -> Heartbeat {
        Heartbeat(
            groupId: "g", memberId: member, memberEpoch: 0, instanceId: instance, rebalanceTimeoutMs: 60_000,
            subscribedTopicNames: topics, topicPartitions: [])
    }

    private static func started(
        fileSystem: any FileSystem = PosixFileSystem(), _ body: (TestBroker, WireSocket) async throws -> Void
    ) async throws {
        try await TestBroker.with(fileSystem: fileSystem) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 4)
            try await loaded(broker)
            try await body(broker, socket)
        }
    }

    private static func loaded(_ broker: TestBroker) async throws {
        while broker.server.services?.groups.isLoaded != true { try await Task.sleep(for: .milliseconds(2)) }
    }

    private static func partitions(_ response: ConsumerGroupHeartbeatResponse) -> [Int32] {
        (response.assignment?.topicPartitions ?? []).flatMap(\.partitions).sorted()
    }

    private static func commit(
        _ offset: Int64, member: String = "", epoch: Int32 = -1, version: Int16 = 9, _ socket: WireSocket
    ) async throws -> ErrorCode {
        var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
        partition.committedOffset = offset
        var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
        topic.name = "t"
        topic.partitions = [partition]
        var request = OffsetCommitRequest()
        request.groupId = "g"
        request.memberId = member
        request.generationIdOrMemberEpoch = epoch
        request.topics = [topic]
        return try await socket.call(request, version: version).topics[0].partitions[0].errorCode
    }

    private static func fetch(
        member: String? = nil, epoch: Int32 = -1, _ socket: WireSocket
    ) async throws -> OffsetFetchResponse.OffsetFetchResponseGroup {
        var group = OffsetFetchRequest.OffsetFetchRequestGroup()
        group.groupId = "g"
        group.memberId = member
        group.memberEpoch = epoch
        group.topics = nil
        var request = OffsetFetchRequest()
        request.groups = [group]
        return try await socket.call(request, version: 9).groups[0]
    }

    private static func list(types: [String] = [], _ socket: WireSocket) async throws -> [String] {
        var request = ListGroupsRequest()
        request.typesFilter = types
        return try await socket.call(request, version: 5).groups.map {
            "\($0.groupId) \($0.groupType) \($0.groupState)"
        }
    }

    private static func describe(_ socket: WireSocket) async throws -> ConsumerGroupDescribeResponse.DescribedGroup {
        try await socket.call(ConsumerGroupDescribeRequest(groupIds: ["g"]), version: 1).groups[0]
    }

    private static func delete(_ socket: WireSocket) async throws -> ErrorCode {
        var request = DeleteGroupsRequest()
        request.groupsNames = ["g"]
        return try await socket.call(request, version: 2).results[0].errorCode
    }

    /// With a subscription that can't be read.
    private static func oddJoin(_ socket: WireSocket) async throws -> JoinGroupResponse {
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = "range"
        var join = JoinGroupRequest()
        join.groupId = "g"
        join.sessionTimeoutMs = 30_000
        join.rebalanceTimeoutMs = 30_000
        join.protocolType = "consumer"
        join.protocols = [offered]
        return try await socket.call(join, version: 3)
    }

    @Test func clientsAreToldThatThereAreConsumerGroups() async throws {
        try await Self.started { _, socket in
            let request = ApiVersionsRequest(clientSoftwareName: "test", clientSoftwareVersion: "1")
            let versions = try await socket.call(request, version: 3)
            let feature = versions.finalizedFeatures.first { $0.name == "group.version" }
            #expect(feature?.maxVersionLevel == 1)
        }
    }

    @Test func twoMembersShareATopic() async throws {
        try await Self.started { _, socket in
            var first = try await socket.call(Self.join("a"), version: 1)
            #expect(first.errorCode == .none && first.memberEpoch == 1 && first.heartbeatIntervalMs == 5000)
            #expect(Self.partitions(first) == [0, 1, 2, 3])
            let second = try await socket.call(Self.join("b"), version: 1)
            #expect(second.memberEpoch == 2 && Self.partitions(second).isEmpty)
            first = try await socket.call(Heartbeat(groupId: "g", memberId: "a", memberEpoch: 1), version: 1)
            let kept = try #require(first.assignment?.topicPartitions)
            #expect(Self.partitions(first).count == 2)
            let owned = kept.map { Heartbeat.TopicPartitions(topicId: $0.topicId, partitions: $0.partitions) }
            let acknowledgement = Heartbeat(groupId: "g", memberId: "a", memberEpoch: 1, topicPartitions: owned)
            #expect(try await socket.call(acknowledgement, version: 1).memberEpoch == 2)
            let given = try await socket.call(Heartbeat(groupId: "g", memberId: "b", memberEpoch: 2), version: 1)
            #expect(Set(Self.partitions(given) + Self.partitions(first)) == [0, 1, 2, 3])

            let group = try await Self.describe(socket)
            #expect(group.groupState == "Stable" && group.groupEpoch == 2 && group.assignmentEpoch == 2)
            #expect(group.assignorName == "uniform" && group.members.map(\.memberId) == ["a", "b"])
            #expect(group.members.map(\.memberType) == [1, 1])
            #expect(group.members[0].assignment == group.members[0].targetAssignment)
            #expect(group.members[0].assignment.topicPartitions.map(\.topicName) == ["t"])
        }
    }

    @Test func aGroupIsThereAfterAKill() async throws {
        let broker = try await TestBroker.start(fileSystem: SimulatedFileSystem())
        let socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t", partitions: 4)
        try await Self.loaded(broker)
        let joined = try await socket.call(Self.join("a"), version: 1)
        #expect(try await Self.commit(7, member: "a", epoch: 1, socket) == .none)
        let before = try await Self.describe(socket)
        let again = try await broker.killed()
        let second = try WireSocket(to: again.address)
        try await Self.loaded(again)
        #expect(try await Self.describe(second) == before)
        let beat = try await second.call(
            Heartbeat(groupId: "g", memberId: "a", memberEpoch: joined.memberEpoch), version: 1)
        #expect(beat.errorCode == .none && beat.memberEpoch == joined.memberEpoch && beat.assignment == nil)
        let offsets = try await Self.fetch(member: "a", epoch: 1, second)
        #expect(offsets.errorCode == .none && offsets.topics[0].partitions[0].committedOffset == 7)
        await again.shutDown()
    }

    @Test func offsetsAreFencedByTheMembersEpoch() async throws {
        try await Self.started { _, socket in
            _ = try await socket.call(Self.join("a"), version: 1)
            #expect(try await Self.commit(1, member: "a", epoch: 2, socket) == .staleMemberEpoch)
            #expect(try await Self.commit(1, member: "z", epoch: 1, socket) == .unknownMemberId)
            #expect(try await Self.commit(1, socket) == .unknownMemberId)
            #expect(try await Self.commit(1, member: "a", epoch: 1, version: 8, socket) == .unsupportedVersion)
            #expect(try await Self.commit(1, member: "a", epoch: 1, socket) == .none)
            #expect(try await Self.fetch(member: "a", epoch: 0, socket).errorCode == .staleMemberEpoch)
            #expect(try await Self.fetch(member: "z", epoch: 1, socket).errorCode == .unknownMemberId)
            #expect(try await Self.fetch(socket).topics[0].partitions[0].committedOffset == 1)
        }
    }

    @Test func itIsListedByTypeAndDeletedWhenEmpty() async throws {
        try await Self.started { broker, socket in
            _ = try await socket.call(Self.join("a"), version: 1)
            #expect(try await Self.commit(1, member: "a", epoch: 1, socket) == .none)
            #expect(try await Self.list(socket) == ["g consumer Stable"])
            #expect(try await Self.list(types: ["classic"], socket) == [])
            #expect(try await Self.delete(socket) == .nonEmptyGroup)
            let left = try await socket.call(Heartbeat(groupId: "g", memberId: "a", memberEpoch: -1), version: 1)
            #expect(left.errorCode == .none && left.memberEpoch == -1)
            #expect(try await Self.list(types: ["consumer"], socket) == ["g consumer Empty"])
            #expect(try await Self.delete(socket) == .none)
            #expect(try await Self.list(socket) == [])
            #expect(try await Self.describe(socket).errorCode == .groupIdNotFound)
            #expect(try await Self.fetch(socket).topics.isEmpty)
        }
    }

    /// A group without members is of whichever protocol comes first.
    @Test func anEmptyGroupChangesItsProtocolAndKeepsItsOffsets() async throws {
        try await Self.started { _, socket in
            #expect(try await Self.commit(5, socket) == .none)
            #expect(try await Self.list(socket) == ["g classic Empty"])
            _ = try await socket.call(Self.join("a"), version: 1)
            #expect(try await Self.list(socket) == ["g consumer Stable"])
            #expect(try await Self.fetch(socket).topics[0].partitions[0].committedOffset == 5)
            #expect(try await Self.oddJoin(socket).errorCode == .inconsistentGroupProtocol)
            _ = try await socket.call(Heartbeat(groupId: "g", memberId: "a", memberEpoch: -1), version: 1)
            #expect(try await Self.oddJoin(socket).errorCode == .none)
            #expect(try await Self.list(socket) == ["g classic CompletingRebalance"])
            #expect(try await Self.fetch(socket).topics[0].partitions[0].committedOffset == 5)
            // Who reads what can't be told while it rebalances.
            let refused = try await socket.call(Self.join("a"), version: 1)
            #expect(refused.errorCode == .coordinatorNotAvailable)
        }
    }

    /// A subscription that is more than one batch may hold.
    @Test func whatCanNotBeWrittenNeverHappened() async throws {
        try await Self.started { broker, socket in
            let names = (0..<21_300).map { "\($0 + 10_000)-is-the-number-of-a-topic-with-a-long-name-xx" }
            let huge = try await socket.call(Self.join("a", topics: names), version: 1)
            #expect(huge.errorCode == .invalidRequest)
            #expect(try await Self.list(socket) == [])
            _ = try await socket.call(Self.join("b"), version: 1)
            let again = try await socket.call(Self.join("a", topics: names), version: 1)
            #expect(again.errorCode == .invalidRequest)
            let group = try await Self.describe(socket)
            #expect(group.members.map(\.memberId) == ["b"] && group.groupEpoch == 1)
        }
    }

    private static func classicJoin(
        member: String = "", _ socket: WireSocket
    ) async throws -> JoinGroupResponse {
        var subscription = ConsumerSubscription()
        subscription.topics = ["t"]
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = "range"
        offered.metadata = try subscription.encode(version: 0)
        var join = JoinGroupRequest()
        join.groupId = "g"
        join.memberId = member
        join.sessionTimeoutMs = 30_000
        join.rebalanceTimeoutMs = 30_000
        join.protocolType = "consumer"
        join.protocols = [offered]
        return try await socket.call(join, version: 3)
    }

    private static func classicSync(
        _ joined: JoinGroupResponse, assigning partitions: [Int32] = [], _ socket: WireSocket
    ) async throws -> (error: ErrorCode, partitions: [Int32]) {
        var sync = SyncGroupRequest()
        sync.groupId = "g"
        sync.generationId = joined.generationId
        sync.memberId = joined.memberId
        if !partitions.isEmpty {
            var assignment = ConsumerAssignment()
            assignment.assignedPartitions = [.init(topic: "t", partitions: partitions)]
            var entry = SyncGroupRequest.SyncGroupRequestAssignment()
            entry.memberId = joined.memberId
            entry.assignment = try assignment.encode(version: 0)
            sync.assignments = [entry]
        }
        let response = try await socket.call(sync, version: 3)
        guard response.errorCode == .none else { return (response.errorCode, []) }
        let assigned = try ConsumerAssignment.decode(response.assignment)
        return (.none, assigned.assignedPartitions.flatMap(\.partitions).sorted())
    }

    private static func classicHeartbeat(_ joined: JoinGroupResponse, _ socket: WireSocket) async throws -> ErrorCode {
        var heartbeat = HeartbeatRequest()
        heartbeat.groupId = "g"
        heartbeat.memberId = joined.memberId
        heartbeat.generationId = joined.generationId
        return try await socket.call(heartbeat, version: 3).errorCode
    }

    /// Through a kill too: the log has the classic member in the consumer group.
    @Test func aGroupGoesOverAndBackWhileAClassicMemberLives() async throws {
        let broker = try await TestBroker.start(fileSystem: SimulatedFileSystem())
        let first = try WireSocket(to: broker.address)
        try await first.createTopic("t", partitions: 4)
        try await Self.loaded(broker)
        let joined = try await Self.classicJoin(first)
        #expect(joined.leader == joined.memberId)
        #expect(try await Self.classicSync(joined, assigning: [0, 1, 2, 3], first).partitions == [0, 1, 2, 3])
        let new = try await first.call(Self.join("a"), version: 1)
        #expect(new.errorCode == .none && new.memberEpoch == joined.generationId + 1)
        #expect(Self.partitions(new).isEmpty)

        let again = try await broker.killed()
        let socket = try WireSocket(to: again.address)
        try await Self.loaded(again)
        #expect(try await Self.list(socket) == ["g consumer Reconciling"])
        #expect(Set(try await Self.describe(socket).members.map(\.memberType)) == [0, 1])
        #expect(try await Self.classicHeartbeat(joined, socket) == .rebalanceInProgress)
        let rejoined = try await Self.classicJoin(member: joined.memberId, socket)
        #expect(rejoined.errorCode == .none && rejoined.generationId == new.memberEpoch)
        let kept = try await Self.classicSync(rejoined, socket).partitions
        let beat = Heartbeat(groupId: "g", memberId: "a", memberEpoch: new.memberEpoch)
        let given = try await socket.call(beat, version: 1)
        #expect(Set(kept + Self.partitions(given)) == [0, 1, 2, 3] && kept.count == 2)
        #expect(
            try await Self.commit(3, member: joined.memberId, epoch: new.memberEpoch, version: 8, socket) == .none)

        let leaving = Heartbeat(groupId: "g", memberId: "a", memberEpoch: -1)
        #expect(try await socket.call(leaving, version: 1).errorCode == .none)
        while try await Self.list(socket) != ["g classic PreparingRebalance"] {
            try await Task.sleep(for: .milliseconds(2))
        }
        let last = try await Self.classicJoin(member: joined.memberId, socket)
        #expect(last.errorCode == .none && last.leader == joined.memberId)
        #expect(try await Self.classicSync(last, assigning: [0, 1, 2, 3], socket).partitions == [0, 1, 2, 3])
        #expect(try await Self.fetch(socket).topics[0].partitions[0].committedOffset == 3)
        await again.shutDown()
    }
}
