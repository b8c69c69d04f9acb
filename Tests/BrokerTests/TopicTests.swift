import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Testing

@testable import Broker

@Suite struct TopicTests {
    @Test func metadataNamesTheBrokerAndItsTopics() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let id = try await socket.createTopic("b", partitions: 2).topicId
            try await socket.createTopic("a")
            for version in 0...13 as ClosedRange<Int16> {
                var request = MetadataRequest()
                request.topics = version == 0 ? [] : nil
                var all = try await socket.call(request, version: version)
                #expect(all.topics[0].name == "__consumer_offsets")
                if version >= 1 { #expect(all.topics[0].isInternal) }
                all.topics.removeFirst()
                #expect(all.brokers.map(\.port) == [Int32(broker.address.port)])
                #expect(all.brokers[0].host == "127.0.0.1")
                #expect(all.topics.map(\.name) == ["a", "b"])
                #expect(all.topics[1].partitions.map(\.partitionIndex) == [0, 1])
                #expect(all.topics[1].partitions.allSatisfy { $0.leaderId == all.brokers[0].nodeId })
                if version >= 10 { #expect(all.topics[1].topicId == id) }
            }
            var byID = MetadataRequest()
            byID.topics = [id, TopicID.random()].map { id in
                var topic = MetadataRequest.MetadataRequestTopic()
                topic.topicId = id
                topic.name = nil
                return topic
            }
            let found = try await socket.call(byID, version: 12)
            #expect(found.topics[0].name == "b")
            #expect(found.topics[1].errorCode == .unknownTopicId)
        }
    }

    @Test func aTopicThatIsAskedForIsMadeWhereTheClientLets() async throws {
        try await TestBroker.with(configure: { $0.partitionCountDefault = 3 }) { broker in
            let socket = try WireSocket(to: broker.address)
            #expect(try await socket.metadata(["t"]).topics[0].errorCode == .unknownTopicOrPartition)
            let made = try await socket.metadata(["t", "no/name"], mayCreate: true)
            #expect(made.topics[0].errorCode == .none)
            #expect(made.topics[0].partitions.count == 3)
            #expect(made.topics[1].errorCode == .invalidTopicException)
        }
        try await TestBroker.with(configure: { $0.createsTopics = false }) { broker in
            let socket = try WireSocket(to: broker.address)
            #expect(try await socket.metadata(["t"], mayCreate: true).topics[0].errorCode == .unknownTopicOrPartition)
        }
    }

    @Test func manyClientsThatAskAtOnceGetOneTopic() async throws {
        try await TestBroker.with { broker in
            let ids = try await withThrowingTaskGroup(of: TopicID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let socket = try WireSocket(to: broker.address)
                        return try await socket.metadata(["t"], mayCreate: true).topics[0].topicId
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(ids.first != .zero)
        }
    }

    @Test(arguments: 2...7 as ClosedRange<Int16>)
    func everyVersionCreates(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            var topic = CreateTopicsRequest.CreatableTopic()
            topic.name = "t"
            topic.numPartitions = version >= 4 ? -1 : 2
            topic.replicationFactor = 1
            var request = CreateTopicsRequest()
            request.topics = [topic]
            request.validateOnly = true
            #expect(try await socket.call(request, version: version).topics[0].errorCode == .none)
            #expect(try await socket.metadata(["t"]).topics[0].errorCode == .unknownTopicOrPartition)
            request.validateOnly = false
            #expect(try await socket.call(request, version: version).topics[0].errorCode == .none)
            #expect(try await socket.metadata(["t"]).topics[0].partitions.count == (version >= 4 ? 1 : 2))
            #expect(try await socket.call(request, version: version).topics[0].errorCode == .topicAlreadyExists)
        }
    }

    @Test func ordersThatCannotBeCarriedOutSayWhy() async throws {
        try await TestBroker.with(configure: { $0.limits.partitionsMax = 10 }) { broker in
            let socket = try WireSocket(to: broker.address)
            #expect(try await socket.createTopic("").errorCode == .invalidTopicException)
            #expect(try await socket.createTopic("a b").errorCode == .invalidTopicException)
            #expect(try await socket.createTopic("..").errorCode == .invalidTopicException)
            #expect(try await socket.createTopic("t", partitions: 0).errorCode == .invalidPartitions)
            #expect(try await socket.createTopic("t", partitions: 11).errorCode == .policyViolation)
            let unknown = try await socket.createTopic("t", settings: ["retention.msec": "1"])
            #expect(unknown.errorCode == .invalidConfig)
            #expect(unknown.errorMessage?.contains("retention.msec") == true)
            #expect(try await socket.createTopic("t", settings: ["retention.ms": "soon"]).errorCode == .invalidConfig)

            var twice = CreateTopicsRequest()
            var topic = CreateTopicsRequest.CreatableTopic()
            topic.name = "t"
            topic.numPartitions = 1
            topic.replicationFactor = 1
            twice.topics = [topic, topic]
            let answer = try await socket.call(twice, version: 7)
            #expect(answer.topics.map(\.errorCode) == [.invalidRequest])
            twice.topics = [topic]
            twice.topics[0].replicationFactor = 3
            #expect(try await socket.call(twice, version: 7).topics[0].errorCode == .invalidReplicationFactor)
            #expect(try await socket.metadata(nil).topics.isEmpty)
        }
    }

