import Base
import Events
import KafkaClient
import RemoteStores
import Settings
import Synchronization
import Testing

@testable import Pipelines

/// Answers in turn, and keeps what it was asked.
private final class ScriptedTransport: HTTPTransport {
    private let state: Mutex<(answers: [HTTPAnswer?], calls: [HTTPCall])>

    /// Nil is an answer that doesn't come.
    init(_ answers: [HTTPAnswer?]) { state = Mutex((answers, [])) }

    var calls: [HTTPCall] { state.withLock { $0.calls } }

    func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
        let answer = state.withLock { state in
            state.calls.append(call)
            return state.answers.isEmpty ? HTTPAnswer(status: 200) : state.answers.removeFirst()
        }
        guard let answer else { throw HTTPFailure(isUnsent: false, reason: "connection reset by peer") }
        return answer
    }

    func body(_ place: Int) -> String {
        guard case .bytes(let bytes) = calls[place].body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

private func answer(_ status: Int, _ body: String = "", _ headers: [HTTPHeader] = []) -> HTTPAnswer {
    HTTPAnswer(status: status, headers: headers, body: Array(body.utf8))
}

private func batch(_ target: some DeliveryTarget, _ offsets: [Int64]) -> DeliveryBatch {
    var batch = DeliveryBatch()
    var row = Row()
    for offset in offsets {
        row.fill(Event([Field("n", .int(offset)), Field("text", .string("a\"b"))]))
        target.encode(
            row, time: Timestamp(milliseconds: 1_795_330_801_000), offset: Offset(offset), timestamp: .none,
            into: &batch)
    }
    return batch
}

private let partition = TopicPartition(topic: "t", partition: 3)

@Suite struct WebhookTests {
    private func target(_ transport: ScriptedTransport, _ yaml: String = "") throws -> WebhookTarget {
        let text = "{url: 'https://user:pw@hook.example/in?key=s3cr3t'\(yaml)}"
        let settings = try WebhookSinkSettings(yaml: try YAMLNode.parse(text, file: "x"))
        return WebhookTarget(settings: settings, transport: transport, partition: partition)
    }

    @Test func anArrayOfRowsWithTheirPlaces() async throws {
        let transport = ScriptedTransport([])
        let target = try target(transport, ", headers: {x-token: t}")
        var rows = batch(target, [7, 9])
        #expect(try await target.deliver(&rows, position: Offset(10), leaderEpoch: .none) == 0)
        let call = try #require(transport.calls.first)
        #expect(call.method == "POST" && call.url == "https://user:pw@hook.example/in?key=s3cr3t")
        #expect(call.headers == [HTTPHeader("x-token", "t"), HTTPHeader("content-type", "application/json")])
        let place = #""kafka_topic":"t","kafka_partition":3,"kafka_offset":"#
        #expect(transport.body(0) == #"[{"n":7,"text":"a\"b",\#(place)7},{"n":9,"text":"a\"b",\#(place)9}]"#)
    }

    @Test func aLineForEachRow() async throws {
        let transport = ScriptedTransport([])
        let target = try target(transport, ", format: ndjson, method: PUT")
        var rows = batch(target, [7, 9])
        _ = try await target.deliver(&rows, position: Offset(10), leaderEpoch: .none)
        #expect(transport.calls[0].method == "PUT")
        #expect(transport.body(0).split(separator: "\n").count == 2 && transport.body(0).hasSuffix("}\n"))
    }

    @Test(arguments: [nil, 408, 425, 429, 500, 503] as [Int?])
    func troubleThatPasses(status: Int?) async throws {
        let target = try target(ScriptedTransport([status.map { answer($0, "", [HTTPHeader("Retry-After", "7")]) }]))
        var rows = batch(target, [7])
        let failure = await #expect(throws: DeliveryFailure.self) {
            _ = try await target.deliver(&rows, position: Offset(8), leaderEpoch: .none)
        }
        #expect(failure?.kind == .passing)
        #expect(failure?.pause == (status == nil ? nil : .seconds(7)))
        #expect(rows.rows.count == 1)
    }

    @Test(arguments: [301, 400, 401, 404, 413])
    func aRefusalStopsOrDrops(status: Int) async throws {
        let stops = try target(ScriptedTransport([answer(status, "not you")]))
        var rows = batch(stops, [7])
        let error = await #expect(throws: PipelineError.self) {
            _ = try await stops.deliver(&rows, position: Offset(8), leaderEpoch: .none)
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("\(status)") && text.contains("t-3 below offset 8") && text.contains("not you"))
        #expect(!text.contains("s3cr3t") && !text.contains("pw"), "\(text)")
        let drops = try target(ScriptedTransport([answer(status)]), ", on_error: drop")
        #expect(try await drops.deliver(&rows, position: Offset(8), leaderEpoch: .none) == 1)
    }
}

