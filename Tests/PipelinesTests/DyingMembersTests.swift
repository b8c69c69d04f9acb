import Base
import BrokerTestKit
import CZlib
import Events
import Exports
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import NIOPosix
import Pipelines
import Records
import SystemPackage
import TestKit
import Testing

/// Whole pipelines against the real broker in this process, the export on a disk that can be cut.
@Suite(.timeLimit(.minutes(3))) struct DyingMembersTests {
    private static let partitions: Int32 = 3

    private static func settings() -> PipelineSettings {
        var export = ExportSettings()
        export.commit.ageMax = .milliseconds(300)
        export.openFilesMax = 2
        return PipelineSettings(
            name: "nginx", topics: ["nginx.access"], steps: Steps(parser: NginxLineParser.combined),
            sinks: [.export(ExportSinkSettings(root: .local("/export"), table: "nginx", settings: export))])
    }

    private static func line(_ number: Int) -> [UInt8] {
        if number % 50 == 49 { return Array("not of nginx \(number)".utf8) }
        let minute = number % 180
        let clock = "0\(minute / 60 + 7):\(minute % 60 < 10 ? "0" : "")\(minute % 60):00"
        return Array(
            #"192.0.2.1 - - [22/Nov/2026:\#(clock) +0000] "GET /\#(number) HTTP/1.1" 200 5 "-" "x""#.utf8)
    }

    /// Appends lines `numbers` to their partitions; line n goes to partition n % 3.
    private static func produce(_ numbers: Range<Int>, _ cluster: KafkaCluster) async throws {
        for partition in 0..<partitions {
            let records = numbers.filter { $0 % Int(partitions) == Int(partition) }.map {
                NewRecord(timestamp: Timestamp(milliseconds: 1_795_330_801_000), key: nil, value: line($0))
            }
            guard !records.isEmpty else { continue }
            var data = ProduceRequest.PartitionProduceData()
            data.index = partition
            data.records = try RecordBatch.build(records, codec: .gzip).bytes
            var topic = ProduceRequest.TopicProduceData()
            topic.name = "nginx.access"
            topic.partitionData = [data]
            var request = ProduceRequest()
            request.acks = -1
            request.timeoutMs = 10_000
            request.topicData = [topic]
            let answer = try await cluster.send(
                request, to: .leader(TopicPartition(topic: "nginx.access", partition: partition)), version: 9)
            #expect(answer.responses[0].partitionResponses[0].errorCode == .none)
        }
    }

    /// How often each line stands in the table.
    private static func table(_ fileSystem: SimulatedFileSystem) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        guard try fileSystem.exists("/export/nginx") else { return [:] }
        for path in try fileSystem.allFiles(below: "/export/nginx") {
            let bytes = try #require(try fileSystem.contents(of: path, bytesMax: .mib(64)))
            for row in try inflated(bytes).split(separator: UInt8(ascii: "\n")) {
                let event = try JSONLineParser().parse(Array(row))
                if case .string(let text) = event["request"] { counts[text, default: 0] += 1 }
                if case .string(let text) = event["line"] { counts[text, default: 0] += 1 }
            }
        }
        return counts
    }

    private static func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var buffer = ByteBuffer(
            bytes: try Codec.gzip.decompress(ByteBuffer(bytes: bytes), max: .mib(64)).readableBytesView)
        return buffer.readBytes(length: buffer.readableBytes) ?? []
    }

    private static func expectOnce(_ count: Int, _ fileSystem: SimulatedFileSystem) throws {
        let table = try table(fileSystem)
        let wrong = table.filter { $0.value != 1 }
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
        #expect(table.count == count)
    }

    private static func eventually(_ condition: () throws -> Bool) async throws {
        for _ in 0..<300 {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("not within 30 s")
    }

    private static func withTopic(_ body: (KafkaCluster) async throws -> Void) async throws {
        try await TestBroker.with { broker in
            let cluster = KafkaCluster(
                settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
            defer { cluster.shutDown() }
            try await Admin(cluster).createTopics([NewTopic("nginx.access", partitionCount: partitions)])
            try await body(cluster)
        }
    }

    @Test func everyLineIsInTheTableOnceAndTheGroupFollows() async throws {
        try await Self.withTopic { cluster in
            let fileSystem = SimulatedFileSystem()
            try await Self.produce(0..<500, cluster)
            let runtime = PipelineRuntime(settings: Self.settings(), cluster: cluster, fileSystem: fileSystem)
            async let run: Void = runtime.run()
            // A commit by age, without the traffic that would drive it.
            try await Self.eventually { try Self.table(fileSystem).count == 500 }
            try await Self.produce(500..<600, cluster)
            try await Self.eventually { runtime.rowCount == 600 }
            runtime.stop()
            try await run
            try Self.expectOnce(600, fileSystem)
            let folders = Set(
                try fileSystem.allFiles(below: "/export/nginx").map { $0.removingLastComponent().string })
            #expect(folders.contains("/export/nginx/dt=2026-11-22/hour=07"))
            #expect(folders.contains("/export/nginx/dt=2026-11-22/hour=09"))
            let all = (0..<Self.partitions).map { TopicPartition(topic: "nginx.access", partition: $0) }
            let committed = try await Admin(cluster).committedOffsets(group: "nginx", partitions: all)
            #expect(all.map { committed[$0]?.offset } == [Offset(200), Offset(200), Offset(200)])
        }
    }

    @Test func membersThatDieAndShareLoseAndRepeatNothing() async throws {
        try await Self.withTopic { cluster in
            let fileSystem = SimulatedFileSystem()
            var random = SeededRandom(seed: 17)
            for round in 0..<6 {
                try await Self.produce(round * 200..<(round + 1) * 200, cluster)
                let members = (0..<Int.random(in: 1...2, using: &random)).map { _ in
                    PipelineRuntime(settings: Self.settings(), cluster: cluster, fileSystem: fileSystem)
                }
                await withTaskGroup(of: Void.self) { group in
                    for member in members { group.addTask { try? await member.run() } }
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 200...1200, using: &random)))
                    // From here on nothing is written any more, as after a power cut.
                    fileSystem.stopAt(operation: fileSystem.operationCount + Int.random(in: 1...30, using: &random))
                    try? await Task.sleep(for: .milliseconds(200))
                    for member in members { member.stop() }
                }
                fileSystem.crash(using: &random, survival: round % 2 == 0 ? .torn : .dropUnsynced)
            }
            let last = PipelineRuntime(settings: Self.settings(), cluster: cluster, fileSystem: fileSystem)
            async let run: Void = last.run()
            try await Self.eventually { try Self.table(fileSystem).count == 1200 }
            last.stop()
            try await run
            try Self.expectOnce(1200, fileSystem)
        }
    }

    @Test func deletedRecordsStopThePipeline() async throws {
        try await Self.withTopic { cluster in
            let fileSystem = SimulatedFileSystem()
            try await Self.produce(0..<300, cluster)
            let store = LocalStore(root: "/export", fileSystem: fileSystem)
            let chain = ChainID(
                pipeline: "nginx", table: "nginx", topic: "nginx.access",
                topicID: try await cluster.topicID("nginx.access"), partition: 1)
            // As if 150 had been exported of a log that holds 100 only.
            _ = try store.append(
                CommitRecord(
                    chain: chain, index: 0, attempt: .random(), kind: .takeover, from: Offset(150), to: Offset(150),
                    leaderEpoch: .none, lastCommitIndex: -1, madeAt: .none))
            let runtime = PipelineRuntime(settings: Self.settings(), cluster: cluster, fileSystem: fileSystem)
            let error = await #expect(throws: ExportError.self) { try await runtime.run() }
            #expect(error?.code == .aheadOfLog)
        }
    }

    @Test func whatRetentionTookStopsThePipelineUntilTheGapIsAccepted() async throws {
        try await Self.withTopic { cluster in
            let fileSystem = SimulatedFileSystem()
            try await Self.produce(0..<300, cluster)
            let settings = Self.settings()
            let first = PipelineRuntime(settings: settings, cluster: cluster, fileSystem: fileSystem)
            async let run: Void = first.run()
            try await Self.eventually { try Self.table(fileSystem).count == 300 }
            first.stop()
            try await run
            try await Self.produce(300..<600, cluster)
            #expect(try await ExportGap.find(in: settings, on: cluster, fileSystem: fileSystem).isEmpty)
            try await Self.deleteRecords(of: 1, before: Offset(150), cluster)
            let second = PipelineRuntime(settings: settings, cluster: cluster, fileSystem: fileSystem)
            let error = await #expect(throws: ExportError.self) { try await second.run() }
            #expect(error?.code == .offsetOutOfRange)
            let gaps = try await ExportGap.find(in: settings, on: cluster, fileSystem: fileSystem)
            #expect(
                gaps.map(\.chain.partition) == [1] && gaps.map(\.from) == [Offset(100)]
                    && gaps.map(\.to) == [Offset(150)])
            for gap in gaps { #expect(try await gap.record(note: "retention").kind == .gap) }
            let third = PipelineRuntime(settings: settings, cluster: cluster, fileSystem: fileSystem)
            async let last: Void = third.run()
            try await Self.eventually { try Self.table(fileSystem).count == 550 }
            third.stop()
            try await last
            try Self.expectOnce(550, fileSystem)
        }
    }

    private static func deleteRecords(of partition: Int32, before offset: Offset, _ cluster: KafkaCluster) async throws
    {
        var asked = DeleteRecordsRequest.DeleteRecordsPartition()
        asked.partitionIndex = partition
        asked.offset = offset.rawValue
        var topic = DeleteRecordsRequest.DeleteRecordsTopic()
        topic.name = "nginx.access"
        topic.partitions = [asked]
        var request = DeleteRecordsRequest()
        request.topics = [topic]
        request.timeoutMs = 10_000
        let answer = try await cluster.send(
            request, to: .leader(TopicPartition(topic: "nginx.access", partition: partition)))
        #expect(answer.topics[0].partitions[0].errorCode == .none)
    }
}
