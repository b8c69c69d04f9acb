import Base
import Broker
import BrokerTestKit
import CZlib
import Events
import Exports
import Foundation
import KafkaClient
import NIOPosix
import Pipelines
import Records
import SystemPackage
import Telemetry
import Testing

/// A folder of its own, removed afterwards.
private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "millrace-pipeline-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(FilePath(folder.path))
}

/// The rows of every published file, as JSON objects.
private func rows(_ table: FilePath) throws -> [Value] {
    guard let files = FileManager.default.enumerator(atPath: table.string) else { return [] }
    var rows: [Value] = []
    for case let name as String in files where name.hasSuffix(".json.gz") {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: table.string).appending(path: name))
        for line in try gunzip(Array(bytes)).split(separator: 0x0a) { rows.append(try JSON.parse(Array(line))) }
    }
    return rows
}

private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let path = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID().uuidString).gz")
    try Data(bytes).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    guard let file = gzopen(path.path, "rb") else { return [] }
    defer { gzclose(file) }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        let count = gzread(file, &chunk, UInt32(chunk.count))
        if count <= 0 { return output }
        output += chunk.prefix(Int(count))
    }
}

private func member(_ value: Value, _ name: String) -> Value {
    if case .object(let fields) = value { return fields.first { $0.name == name }?.value ?? .null }
    return .null
}

/// Waits for the condition, which other tasks bring about.
private func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    for _ in 0..<600 {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("not within 30 s: \(what)")
}

@Suite struct RunningAPipeline {
    private func settings(_ root: FilePath, _ sinks: [SinkSettings]? = nil) -> PipelineSettings {
        var export = ExportSettings()
        export.commit.ageMax = .milliseconds(300)
        return PipelineSettings(
            name: "p", topics: ["nginx.access"], steps: Steps(parser: NginxLineParser.combined),
            sinks: sinks ?? [.export(ExportSinkSettings(root: .local(root), table: "nginx", settings: export))])
    }

    private func produce(_ range: Range<Int>, to cluster: KafkaCluster) async throws {
        var producer = try await RecordProducer.open(cluster: cluster, topic: "nginx.access", codec: .gzip)
        for number in range {
            let line =
                "192.0.2.1 - - [22/Nov/2026:0\(number % 3):00:01 +0000] \"GET /\(number) HTTP/1.1\" 200 5 \"-\" \"-\""
            try await producer.append(
                NewRecord(timestamp: SystemTime().wallTime, key: Array("k\(number % 5)".utf8), value: Array(line.utf8)))
        }
        try await producer.flush()
    }

    @Test func everyRecordStandsOnceInTheTableAlsoAcrossRestarts() async throws {
        try await withFolder { folder in
            try await TestBroker.with { broker in
                let cluster = KafkaCluster(
                    settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
                defer { cluster.shutDown() }
                try await Admin(cluster).createTopics([NewTopic("nginx.access", partitionCount: 3)])
                let table = folder.appending("nginx")
                for round in 0..<3 {
                    try await produce(round * 500..<(round + 1) * 500, to: cluster)
                    let runtime = PipelineRuntime(settings: settings(folder), cluster: cluster)
                    async let ended: Void = runtime.run()
                    if round == 1 {
                        // Stopped before its timer: what was read is committed on the way out.
                        try await eventually("rows of round 1") { runtime.rowCount > 0 }
                    } else {
                        try await eventually("the rows of round \(round)") {
                            try rows(table).count >= (round + 1) * 500
                        }
                    }
                    runtime.stop()
                    try await ended
                }
                let requests = try rows(table).map { member($0, "request").json }
                #expect(requests.count == 1500)
                #expect(Set(requests).count == 1500)
                let hours = try FileManager.default.contentsOfDirectory(atPath: table.appending("dt=2026-11-22").string)
                #expect(hours.sorted() == ["hour=00", "hour=01", "hour=02"])
            }
        }
    }

    /// A pipeline that can't reach its cluster or join its group says so, in the log once and on its health endpoint.
    @Test func aPipelineThatCannotJoinSaysSo() async throws {
        try await withFolder { folder in
            let log = RecordedLog()
            let health = Health()
            let broker = try await TestBroker.start()
            let address = broker.address
            await broker.shutDown()
            let cluster = KafkaCluster(
                settings: ClusterSettings(bootstrap: [address]), on: MultiThreadedEventLoopGroup.singleton,
                telemetry: log.telemetry)
            defer { cluster.shutDown() }
            let runtime = PipelineRuntime(
                settings: settings(folder), cluster: cluster, telemetry: log.telemetry, health: health)
            async let ended: Void = runtime.run()
            try await eventually("the reason on the health endpoint") {
                health.text.contains("can't connect to \(address)")
            }
            #expect(!health.isReady && health.isHealthy)
            #expect(health.text.contains("not a member of group"))
            let again = try await TestBroker.start(data: broker.settings.data) {
                $0.listeners = [ListenerSettings(bind: address)]
            }
            try await eventually("membership") { health.isReady }
            #expect(log.lines.filter { $0.hasPrefix("warning: broker \(address): can't connect") }.count == 1)
            #expect(log.lines.contains { $0.hasPrefix("info: broker \(address): works again after") })
            #expect(log.lines.contains { $0.contains("joined, generation 1") })
            runtime.stop()
            try await ended
            #expect(health.text.contains("stopped"))
            await again.shutDown()
            try FileManager.default.removeItem(atPath: broker.settings.data.string)
        }
    }

    @Test func aFileSinkHoldsEveryRow() async throws {
        try await withFolder { folder in
            try await TestBroker.with { broker in
                let cluster = KafkaCluster(
                    settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
                defer { cluster.shutDown() }
                try await Admin(cluster).createTopics([NewTopic("nginx.access", partitionCount: 2)])
                try await produce(0..<300, to: cluster)
                let path = folder.appending("out.jsonl")
                let runtime = PipelineRuntime(
                    settings: settings(folder, [.file(FileSinkSettings(path: path))]), cluster: cluster)
                async let ended: Void = runtime.run()
                try await eventually("300 lines") {
                    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path.string))) ?? Data()
                    return bytes.split(separator: 0x0a).count >= 300
                }
                runtime.stop()
                try await ended
                let lines = try Data(contentsOf: URL(fileURLWithPath: path.string)).split(separator: 0x0a)
                #expect(lines.count == 300)
                // A second run goes on where the group committed.
                let again = PipelineRuntime(
                    settings: settings(folder, [.file(FileSinkSettings(path: path))]), cluster: cluster)
                async let endedAgain: Void = again.run()
                try await produce(300..<310, to: cluster)
                try await eventually("10 more rows") { again.rowCount >= 10 }
                again.stop()
                try await endedAgain
                #expect(try Data(contentsOf: URL(fileURLWithPath: path.string)).split(separator: 0x0a).count == 310)
            }
        }
    }
}
