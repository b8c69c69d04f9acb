import Base
import BrokerTestKit
import KafkaClient
import NIOPosix
import Records
import Synchronization
import SystemPackage
import Telemetry
import TestKit
import Testing

@testable import Agent

/// The real agent, the real broker and loopback between them.
@Suite(.serialized) struct AgentToBroker {
    /// A folder of log files that grows and rotates.
    private final class LogFolder: @unchecked Sendable {
        let path: FilePath
        private let files = PosixFileSystem()
        private var written = 0
        private var size: Int64 = 0
        private var rotations = 0

        init() throws {
            path = FilePath("/tmp/millrace-shipping-\(UInt64.random(in: 0...UInt64.max))")
            try files.createDirectory(path)
        }

        var log: FilePath { path.appending("app.log") }
        var count: Int { written }

        func append(_ lines: Int) throws {
            var text = ""
            for index in written..<written + lines { text += "line \(index) of the log, with some more text\n" }
            let file = try files.open(log, .create)
            let bytes = Array(text.utf8)
            try bytes.withUnsafeBytes { try file.write($0, at: size) }
            size += Int64(bytes.count)
            written += lines
        }

        func rotate() throws {
            rotations += 1
            try files.rename(log, to: path.appending("app.log.\(20_261_123_000_000 + rotations)"))
            size = 0
        }

        func remove() {
            for entry in (try? files.list(path)) ?? [] { try? files.unlink(path.appending(entry.name)) }
            try? files.removeDirectory(path)
        }
    }

    private func settings(_ broker: TestBroker, _ folder: LogFolder) -> AgentSettings {
        var settings = AgentSettings(brokers: [broker.address], host: "web-1")
        settings.state = "/state"
        settings.files = [FileInputSettings(paths: [folder.log.string], topic: "app")]
        settings.seal.linger = .milliseconds(10)
        settings.intents.capacity = .mib(40)
        settings.statusInterval = .milliseconds(200)
        return settings
    }

    private func agent(
        _ settings: AgentSettings, state: any FileSystem, telemetry: Telemetry = .silent
    ) -> Agent {
        Agent(
            settings: settings, telemetry: telemetry, on: MultiThreadedEventLoopGroup.singleton, fileSystem: state
        ) { checkpoints, nextStreamID in
            [
                try FileTailer(
                    sources: settings.files, settings: settings.tailer, checkpoints: checkpoints,
                    nextStreamID: nextStreamID)
            ]
        }
    }

