import Base
import BrokerTestKit
import Foundation
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import Testing

@testable import KafkaClient

/// The client against clusters that it was not written with: Millrace's own broker, and librdkafka's mock cluster.
@Suite(.timeLimit(.minutes(2))) struct AnyClusterTests {
    @Test func worksWithMillrace() async throws {
        try await TestBroker.with { broker in
            let cluster = Self.cluster(broker.address)
            try await Admin(cluster).createTopics([NewTopic("t", partitionCount: 4)])
            try await Self.produceAndConsume(cluster, second: Self.cluster(broker.address))
            let member = CollectingHandler(GroupConsumer(cluster: cluster, settings: Self.settings()))
            let run = Task { try await member.consumer.run(member) }
            try await eventually { member.seen.held.count == 4 }
            let group = try await Admin(cluster).describeGroup("g")
            #expect(group.members.count == 1 && group.assignor == "range" && group.state == "Stable")
            #expect(group.members.first?.assigned.count == 4)
            run.cancel()
            try await run.value
            let groups = try await Admin(cluster).listGroups()
            #expect(groups.map(\.group) == ["g"])
            let configs = try await Admin(cluster).describeConfigs(topic: "t", names: ["retention.ms"])
            #expect(configs.map(\.name) == ["retention.ms"])
            let producer = try await cluster.initProducerID()
            let partition = TopicPartition(topic: "t", partition: 0)
            let batch = try RecordBatch.build(
                [NewRecord(timestamp: Timestamp(milliseconds: 1), value: [1])], producerID: producer.id,
                producerEpoch: producer.epoch, baseSequence: 0)
            _ = try await Self.produce(batch.bytes, to: partition, cluster)
            let active = try await cluster.activeProducers(of: partition)
            #expect(active.contains { $0.id == producer.id && $0.lastSequence == 0 })
            try await Admin(cluster).deleteTopics(["t"])
            #expect(try await Admin(cluster).listTopics().isEmpty)
        }
    }

    /// Of the consumer protocol (KIP-848), which DescribeGroups does not tell of.
    @Test func describesGroupsOfBothProtocols() async throws {
        try await TestBroker.with { broker in
            let cluster = Self.cluster(broker.address)
            try await Admin(cluster).createTopics([NewTopic("t", partitionCount: 2)])
            let socket = try WireSocket(to: broker.address)
            let join = ConsumerGroupHeartbeatRequest(
                groupId: "k", memberId: "m", rebalanceTimeoutMs: 60_000, subscribedTopicNames: ["t"],
                topicPartitions: [])
            while try await socket.call(join, version: 1).errorCode == .coordinatorLoadInProgress {}
            let group = try await Admin(cluster).describeGroup("k")
            #expect(group.state == "Stable" && group.assignor == "uniform" && group.protocolType == "consumer")
            #expect(group.members.map(\.memberID) == ["m"])
            #expect(group.members.first?.assigned == (0..<2).map { TopicPartition(topic: "t", partition: $0) })
            #expect(try await Admin(cluster).describeGroup("none").state == "Dead")
        }
    }

    @Test func membersOfMillracesGroupComeAndGo() async throws {
        try await TestBroker.with { broker in
            let clusters = (0..<3).map { _ in Self.cluster(broker.address) }
            try await Admin(clusters[0]).createTopics([NewTopic("t", partitionCount: 6)])
            try await Self.members(clusters, count: 6, commits: .whenRevoked)
        }
    }

    @Test func worksWithTheMockClusterOfLibrdkafka() async throws {
        let mock = try MockCluster(brokers: 3)
        defer { mock.stop() }
        let cluster = Self.cluster(mock.address)
        #expect(try await cluster.partitionCount("t", mayCreate: true) == 4)
        try await Self.produceAndConsume(cluster, second: Self.cluster(mock.address))
    }

    @Test func membersOfTheMockClustersGroupComeAndGo() async throws {
        // It refuses those that sync after their leader, where Kafka gives them their part: the leader asks for metadata before.
        let mock = try MockCluster(brokers: 2, answersTake: .milliseconds(50))
        defer { mock.stop() }
        let clusters = (0..<3).map { _ in Self.cluster(mock.address) }
        _ = try await clusters[0].partitionCount("t", mayCreate: true)
        // It refuses commits while it rebalances, unlike Kafka: then what was read may be read again.
        try await Self.members(clusters, count: 4, commits: .always)
    }

    // MARK: What any cluster has to do

    static func cluster(_ address: Address) -> KafkaCluster {
        var settings = ClusterSettings(bootstrap: [address])
        settings.backoff = Backoff(first: .milliseconds(50), max: .milliseconds(500))
        return KafkaCluster(settings: settings, on: FakeBroker.group)
    }

    static func produce(_ batch: ByteBuffer, to partition: TopicPartition, _ cluster: KafkaCluster) async throws
        -> Int64
    {
        var data = ProduceRequest.PartitionProduceData()
        data.index = partition.partition
        data.records = batch
        var topic = ProduceRequest.TopicProduceData()
        topic.name = partition.topic
        topic.topicId = try await cluster.topicID(partition.topic)
        topic.partitionData = [data]
        var request = ProduceRequest()
        request.acks = -1
        request.timeoutMs = 10_000
        request.topicData = [topic]
        let response = try await cluster.send(
            request, to: .leader(partition), versionMax: topic.topicId == .zero ? 12 : nil)
        let answer = response.responses[0].partitionResponses[0]
        #expect(answer.errorCode == .none, "\(partition): \(answer.errorMessage ?? "")")
        return answer.baseOffset
    }

    /// Fills the topic's partitions, batch by batch: value `partition/number`.
    static func fill(_ partitions: Int, _ numbers: Range<Int>, _ cluster: KafkaCluster, codec: Codec) async throws {
        for number in 0..<partitions {
            let partition = TopicPartition(topic: "t", partition: Int32(number))
            // Retention goes by it.
            let now = SystemTime().wallTime
            let records = numbers.map {
                NewRecord(timestamp: now, value: Array("\(number)/\($0)".utf8))
            }
            let batch = try RecordBatch.build(records, codec: codec)
            let offset = try await produce(batch.bytes, to: partition, cluster)
            #expect(offset == Int64(numbers.lowerBound))
        }
    }

    static func settings() -> GroupConsumerSettings {
        var settings = GroupConsumerSettings(group: "g", topics: ["t"])
        settings.heartbeatInterval = .milliseconds(300)
        settings.sessionTimeout = .seconds(6)
        settings.rebalanceTimeout = .seconds(20)
        return settings
    }

    static func produceAndConsume(_ cluster: KafkaCluster, second: KafkaCluster) async throws {
        let codecs: [Codec] = [.none, .gzip, .snappy, .lz4, .zstd]
        for (round, codec) in codecs.enumerated() {
            try await fill(4, round * 200..<(round + 1) * 200, cluster, codec: codec)
        }
        let partition = TopicPartition(topic: "t", partition: 2)
        #expect(try await cluster.offset(of: partition, at: .earliest).offset == .zero)
        #expect(try await cluster.offset(of: partition, at: .latest).offset == Offset(1000))

        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        try await handler.wait(for: 4000)
        handler.consumer.stop()
        try await run.value
        for number in 0..<4 {
            let partition = TopicPartition(topic: "t", partition: Int32(number))
            #expect(handler.seen.values[partition] == (0..<1000).map { "\(number)/\($0)" })
        }
        let committed = try await Admin(cluster).committedOffsets(group: "g", partitions: [partition])
        #expect(committed[partition]?.offset == Offset(1000))

        // Without a group, from the middle.
        let reader = PartitionReader(cluster: second, partitions: [partition: .offset(Offset(990))])
        var values: [String] = []
        try await reader.run { data in
            for batch in data.batches {
                var records = try batch.records(decompressedMax: .mib(16))
                while let record = try records.next() {
                    if record.offset >= data.startOffset { values.append(String(buffer: record.value!)) }
                }
            }
            return values.count < 10
        }
        #expect(values == (990..<1000).map { "2/\($0)" })
        second.shutDown()
    }

    /// Three members join one after the other and leave again, while records come; each is read, and once where commits are taken to the end.
    static func members(
        _ clusters: [KafkaCluster], count: Int, commits: CollectingHandler.Commits
    ) async throws {
        let members = clusters.map {
            CollectingHandler(GroupConsumer(cluster: $0, settings: settings()), commits: commits)
        }
        let total = { @Sendable in Set(members.flatMap { $0.seen.values.values.flatMap { $0 } }).count }
        var runs: [Task<Void, any Error>] = []
        for (place, member) in members.enumerated() {
            runs.append(Task { try await member.consumer.run(member) })
            let joined = members[...place]
            let share = count / (place + 1)
            let state = { @Sendable in members.map { "\($0.count) records, \($0.seen.calls)" }.joined(separator: "; ") }
            try await eventually {
                joined.allSatisfy { [share, share + 1].contains($0.seen.held.count) }
            } _: {
                state()
            }
            try await fill(count, place * 50..<(place + 1) * 50, clusters[0], codec: .none)
            try await eventually {
                total() >= (place + 1) * 50 * count
            } _: {
                state()
            }
        }
        for place in 0..<2 {
            members[place].consumer.stop()
            try await runs[place].value
            try await fill(count, (3 + place) * 50..<(4 + place) * 50, clusters[2], codec: .none)
            try await eventually {
                total() >= (4 + place) * 50 * count
            } _: {
                members.map { "\($0.count) records, \($0.seen.calls)" }.joined(separator: "; ")
            }
        }
        members[2].consumer.stop()
        try await runs[2].value
        for number in 0..<count {
            let partition = TopicPartition(topic: "t", partition: Int32(number))
            let all = members.flatMap { $0.seen.values[partition] ?? [] }
            #expect(Set(all).count == 250, "partition \(number)")
            if commits == .whenRevoked { #expect(all.count == 250, "partition \(number)") }
        }
        for cluster in clusters { cluster.shutDown() }
    }
}

/// `Tests/Interop/mock_cluster.py` in a process of its own.
private final class MockCluster {
    /// A test that can't run fails: one that is skipped would not be missed.
    struct NoPython: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "there is no \(path), with which librdkafka's mock cluster is started: run ./test once, which makes it, or set "
                + "MILLRACE_PYTHON to a Python that has confluent-kafka"
        }
    }

    /// A Python with confluent-kafka: `MILLRACE_PYTHON`, or what `./test` makes.
    static func python() throws(NoPython) -> String {
        if let named = ProcessInfo.processInfo.environment["MILLRACE_PYTHON"] { return named }
        let own = repository.appending(path: ".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: own) else { throw NoPython(path: own) }
        return own
    }

    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    let address: Address
    private let process = Process()
    private let input = Pipe()

    struct DidNotStart: Error { let output: String }

    init(brokers: Int, answersTake: Duration = .zero) throws {
        process.executableURL = URL(fileURLWithPath: try Self.python())
        let milliseconds = answersTake / .milliseconds(1)
        process.arguments = [
            Self.repository.appending(path: "Tests/Interop/mock_cluster.py").path, "\(brokers)", "\(Int(milliseconds))",
        ]
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = ""
        while !line.contains("\n") {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { break }
            line += String(decoding: more, as: UTF8.self)
        }
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == "bootstrap", let address = Address.list(String(words[1]))?.first else {
            throw DidNotStart(output: line)
        }
        self.address = address
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