    @Test func aDeletedTopicIsGoneAndItsNameIsFree() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let first = try await socket.createTopic("t").topicId
            _ = try await socket.produce(try batch(["old"]), to: "t")
            var request = DeleteTopicsRequest()
            request.topicNames = ["t", "nowhere"]
            let answer = try await socket.call(request, version: 5)
            #expect(answer.responses.map(\.errorCode) == [.none, .unknownTopicOrPartition])
            #expect(try await socket.produce(try batch(["x"]), to: "t").errorCode == .unknownTopicOrPartition)
            let second = try await socket.createTopic("t").topicId
            #expect(first != second)
            #expect(try await socket.listOffset("t", timestamp: -1).offset == 0)
            #expect(
                try await socket.produce(try batch(["x"]), to: "", id: first, version: 13).errorCode == .unknownTopicId)

            var byID = DeleteTopicsRequest()
            byID.topics = [DeleteTopicsRequest.DeleteTopicState()]
            byID.topics[0].topicId = second
            let gone = try await socket.call(byID, version: 6)
            #expect(gone.responses[0].errorCode == .none)
            #expect(gone.responses[0].name == "t")
            #expect(try await socket.call(byID, version: 6).responses[0].errorCode == .unknownTopicId)
        }
    }

    @Test func partitionsCanBeAdded() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 2)
            _ = try await socket.produce(try batch(["kept"]), to: "t", partition: 1)
            var request = CreatePartitionsRequest()
            request.topics = [CreatePartitionsRequest.CreatePartitionsTopic()]
            request.topics[0].name = "t"
            request.topics[0].assignments = nil
            for (count, error) in [(2, ErrorCode.invalidPartitions), (5, .none)] as [(Int32, ErrorCode)] {
                request.topics[0].count = count
                #expect(try await socket.call(request, version: 3).results[0].errorCode == error)
            }
            #expect(try await socket.metadata(["t"]).topics[0].partitions.count == 5)
            #expect(try await socket.produce(try batch(["new"]), to: "t", partition: 4).errorCode == .none)
            #expect(try words(await socket.fetch("t", partition: 1, from: 0)) == ["kept"])
        }
    }

    @Test func settingsAreShownWithTheirSourceAndCanBeChanged() async throws {
        try await TestBroker.with(configure: { $0.topicDefaults["segment.bytes"] = "1000000" }) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: ["retention.ms": "1000"])
            var resource = DescribeConfigsRequest.DescribeConfigsResource()
            resource.resourceType = 2
            resource.resourceName = "t"
            resource.configurationKeys = nil
            var request = DescribeConfigsRequest()
            request.resources = [resource]
            for version in 1...4 as ClosedRange<Int16> {
                let result = try await socket.call(request, version: version).results[0]
                #expect(result.errorCode == .none)
                let settings = Dictionary(uniqueKeysWithValues: result.configs.map { ($0.name, $0) })
                #expect(settings["retention.ms"]?.value == "1000")
                #expect(settings["retention.ms"]?.configSource == 1)
                #expect(settings["segment.bytes"]?.value == "1000000")
                #expect(settings["segment.bytes"]?.configSource == 4)
                #expect(settings["cleanup.policy"]?.value == "delete")
                #expect(settings["cleanup.policy"]?.configSource == 5)
                #expect(settings["min.insync.replicas"]?.value == "1")
            }
            var change = IncrementalAlterConfigsRequest.AlterableConfig()
            change.name = "max.message.bytes"
            change.value = "500"
            var altered = IncrementalAlterConfigsRequest.AlterConfigsResource()
            altered.resourceType = 2
            altered.resourceName = "t"
            altered.configs = [change]
            var alter = IncrementalAlterConfigsRequest()
            alter.resources = [altered]
            #expect(try await socket.call(alter, version: 1).responses[0].errorCode == .none)
            let large = try batch([String(repeating: "x", count: 600)])
            #expect(try await socket.produce(large, to: "t").errorCode == .messageTooLarge)
            alter.resources[0].configs[0].value = "many"
            #expect(try await socket.call(alter, version: 1).responses[0].errorCode == .invalidConfig)

            request.resources[0].resourceType = 4
            request.resources[0].resourceName = "1"
            let own = try await socket.call(request, version: 4).results[0]
            #expect(own.configs.contains { $0.name == "num.partitions" && $0.value == "1" })
        }
    }

    @Test func partitionsComeInPages() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("a", partitions: 3)
            try await socket.createTopic("b", partitions: 3)
            var request = DescribeTopicPartitionsRequest()
            request.responsePartitionLimit = 2
            var seen: [String] = []
            request.topics = ["a", "b"].map { name in
                var topic = DescribeTopicPartitionsRequest.TopicRequest()
                topic.name = name
                return topic
            }
            for _ in 0..<3 {
                let page = try await socket.call(request, version: 0)
                #expect(
                    page.topics.allSatisfy {
                        $0.partitions.allSatisfy { $0.eligibleLeaderReplicas == [] && $0.lastKnownElr == [] }
                    })
                for topic in page.topics { seen += topic.partitions.map { "\(topic.name ?? "")-\($0.partitionIndex)" } }
                request.cursor = page.nextCursor.map { next in
                    var cursor = DescribeTopicPartitionsRequest.Cursor()
                    cursor.topicName = next.topicName
                    cursor.partitionIndex = next.partitionIndex
                    return cursor
                }
            }
            #expect(seen == ["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"])
            #expect(request.cursor == nil)
        }
    }
}