@Suite struct ClickHouseTests {
    private func target(_ transport: ScriptedTransport) throws -> ClickHouseTarget {
        let text = "{url: 'http://ch:8123/', table: logs.t, user: u, password: p, settings: {async_insert: 1}}"
        let settings = try ClickHouseSinkSettings(yaml: try YAMLNode.parse(text, file: "x"))
        return ClickHouseTarget(settings: settings, transport: transport, partition: partition)
    }

    @Test func anInsertOfRowsWithTheirPlaces() async throws {
        let transport = ScriptedTransport([])
        let target = try target(transport)
        var rows = DeliveryBatch()
        var row = Row()
        row.fill(Event([Field("n", .int(7))]))
        target.encode(
            row, time: nil, offset: Offset(7), timestamp: Timestamp(milliseconds: 1_795_330_801_000), into: &rows)
        #expect(try await target.deliver(&rows, position: Offset(8), leaderEpoch: .none) == 0)
        #expect(
            transport.calls[0].url
                == "http://ch:8123/?query=INSERT%20INTO%20%60logs%60.%60t%60%20FORMAT%20JSONEachRow"
                + "&input_format_skip_unknown_fields=1&date_time_input_format=best_effort&async_insert=1")
        #expect(
            transport.calls[0].headers == [HTTPHeader("x-clickhouse-user", "u"), HTTPHeader("x-clickhouse-key", "p")])
        #expect(
            transport.body(0)
                == #"{"n":7,"kafka_topic":"t","kafka_partition":3,"kafka_offset":7,"kafka_timestamp":"2026-11-22T07:00:01.000Z"}"#
                + "\n")
    }

    @Test(arguments: [
        (500, "Code: 60, e.displayText() = DB::Exception: Table default.t doesn't exist.", false),
        (404, "Code: 60. DB::Exception: Table default.t does not exist.", false),
        (500, "Code: 27, e.displayText() = DB::Exception: Cannot parse input", false), (401, "", false),
        (500, "Code: 252. DB::Exception: Too many parts", true), (500, "Code: 241. DB::Exception: Memory limit", true),
        (400, "Code: 202. DB::Exception: Too many simultaneous queries", true), (502, "<html>", true), (429, "", true),
    ])
    func theCodeTellsWhatPasses(status: Int, text: String, passes: Bool) async throws {
        let target = try target(ScriptedTransport([answer(status, text)]))
        var rows = batch(target, [7])
        do {
            _ = try await target.deliver(&rows, position: Offset(8), leaderEpoch: .none)
            Issue.record("it was taken")
        } catch {
            let kind: DeliveryFailure.Kind? = passes ? .passing : nil
            #expect((error as? DeliveryFailure)?.kind == kind, "\(error)")
            #expect((error is PipelineError) != passes)
        }
    }
}

@Suite struct BulkTests {
    private func target(_ transport: ScriptedTransport, _ yaml: String = "") throws -> BulkTarget {
        let text = "{url: 'http://es:9200/', index: 'logs-{dt}'\(yaml)}"
        let settings = try BulkSinkSettings(yaml: try YAMLNode.parse(text, file: "x"))
        return BulkTarget(settings: settings, transport: transport, partition: partition)
    }

