import Base
import BrokerTestKit
import Events
import KafkaClient
import NIOPosix
import Records
import Testing

@testable import Console

/// The console's JSON over a real broker.
@Suite struct ConsoleAPITests {
    private func with(
        limits: ConsoleSettings.Limits = .init(), _ body: (ConsoleAPI, KafkaCluster) async throws -> Void
    ) async throws {
        try await TestBroker.with { broker in
            let group = MultiThreadedEventLoopGroup.singleton
            let cluster = KafkaCluster(
                settings: Console.clusterSettings(ClusterSettings(bootstrap: [broker.address])), on: group)
            defer { cluster.shutDown() }
            var settings = ConsoleSettings(listen: broker.address)
            settings.limits = limits
            let time = SystemTime()
            let api = ConsoleAPI(
                cluster: cluster, settings: settings, time: time, sampler: ClusterSampler(cluster: cluster, time: time),
                statuses: StatusReader(cluster: cluster, topic: settings.statusTopic),
                nginx: NginxReader(cluster: cluster, settings: settings, time: time), searches: Slots(2),
                tails: Slots(2))
            try await body(api, cluster)
        }
    }

    private func produce(
        _ cluster: KafkaCluster, _ topic: String, partitions: Int32 = 1, _ lines: [String],
        key: (Int) -> String? = { _ in nil }
    ) async throws {
        try await Admin(cluster).ensureTopic(NewTopic(topic, partitionCount: partitions))
        var producer = try await RecordProducer.open(cluster: cluster, topic: topic, codec: .gzip)
        for (number, line) in lines.enumerated() {
            let time = Timestamp(milliseconds: SystemTime().wallTime.milliseconds - 600_000 + Int64(number) * 10)
            try await producer.append(
                NewRecord(timestamp: time, key: key(number).map { Array($0.utf8) }, value: Array(line.utf8)))
        }
        try await producer.flush()
    }

    /// The answer's object, with its status in `status`.
    private func ask(_ api: ConsoleAPI, _ target: String) async throws -> Value {
        let request = try #require(Request(target: target))
        let response = await api.answer(request)
        guard case .bytes(let bytes) = response.body else { return .null }
        guard case .object(let fields) = try JSON.parse(bytes) else { return .null }
        return .object(fields + [Field("status", .int(Int64(response.status.code)))])
    }

    private func texts(_ answer: Value) -> [String] {
        answer["rows"].elements.compactMap { if case .string(let text) = $0["text"] { text } else { nil } }
    }

    @Test func theNewestComeFirstAndASearchGoesBackToTheBeginning() async throws {
        try await with { api, cluster in
            let lines = (0..<12_000).map { "line \($0)" }
            try await produce(cluster, "app", lines)
            let newest = try await ask(api, "/api/records?topic=app&limit=3")
            #expect(texts(newest) == ["line 11999", "line 11998", "line 11997"])
            let needle = try await ask(api, "/api/records?topic=app&where=line+%3D%3D+'line+7'")
            #expect(texts(needle) == ["line 7"])
            #expect(needle["end"] == .string("complete"))
            #expect(needle["records_read"] == .int(12_000))
        }
    }

    @Test func offsetTimeKeyAndTextNarrowASearch() async throws {
        try await with { api, cluster in
            try await produce(cluster, "app", (0..<100).map { "line \($0)" }) { $0 % 2 == 0 ? "even" : "odd" }
            let byOffset = try await ask(api, "/api/records?topic=app&partition=0&from=offset&at=40&limit=2")
            #expect(texts(byOffset) == ["line 40", "line 41"])
            #expect(byOffset["next"] == .int(42))
            let byKey = try await ask(api, "/api/records?topic=app&from=earliest&key=odd&limit=2")
            #expect(texts(byKey) == ["line 1", "line 3"])
            let byText = try await ask(api, "/api/records?topic=app&from=earliest&contains=e+9")
            #expect(texts(byText).count == 11)
            let row = try await ask(api, "/api/record?topic=app&partition=0&offset=90")
            let time = try #require(row["time"].int)
            let byTime = try await ask(api, "/api/records?topic=app&from=time&at=\(time)")
            #expect(texts(byTime).first == "line 90" && texts(byTime).count == 10)
        }
    }