    /// How often each line stands in the topic.
    private func tally(_ broker: TestBroker, topic: String) async throws -> [String: Int] {
        let cluster = KafkaCluster(
            settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
        defer { cluster.shutDown() }
        guard let count = try? await cluster.partitionCount(topic) else { return [:] }
        var ends: [TopicPartition: Offset] = [:]
        for number in 0..<Int32(count) {
            let partition = TopicPartition(topic: topic, partition: number)
            let end = try await cluster.offset(of: partition, at: .latest).offset
            if end > .zero { ends[partition] = end }
        }
        var tally: [String: Int] = [:]
        guard !ends.isEmpty else { return tally }
        let reader = PartitionReader(cluster: cluster, partitions: ends.mapValues { _ in .earliest })
        var reached: [TopicPartition: Offset] = [:]
        try await reader.run { data in
            for batch in data.batches {
                var records = try batch.records(decompressedMax: .mib(64))
                while let record = try records.next() {
                    tally[String(decoding: record.value?.readableBytesView ?? .init(), as: UTF8.self), default: 0] += 1
                }
            }
            reached[data.partition] = data.nextOffset
            return !ends.allSatisfy { (reached[$0.key] ?? .zero) >= $0.value }
        }
        return tally
    }

    private func waitUntil(_ what: String, _ isTrue: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("waited in vain for \(what)")
    }

    private func expectEach(once tally: [String: Int], _ count: Int) {
        #expect(tally.count == count)
        #expect(tally.values.allSatisfy { $0 == 1 }, "\(tally.filter { $0.value != 1 }.prefix(3))")
    }

    @Test func shipsAFileThatGrowsAndStopsCleanly() async throws {
        try await TestBroker.with { broker in
            let folder = try LogFolder()
            defer { folder.remove() }
            try folder.append(5000)
            let agent = agent(settings(broker, folder), state: SimulatedFileSystem())
            let running = Task { try await agent.run() }
            // What was rotated away before the first run is none of its business.
            try await waitUntil("the first lines") { try await !tally(broker, topic: "app").isEmpty }
            for _ in 0..<10 {
                try folder.append(500)
                try folder.rotate()
                try await Task.sleep(for: .milliseconds(50))
            }
            try folder.append(10)
            try await waitUntil("all lines") { try await tally(broker, topic: "app").count == folder.count }
            agent.stop()
            try await running.value
            expectEach(once: try await tally(broker, topic: "app"), folder.count)
        }
    }

    /// The agent dies at some call to its disk, again and again; its lines stand in the broker once.
    @Test func diesAgainAndAgainAndShipsEachLineOnce() async throws {
        try await TestBroker.with { broker in
            let folder = try LogFolder()
            defer { folder.remove() }
            let state = SimulatedFileSystem()
            var random = SeededRandom(seed: 11)
            // What is rotated away before an agent has ever noted where its sources stand is not wanted: on a slow machine no life below is
            // long enough for that.
            try folder.append(100)
            let first = agent(settings(broker, folder), state: state)
            let life = Task { try await first.run() }
            try await waitUntil("the first lines") { try await tally(broker, topic: "app").count == 100 }
            first.stop()
            try await life.value
            for _ in 0..<25 {
                let agent = agent(settings(broker, folder), state: state)
                let running = Task { try await agent.run() }
                try folder.append(300)
                if random.oneIn(4) { try folder.rotate() }
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...60, using: &random)))
                state.stopAt(operation: state.operationCount + Int.random(in: 1...6, using: &random))
                try folder.append(100)
                // Without another call to the disk it lives on: then it is stopped.
                let stopping = Task {
                    try? await Task.sleep(for: .milliseconds(300))
                    agent.stop()
                }
                _ = try? await running.value
                stopping.cancel()
                if random.oneIn(2) {
                    state.processKilled()
                } else {
                    state.crash(using: &random, survival: .torn)
                }
                state.stopAt(operation: nil)
            }
            let agent = agent(settings(broker, folder), state: state)
            let running = Task { try await agent.run() }
            try await waitUntil("all lines") { try await tally(broker, topic: "app").count == folder.count }
            agent.stop()
            try await running.value
            expectEach(once: try await tally(broker, topic: "app"), folder.count)
        }
    }

    @Test func tellsAboutItselfInTheStatusTopic() async throws {
        try await TestBroker.with { broker in
            let folder = try LogFolder()
            defer { folder.remove() }
            try folder.append(100)
            let agent = agent(settings(broker, folder), state: SimulatedFileSystem())
            let running = Task { try await agent.run() }
            try await waitUntil("the status") {
                let statuses = (try? await tally(broker, topic: "__millrace_status")) ?? [:]
                return statuses.keys.contains { $0.contains("\"lines\":100") && $0.contains("\"pending_batches\":0") }
            }
            agent.stop()
            try await running.value
        }
    }

    @Test func waitsForABrokerAndStopsWithoutOne() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        var settings = AgentSettings(brokers: [.init(host: "127.0.0.1", port: 1)], host: "web-1")
        settings.state = "/state"
        settings.files = [FileInputSettings(paths: [folder.log.string], topic: "app")]
        let agent = agent(settings, state: SimulatedFileSystem())
        let running = Task { try await agent.run() }
        try await Task.sleep(for: .milliseconds(200))
        agent.stop()
        try await running.value
    }

    @Test func aSecondAgentOnTheSameStateIsRefused() async throws {
        try await TestBroker.with { broker in
            let folder = try LogFolder()
            defer { folder.remove() }
            let state = SimulatedFileSystem()
            let first = agent(settings(broker, folder), state: state)
            let running = Task { try await first.run() }
            try await waitUntil("the lock") { (try? state.exists("/state/intents.checkpoint")) ?? false }
            await #expect(throws: FileError.self) { try await agent(settings(broker, folder), state: state).run() }
            first.stop()
            try await running.value
        }
    }
}
