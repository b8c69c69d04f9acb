import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Telemetry
import TestKit
import Testing

@testable import Broker

/// Settings, log directories, and the offsets of groups, as administrators see and change them.
@Suite struct AdministrationTests {
    private static func settings(_ topic: String, _ socket: WireSocket) async throws -> [String: String] {
        var resource = DescribeConfigsRequest.DescribeConfigsResource()
        resource.resourceType = 2
        resource.resourceName = topic
        resource.configurationKeys = nil
        var request = DescribeConfigsRequest()
        request.resources = [resource]
        let result = try await socket.call(request, version: 4).results[0]
        return Dictionary(
            uniqueKeysWithValues: result.configs.filter { $0.configSource == 1 }.map { ($0.name, $0.value ?? "") })
    }

    private static func resource(_ topic: String, _ settings: [String: String?], type: Int8 = 2)
        -> AlterConfigsRequest.AlterConfigsResource
    {
        var resource = AlterConfigsRequest.AlterConfigsResource()
        resource.resourceType = type
        resource.resourceName = topic
        resource.configs = settings.map { name, value in
            var config = AlterConfigsRequest.AlterableConfig()
            config.name = name
            config.value = value
            return config
        }
        return resource
    }

    @Test(arguments: 0...2 as ClosedRange<Int16>) func alterConfigsReplacesAll(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: ["retention.ms": "1000", "max.message.bytes": "2000"])
            try await socket.createTopic("u", settings: ["retention.ms": "1000"])
            var request = AlterConfigsRequest()
            request.validateOnly = true
            request.resources = [Self.resource("t", ["segment.bytes": "5000000"])]
            #expect(try await socket.call(request, version: version).responses[0].errorCode == .none)
            #expect(try await Self.settings("t", socket) == ["retention.ms": "1000", "max.message.bytes": "2000"])
            request.validateOnly = false
            #expect(try await socket.call(request, version: version).responses[0].errorCode == .none)
            #expect(try await Self.settings("t", socket) == ["segment.bytes": "5000000"])