    private func items(_ statuses: Int...) -> HTTPAnswer {
        let items = statuses.map { #"{"index":{"status":\#($0),"error":{"type":"kind","reason":"why"}}}"# }
        return answer(200, #"{"errors":true,"items":[\#(items.joined(separator: ","))]}"#)
    }

    @Test func documentsUnderTheIdsOfTheirRecords() async throws {
        let transport = ScriptedTransport([answer(200, #"{"errors":false}"#)])
        let target = try target(transport, ", user: elastic, password: pw")
        var rows = batch(target, [7])
        #expect(try await target.deliver(&rows, position: Offset(8), leaderEpoch: .none) == 0)
        #expect(transport.calls[0].url.hasPrefix("http://es:9200/_bulk?filter_path="))
        #expect(transport.calls[0].headers.contains(HTTPHeader("authorization", "Basic ZWxhc3RpYzpwdw==")))
        let lines = transport.body(0).split(separator: "\n")
        #expect(lines[0] == #"{"index":{"_index":"logs-2026.11.22","_id":"t-3-7"}}"#)
        #expect(
            lines[1]
                == #"{"n":7,"text":"a\"b","kafka_topic":"t","kafka_partition":3,"kafka_offset":7,"@timestamp":"2026-11-22T07:00:01.000Z"}"#
        )
    }

    @Test func whatWasTakenIsNotSentAgain() async throws {
        let transport = ScriptedTransport([items(201, 429, 200, 503), answer(200, #"{"errors":false}"#)])
        let target = try target(transport)
        var rows = batch(target, [1, 2, 3, 4])
        let failure = await #expect(throws: DeliveryFailure.self) {
            _ = try await target.deliver(&rows, position: Offset(5), leaderEpoch: .none)
        }
        #expect(failure?.kind == .passing && failure?.description.contains("2 of 4") == true)
        #expect(rows.rows.map(\.offset) == [Offset(2), Offset(4)])
        #expect(try await target.deliver(&rows, position: Offset(5), leaderEpoch: .none) == 0)
        #expect(transport.body(1).contains("t-3-2") && transport.body(1).contains("t-3-4"))
        #expect(!transport.body(1).contains("t-3-1") && !transport.body(1).contains("t-3-3"))
    }

    @Test func aRefusedDocumentStopsOrIsDropped() async throws {
        let stops = try target(ScriptedTransport([items(200, 400)]))
        var rows = batch(stops, [1, 2])
        let error = await #expect(throws: PipelineError.self) {
            _ = try await stops.deliver(&rows, position: Offset(3), leaderEpoch: .none)
        }
        #expect(error.map { "\($0)".contains("offset 2") && "\($0)".contains("kind: why") } == true)
        // Those that were dropped in an answer that asks for others again are counted, too.
        let drops = try target(ScriptedTransport([items(400, 429, 400), items(400)]), ", on_error: drop")
        var more = batch(drops, [1, 2, 3])
        await #expect(throws: DeliveryFailure.self) {
            _ = try await drops.deliver(&more, position: Offset(4), leaderEpoch: .none)
        }
        #expect(try await drops.deliver(&more, position: Offset(4), leaderEpoch: .none) == 3)
    }

    @Test func aDataStreamsConflictIsADocumentThatStands() async throws {
        let created = try target(ScriptedTransport([items(409)]), ", operation: create")
        var rows = batch(created, [1])
        #expect(try await created.deliver(&rows, position: Offset(2), leaderEpoch: .none) == 0)
        let indexed = try target(ScriptedTransport([items(409)]))
        var others = batch(indexed, [1])
        await #expect(throws: PipelineError.self) {
            _ = try await indexed.deliver(&others, position: Offset(2), leaderEpoch: .none)
        }
    }

    @Test(arguments: [
        answer(200, "<html>"), answer(200, "{}"), answer(200, #"{"errors":true,"items":[]}"#), answer(503), answer(429),
    ])
    func whatIsNoAnswerIsAskedForAgain(strange: HTTPAnswer) async throws {
        let target = try target(ScriptedTransport([strange]))
        var rows = batch(target, [1])
        let failure = await #expect(throws: DeliveryFailure.self) {
            _ = try await target.deliver(&rows, position: Offset(2), leaderEpoch: .none)
        }
        #expect(failure?.kind == .passing)
    }
}
