import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import Records
import Testing

@testable import KafkaClient

@Suite(.timeLimit(.minutes(1))) struct KafkaClusterTests {
    @Test func asksForTopicsLeadersAndOffsets() async throws {
        let broker = try await FakeBroker.start()
        let cluster = broker.cluster()
        let admin = Admin(cluster)
        let partition = TopicPartition(topic: "t", partition: 1)
        try await admin.createTopics([NewTopic("t", partitionCount: 2)])
        #expect(try await admin.ensureTopic(NewTopic("t", partitionCount: 2)) == false)
        let error = await #expect(throws: ClientError.self) { try await admin.createTopics([NewTopic("t")]) }
        #expect(error?.kafkaError == .topicAlreadyExists && error?.message.contains("it is there") == true)
        #expect(try await cluster.partitionCount("t") == 2)
        #expect(try await cluster.topicID("t") != .zero)
        #expect(try await cluster.leader(of: partition).broker == BrokerID(1))
        #expect(try await cluster.clusterID() == "fake")
        #expect(try await admin.listTopics().map(\.name) == ["t"])
        try broker.append(["a", "b"], to: partition)
        #expect(try await cluster.offset(of: partition, at: .latest).offset == Offset(2))
        #expect(try await cluster.offset(of: partition, at: .earliest).offset == .zero)
        broker.inject([.notLeaderOrFollower, .leaderNotAvailable], for: .listOffsets)
        #expect(try await cluster.offset(of: partition, at: .latest).offset == Offset(2))
        let producer = try await cluster.initProducerID()
        #expect(producer.id.rawValue > 1000 && producer.epoch == ProducerEpoch(0))
        try await admin.deleteTopics(["t"])
        let gone = await #expect(throws: ClientError.self) { try await cluster.leader(of: partition) }
        #expect(gone?.code == .noLeader && gone?.kafkaError == .unknownTopicOrPartition)
        cluster.shutDown()
        await broker.stop()
    }

    @Test func knownTopicsAreNotAskedForAgain() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster()
        for _ in 0..<20 { _ = try await cluster.topicInfo("t") }
        #expect(broker.state.withLock { $0.counts[.metadata] } == 1)
        cluster.doubt(topic: "t")
        _ = try await cluster.topicInfo("t")
        #expect(broker.state.withLock { $0.counts[.metadata] } == 2)
        // Callers that come together share one question.
        cluster.doubt(topic: "t")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await cluster.topicInfo("t") } }
            try await group.waitForAll()
        }
        #expect(broker.state.withLock { $0.counts[.metadata] ?? 0 } <= 4)
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aBrokerThatComesBackIsFoundAgain() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster()
        _ = try await cluster.topicInfo("t")
        let port = broker.address.port
        await broker.stop()
        let failed = await #expect(throws: ClientError.self) { try await cluster.refresh(["t"]) }
        #expect(failed?.isRetriable == true)
        let waiting = Task {
            try await cluster.retrying { () async throws(ClientError) in try await cluster.refresh(["t"]) }
        }
        try await Task.sleep(for: .milliseconds(200))
        try await broker.listen(port: port)
        #expect(try await waiting.value.topics["t"] != nil)
        cluster.shutDown()
        await broker.stop()
    }

    /// Tries fail by the dozen; a person reads of it twice.
    @Test func aBrokerThatIsAwayIsSaidOnceAndItsReturnToo() async throws {
        let log = RecordedLog()
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster(telemetry: log.telemetry)
        let address = broker.address
        await broker.stop()
        for _ in 0..<4 { await #expect(throws: ClientError.self) { try await cluster.refresh(["t"]) } }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("warning: broker \(address): can't connect to \(address)") == true)
        #expect(cluster.troubles.count == 1 && cluster.troubles[0].hasPrefix("broker \(address): "))
        #expect(log.metrics.counter("millrace_client_failures_total", [("of", "broker")]).value == 4)
        #expect(log.metrics.gauge("millrace_client_troubles").value == 1)
        try await broker.listen(port: address.port)
        _ = try await cluster.refresh(["t"])
        #expect(log.lines.dropFirst() == ["info: broker \(address): works again after 4 failed tries"])
        #expect(cluster.troubles.isEmpty)
        #expect(log.metrics.gauge("millrace_client_troubles").value == 0)
        cluster.shutDown()
        await broker.stop()
    }

    @Test func nobodyThereIsSaidClearly() async throws {
        let broker = try await FakeBroker.start()
        let cluster = broker.cluster()
        await broker.stop()
        let error = await #expect(throws: ClientError.self) { try await cluster.refresh([]) }
        #expect(error?.code == .noBroker && error?.message.contains("\(broker.address)") == true)
        cluster.shutDown()
        let closed = await #expect(throws: ClientError.self) { try await cluster.refresh([]) }
        #expect(closed?.code == .closed)
    }

    @Test func requestsReachTheLeaderInTheirOrder() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster()
        let partition = TopicPartition(topic: "t", partition: 0)
        let id = try await cluster.topicID("t")
        for round in 0..<3 {
            let records = [NewRecord(timestamp: Timestamp(milliseconds: 1), value: Array("\(round)".utf8))]
            var data = ProduceRequest.PartitionProduceData()
            data.records = try RecordBatch.build(records).bytes
            var topic = ProduceRequest.TopicProduceData()
            topic.name = "t"
            topic.topicId = id
            topic.partitionData = [data]
            var request = ProduceRequest()
            request.acks = -1
            request.timeoutMs = 1000
            request.topicData = [topic]
            let response = try await cluster.send(request, to: .leader(partition))
            #expect(response.responses[0].partitionResponses[0].baseOffset == Int64(round))
        }
        cluster.shutDown()
        await broker.stop()
    }

    @Test func readsPartitionsWithoutAGroup() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 2)
        let partitions = [TopicPartition(topic: "t", partition: 0), TopicPartition(topic: "t", partition: 1)]
        try broker.append((0..<5).map { "\($0)" }, to: partitions[0])
        try broker.append((0..<5).map { "\($0)" }, to: partitions[1])
        let cluster = broker.cluster()
        let reader = PartitionReader(
            cluster: cluster, partitions: [partitions[0]: .offset(Offset(3)), partitions[1]: .earliest])
        var next: [TopicPartition: Offset] = [:]
        try await reader.run { data in
            #expect(data.startOffset == (data.partition == partitions[0] ? Offset(3) : .zero))
            next[data.partition] = data.nextOffset
            return next.count < 2
        }
        #expect(next == [partitions[0]: Offset(5), partitions[1]: Offset(5)])
        let bad = PartitionReader(cluster: cluster, partitions: [partitions[0]: .offset(Offset(99))])
        let error = await #expect(throws: ClientError.self) { try await bad.run { _ in true } }
        #expect(error?.kafkaError == .offsetOutOfRange)
        cluster.shutDown()
        await broker.stop()
    }
}