            request.resources = [
                Self.resource("t", ["retention.ms": "soon"]), Self.resource("u", ["retention.ms": nil]),
                Self.resource("nowhere", [:]), Self.resource("1", [:], type: 4),
            ]
            let refused = try await socket.call(request, version: version).responses
            #expect(
                refused.map(\.errorCode) == [.invalidConfig, .invalidConfig, .unknownTopicOrPartition, .invalidRequest])
            #expect(refused.allSatisfy { $0.errorMessage?.isEmpty == false })
            request.resources = [Self.resource("t", [:]), Self.resource("t", ["retention.ms": "1"])]
            #expect(
                try await socket.call(request, version: version).responses.map(\.errorCode) == [
                    .invalidRequest, .invalidRequest,
                ])
            #expect(try await Self.settings("t", socket) == ["segment.bytes": "5000000"])
            #expect(try await Self.settings("u", socket) == ["retention.ms": "1000"])
        }
    }

    @Test func resourcesWithSettingsAreListed() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            func list(_ types: [Int8], version: Int16 = 1) async throws -> ListConfigResourcesResponse {
                var request = ListConfigResourcesRequest()
                request.resourceTypes = types
                return try await socket.call(request, version: version)
            }
            let all = try await list([]).configResources
            #expect(Set(all.map(\.resourceType)) == [2, 4])
            #expect(all.filter { $0.resourceType == 2 }.map(\.resourceName) == ["__consumer_offsets", "t"])
            #expect(try await list([4]).configResources.map(\.resourceName) == ["1"])
            #expect(try await list([16, 32]).configResources.isEmpty)
            #expect(try await list([99]).errorCode == .unsupportedVersion)
            // v0 lists client metrics alone.
            #expect(try await list([], version: 0).configResources.isEmpty)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<Int16>) func logDirectoriesAreDescribed(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 2)
            let sent = try batch(["a", "b"])
            _ = try await socket.produce(sent, to: "t", partition: 1)
            var request = DescribeLogDirsRequest()
            request.topics = nil
            let response = try await socket.call(request, version: version)
            let directory = try #require(response.results.first)
            #expect(response.errorCode == .none && directory.errorCode == .none && response.results.count == 1)
            #expect(directory.logDir == broker.settings.data.appending("logs").string)
            #expect(directory.topics.map(\.name) == ["__consumer_offsets", "t"])
            #expect(directory.topics[1].partitions.map(\.partitionSize) == [0, Int64(sent.readableBytes)])
            if version >= 4 { #expect(directory.totalBytes > 0 && directory.usableBytes > 0) }
            var topic = DescribeLogDirsRequest.DescribableLogDirTopic()
            topic.topic = "t"
            topic.partitions = [1, 7]
            var absent = topic
            absent.topic = "nowhere"
            request.topics = [absent, topic]
            let asked = try await socket.call(request, version: version).results[0].topics
            #expect(asked.map(\.name) == ["t"] && asked[0].partitions.map(\.partitionIndex) == [1])
            request.topics = []
            #expect(try await socket.call(request, version: version).results[0].topics.isEmpty)
        }
    }

    @Test(arguments: 0...2 as ClosedRange<Int16>) func nobodyElseCanLead(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 2)
            var topic = ElectLeadersRequest.TopicPartitions()
            topic.topic = "t"
            topic.partitions = [0, 1, 2]
            var request = ElectLeadersRequest()
            request.topicPartitions = [topic]
            let answer = try await socket.call(request, version: version)
            #expect(answer.errorCode == .none)
            #expect(
                answer.replicaElectionResults.first?.partitionResult.map(\.errorCode)
                    == [.electionNotNeeded, .electionNotNeeded, .unknownTopicOrPartition])
            request.topicPartitions = nil
            #expect(try await socket.call(request, version: version).replicaElectionResults.isEmpty)
        }
    }

    @Test(arguments: 0...1 as ClosedRange<Int16>) func partitionsStayWhereTheyAre(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 4)
            var topic = AlterPartitionReassignmentsRequest.ReassignableTopic()
            topic.name = "t"
            topic.partitions = ([[1], [2], [1, 2], nil, [1]] as [[Int32]?]).enumerated().map { index, replicas in
                var partition = AlterPartitionReassignmentsRequest.ReassignablePartition()
                partition.partitionIndex = Int32(index)
                partition.replicas = replicas
                return partition
            }
            var request = AlterPartitionReassignmentsRequest()
            request.topics = [topic]
            let answer = try await socket.call(request, version: version)
            #expect(
                answer.responses[0].partitions.map(\.errorCode) == [
                    .none, .invalidReplicaAssignment, .invalidReplicaAssignment, .noReassignmentInProgress,
                    .unknownTopicOrPartition,
                ])
            let list = try await socket.call(ListPartitionReassignmentsRequest(), version: 0)
            #expect(list.errorCode == .none && list.topics.isEmpty)
        }
    }

    // MARK: Offsets

    private static func commit(_ partitions: [(String, Int32)], group: String, _ socket: WireSocket) async throws {
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = -1
        request.topics = partitions.map { name, partition in
            var wire = OffsetCommitRequest.OffsetCommitRequestPartition()
            wire.partitionIndex = partition
            wire.committedOffset = 5
            wire.committedMetadata = ""
            var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
            topic.name = name
            topic.partitions = [wire]
            return topic
        }
        let response = try await socket.call(request, version: 8)
        #expect(response.topics.allSatisfy { $0.partitions.allSatisfy { $0.errorCode == .none } })
    }

    private static func committed(_ group: String, _ socket: WireSocket) async throws -> [String] {
        var asked = OffsetFetchRequest.OffsetFetchRequestGroup()
        asked.groupId = group
        asked.topics = nil
        var request = OffsetFetchRequest()
        request.groups = [asked]
        return try await socket.call(request, version: 8).groups[0].topics.flatMap { topic in
            topic.partitions.map { "\(topic.name)-\($0.partitionIndex)" }
        }.sorted()
    }

    private static func delete(_ partitions: [(String, Int32)], group: String, _ socket: WireSocket) async throws
        -> OffsetDeleteResponse
    {
        var request = OffsetDeleteRequest()
        request.groupId = group
        request.topics = partitions.map { name, partition in
            var wire = OffsetDeleteRequest.OffsetDeleteRequestPartition()
            wire.partitionIndex = partition
            var topic = OffsetDeleteRequest.OffsetDeleteRequestTopic()
            topic.name = name
            topic.partitions = [wire]
            return topic
        }
        return try await socket.call(request, version: 0)
    }

    private static func loaded(_ broker: TestBroker, _ socket: WireSocket) async throws {
        for topic in ["t", "u"] { try await socket.createTopic(topic, partitions: 2) }
        while broker.server.services?.groups.offsets(of: "g").0 != ErrorCode.none {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func offsetsOfAnEmptyGroupAreDeletedForGood() async throws {
        let broker = try await TestBroker.start(fileSystem: SimulatedFileSystem())
        let socket = try WireSocket(to: broker.address)
        try await Self.loaded(broker, socket)
        #expect(try await Self.delete([("t", 0)], group: "g", socket).errorCode == .groupIdNotFound)
        #expect(try await Self.delete([("t", 0)], group: "", socket).errorCode == .invalidGroupId)
        try await Self.commit([("t", 0), ("t", 1), ("u", 0)], group: "g", socket)
        // What was never committed is as good as deleted.
        let deleted = try await Self.delete([("t", 1), ("u", 0), ("u", 1)], group: "g", socket)
        #expect(deleted.errorCode == .none)
        #expect(deleted.topics.flatMap(\.partitions).map(\.errorCode) == [.none, .none, .none])
        #expect(try await Self.committed("g", socket) == ["t-0"])
        let again = try await broker.killed()
        let second = try WireSocket(to: again.address)
        while again.server.services?.groups.offsets(of: "g").0 != ErrorCode.none {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await Self.committed("g", second) == ["t-0"])
        await again.shutDown()
    }

    /// A member of a group of consumers that reads the topic `t`.
    ///
    /// - Parameter moves: by a clock that stands still it would wait for ever for others who might join.
    private static func join(
        _ group: String, protocolType: String = "consumer", _ socket: WireSocket,
        moves: (broker: TestBroker, time: ManualTime)? = nil
    ) async throws {
        var subscription = ConsumerSubscription()
        subscription.topics = ["t"]
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = "range"
        offered.metadata = try subscription.encode(version: 1)
        var join = JoinGroupRequest()
        join.groupId = group
        join.sessionTimeoutMs = 1_800_000
        join.rebalanceTimeoutMs = 30_000
        join.protocolType = protocolType
        join.protocols = [offered]
        let id = try await socket.send(join, version: 3)
        if let (broker, time) = moves {
            let groups = try #require(broker.server.services?.groups)
            while groups.describe(group).1?.members.isEmpty ?? true { try await Task.sleep(for: .milliseconds(1)) }
            time.advance(by: .seconds(1))
        }
        let joined = try await socket.receive(JoinGroupRequest.self, version: 3, correlationID: id)
        #expect(joined.errorCode == .none)
        var sync = SyncGroupRequest()
        sync.groupId = group
        sync.generationId = joined.generationId
        sync.memberId = joined.memberId
        #expect(try await socket.call(sync, version: 3).errorCode == .none)
    }

    @Test func offsetsThatAGroupReadsAreKept() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await Self.loaded(broker, socket)
            try await Self.commit([("t", 0), ("u", 0)], group: "g", socket)
            try await Self.join("g", socket)
            let deleted = try await Self.delete([("t", 0), ("u", 0)], group: "g", socket)
            #expect(deleted.errorCode == .none)
            #expect(deleted.topics.map { $0.partitions[0].errorCode } == [.groupSubscribedToTopic, .none])
            #expect(try await Self.committed("g", socket) == ["t-0"])
            // What members of another kind read can't be told.
            try await Self.commit([("t", 0)], group: "connect", socket)
            try await Self.join("connect", protocolType: "connect", socket)
            #expect(try await Self.delete([("t", 0)], group: "connect", socket).errorCode == .nonEmptyGroup)
        }
    }

    /// KIP-211, by a clock that is moved on: simple groups, and topics that a stable group no longer reads.
    @Test func offsetsExpire() async throws {
        let log = RecordedLog()
        let time = ManualTime(wallTime: SystemTime().wallTime)
        try await TestBroker.with(
            time: time, telemetry: log.telemetry, configure: { $0.offsetRetention = .seconds(1000) }
        ) { broker in
            let socket = try WireSocket(to: broker.address)
            try await Self.loaded(broker, socket)
            let expired = log.metrics.counter("millrace_broker_offsets_expired_total")
            /// Looks are ten minutes apart.
            func pass(_ seconds: Int64, untilExpired count: Int) async throws {
                time.advance(by: .seconds(seconds))
                broker.server.services?.groups.tick()
                while expired.value < count { try await Task.sleep(for: .milliseconds(1)) }
            }
            try await Self.commit([("t", 0), ("t", 1)], group: "simple", socket)
            try await Self.commit([("t", 0), ("u", 0)], group: "g", socket)
            try await Self.join("g", socket, moves: (broker, time))
            try await pass(600, untilExpired: 0)
            try await Self.commit([("t", 1)], group: "simple", socket)
            try await pass(601, untilExpired: 2)
            while try await Self.committed("simple", socket) != ["t-1"] { try await Task.sleep(for: .milliseconds(1)) }
            while try await Self.committed("g", socket) != ["t-0"] { try await Task.sleep(for: .milliseconds(1)) }
            #expect(expired.value == 2)
            try await pass(600, untilExpired: 3)
            while try await !Self.committed("simple", socket).isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            #expect(try await Self.committed("g", socket) == ["t-0"])
            #expect(
                log.lines.contains(
                    "info: 1 committed offsets of group simple outlived their retention; the group is forgotten"))
            #expect(broker.server.services?.groups.list().map(\.id) == ["g"])
        }
    }
}