    @Test func severalPartitionsAreMergedByTime() async throws {
        try await with { api, cluster in
            try await produce(cluster, "app", partitions: 3, (0..<300).map { "line \($0)" }) { "key \($0)" }
            let first = try await ask(api, "/api/records?topic=app&from=earliest&limit=20")
            #expect(texts(first) == (0..<20).map { "line \($0)" })
            let last = try await ask(api, "/api/records?topic=app&limit=20")
            #expect(texts(last) == (280..<300).reversed().map { "line \($0)" })
        }
    }

    @Test func aSearchStopsAtItsLimitAndSaysSo() async throws {
        var limits = ConsoleSettings.Limits()
        limits.scannedRecordsMax = 1_000
        try await with(limits: limits) { api, cluster in
            try await produce(cluster, "app", (0..<50_000).map { "line \($0)" })
            let answer = try await ask(api, "/api/records?topic=app&from=earliest&contains=nowhere")
            #expect(answer["end"] == .string("records"))
            let read = try #require(answer["records_read"].int)
            #expect(read >= 1_000 && read < 50_000)
            #expect(answer["next"].int == read)
        }
    }

    @Test func aLongLineIsCutBetweenCharactersAndGivenWhole() async throws {
        try await with { api, cluster in
            let long = "a" + String(repeating: "é", count: 100_000)
            try await produce(cluster, "app", [long])
            let listed = try await ask(api, "/api/records?topic=app")
            let text = try #require(texts(listed).first)
            #expect(text.utf8.count <= 2_048 && long.hasPrefix(text))
            #expect(listed["rows"].elements[0]["cut"] == .bool(true))
            #expect(listed["rows"].elements[0]["bytes"] == .int(200_001))
            let whole = try await ask(api, "/api/record?topic=app&partition=0&offset=0")
            #expect(whole["text"] == .string(long) && whole["cut"] == .bool(false))
        }
    }

    @Test func whatIsWrongIsSaidWithItsStatus() async throws {
        try await with { api, cluster in
            try await produce(cluster, "app", ["x"])
            for (target, status) in [
                ("/api/records", 400), ("/api/records?topic=none", 404), ("/api/records?topic=app&partition=9", 404),
                ("/api/records?topic=app&where=status+%3D", 400), ("/api/records?topic=app&from=offset", 400),
                ("/api/records?topic=app&from=time&at=yesterday", 400), ("/api/records?topic=app&parse=xml", 400),
                ("/api/group?group=none", 404), ("/api/agent?agent=none", 404), ("/api/nothing", 404),
                ("/api/record?topic=app&partition=0&offset=1", 404),
                ("/api/record?topic=app&partition=0&offset=0", 200),
            ] as [(String, Int64)] {
                let answer = try await ask(api, target)
                #expect(answer["status"] == .int(status), "\(target): \(answer.json)")
                if status != 200 { #expect(answer["error"] != .null, "\(target)") }
            }
        }
    }

    @Test func theOverviewCountsWhatStandsInTheTopics() async throws {
        try await with { api, cluster in
            try await produce(cluster, "app", (0..<500).map { "line \($0)" })
            let overview = try await ask(api, "/api/overview")
            #expect(overview["trouble"] == .null)
            #expect(overview["topics_total"] == .int(1))
            #expect(overview["topics"].elements.first?["records"] == .int(500))
            #expect((overview["bytes_total"].int ?? 0) > 0)
            let topic = try await ask(api, "/api/topic?topic=app")
            #expect(topic["partitions"].elements.first?["end"] == .int(500))
            #expect(topic["configs"].elements.contains { $0["name"] == .string("retention.ms") })
        }
    }
}
