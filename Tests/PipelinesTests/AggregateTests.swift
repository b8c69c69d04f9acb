import Base
import Events
import Exports
import KafkaClient
import Records
import Settings
import Telemetry
import TestKit
import Testing

@testable import KafkaClient
@testable import Pipelines

private let standard = "window: 60s\n      lateness: 10s\n      values: {n: count, sum: {sum: v}}"

private func settings(_ aggregate: String, steps: String = "[{parse: json}]") throws -> PipelineSettings {
    try PipelineSettings(
        yaml: try YAMLNode.parse(
            "pipeline: p\nfrom: {topics: [t]}\nsteps: \(steps)\nto:\n  - aggregate:\n      topic: r\n      \(aggregate)\n",
            file: "p.yaml"))
}

private func aggregate(_ text: String) throws -> AggregateSinkSettings {
    guard case .aggregate(let aggregate) = try settings(text).sinks[0] else { throw PipelineError("no aggregate") }
    return aggregate
}

@Suite struct WindowMachineTests {
    private static let base: Int64 = 1_795_330_800_000  // 2026-11-22T07:00:00Z

    /// Rows as (second, value); `told` is what came of each window, as "second: n sum".
    private struct Rig {
        var machine: WindowMachine
        var offset: Int64 = 0
        var told: [String] = []

        init(_ text: String = standard) throws { machine = WindowMachine(try aggregate(text).window) }

        @discardableResult
        mutating func take(_ second: Int64, _ value: Int64 = 1, arrival: Int64? = nil) -> WindowMachine.Verdict {
            let time = Timestamp(milliseconds: base + second * 1000)
            let verdict = machine.took(
                Event([Field("v", .int(value))]), time: time, offset: Offset(offset),
                arrival: Timestamp(milliseconds: base + (arrival ?? second) * 1000), recordHash: 1)
            offset += 1
            for result in machine.close() {
                let values = result.values.map(\.json).joined(separator: " ")
                told.append("\((result.start.milliseconds - base) / 1000): \(values)")
            }
            return verdict
        }
    }

    @Test func aWindowIsToldWhenTheWatermarkPassesItsEnd() throws {
        var rig = try Rig()
        rig.take(0, 5)
        rig.take(59, 7)
        rig.take(61)
        rig.take(69)
        #expect(rig.told.isEmpty && rig.machine.resume == Offset(0))
        rig.take(70)
        #expect(rig.told == ["0: 2 12"] && rig.machine.resume == Offset(2))
    }

    @Test func whatComesOutOfOrderIsCountedUntilItsWindowIsTold() throws {
        var rig = try Rig()
        rig.take(65)
        #expect(rig.take(58) == .counted)
        rig.take(75)
        #expect(rig.told == ["0: 1 1"])
        #expect(rig.take(59) == .late)
        rig.take(131)
        #expect(rig.told == ["0: 1 1", "60: 2 2"])
    }

    @Test func hoppingWindowsOverlap() throws {
        var rig = try Rig("window: 60s\n      every: 20s\n      lateness: 0s\n      values: {n: count}")
        rig.take(0)
        rig.take(30)
        rig.take(100)
        #expect(rig.told == ["-40: 1", "-20: 2", "0: 2", "20: 1"])
    }

    @Test func aClockThatRunsAheadClosesNothing() throws {
        var rig = try Rig()
        rig.take(10)
        rig.take(100_000, arrival: 12)
        #expect(rig.take(20) == .counted && rig.told.isEmpty)
        rig.take(70)
        #expect(rig.told == ["0: 2 2"])
    }

    @Test func anIdlePartitionsWindowsCloseByTheClock() throws {
        var rig = try Rig()
        rig.take(10)
        rig.machine.idle(until: Timestamp(milliseconds: Self.base + 69_000))
        #expect(!rig.machine.isDue)
        rig.machine.idle(until: Timestamp(milliseconds: Self.base + 70_000))
        #expect(rig.machine.isDue && rig.machine.close().count == 1)
        #expect(rig.take(20) == .late)
    }

    @Test func groupsBeyondTheLimitAreCountedTogether() throws {
        var machine = WindowMachine(
            try aggregate("window: 60s\n      by: [g]\n      groups: 2\n      values: {n: count}").window)
        for group in ["a", "b", "c", "d", "a"] {
            _ = machine.took(
                Event([Field("g", .string(group))]), time: Timestamp(milliseconds: Self.base), offset: Offset(0),
                arrival: Timestamp(milliseconds: Self.base), recordHash: 1)
        }
        machine.idle(until: Timestamp(milliseconds: Self.base + 1_000_000))
        let counts = Dictionary(
            uniqueKeysWithValues: machine.close().map { ($0.group[0].plainText, $0.values[0].plainText) })
        #expect(counts == ["a": "2", "b": "1", "__other__": "2"])
    }

    @Test func windowsThatAreOpenAreBounded() throws {
        var settings = try aggregate(standard).window
        settings.windowsMax = 3
        var machine = WindowMachine(settings)
        let verdicts = (0..<5).map { minute in
            machine.took(
                Event([]), time: Timestamp(milliseconds: Self.base - minute * 60_000), offset: Offset(minute),
                arrival: Timestamp(milliseconds: Self.base - 1_000_000), recordHash: 1)
        }
        #expect(verdicts == [.counted, .counted, .counted, .late, .late] && machine.openCount == 3)
    }

    @Test func everyKindOfValue() throws {
        var machine = WindowMachine(
            try aggregate(
                """
                window: 10s
                      values:
                        n: {count: v > 1}
                        rate: rate
                        share: {share: v > 1}
                        sum: {sum: v}
                        min: {min: v}
                        max: {max: v}
                        avg: {avg: v}
                        median: {quantile: 0.5, of: v}
                        top: {top: s, k: 1}
                        different: {distinct: s}
                """
            ).window)
        let rows: [(Value, String?)] = [
            (.int(1), "a"), (.double(2.5), "b"), (.int(4), "a"), (.string("x"), nil), (.null, "c"),
        ]
        for (value, text) in rows {
            _ = machine.took(
                Event([Field("v", value), Field("s", text.map { .string($0) } ?? .null)]),
                time: Timestamp(milliseconds: Self.base), offset: Offset(0),
                arrival: Timestamp(milliseconds: Self.base),
                recordHash: 1)
        }
        machine.idle(until: Timestamp(milliseconds: Self.base + 1_000_000))
        let values = try #require(machine.close().first?.values.map(\.json))
        #expect(values[0..<7] == ["2", "0.5", "0.4", "7.5", "1", "4", "2.5"])
        #expect(abs((Double(values[7]) ?? 0) - 2.5) < 0.026)
        #expect(values[8] == #"[{"value":"a","count":2}]"# && values[9] == "3")
    }
}

@Suite struct AggregateSinkTests {
    private static let partition = TopicPartition(topic: "t", partition: 0)
    private static let count: Int64 = 400

    /// Seconds of the records: forward, with steps back within the lateness.
    private static func second(_ offset: Int64) -> Int64 { offset * 2 - (offset % 7) }

    private static func fetched(_ offsets: Range<Int64>) throws -> FetchedPartition {
        let base: Int64 = 1_795_330_800_000
        let records = offsets.map { offset in
            let time = Value.timestamp(Timestamp(milliseconds: base + second(offset) * 1000)).json
            return NewRecord(
                timestamp: Timestamp(milliseconds: base + offset * 2000 + 5000),
                value: Array(#"{"time":\#(time),"v":\#(offset),"g":"\#(offset % 3)"}"#.utf8))
        }
        return FetchedPartition(
            partition: partition, topicID: .zero, leaderEpoch: LeaderEpoch(3), startOffset: Offset(offsets.lowerBound),
            nextOffset: Offset(offsets.upperBound),
            batches: [try RecordBatch.build(records, baseOffset: Offset(offsets.lowerBound))],
            highWatermark: Offset(count), lastStableOffset: Offset(count), logStartOffset: Offset(0))
    }

    private static func task(_ log: MemoryLog, _ time: ManualTime) throws -> PartitionTask {
        let pipeline = try settings(
            "window: 60s\n      every: 30s\n      lateness: 15s\n      by: [g]\n      values: {n: count, sum: {sum: v}, d: {distinct: v}, top: {top: g}}"
        )
        guard case .aggregate(let aggregate) = pipeline.sinks[0] else { throw PipelineError("no aggregate") }
        let sink = AggregateSink(
            log: log, settings: aggregate, partition: partition, pipeline: "p", time: time, telemetry: .silent)
        return PartitionTask(partition: partition, topicID: .zero, steps: pipeline.steps, sinks: [sink])
    }

    /// Runs to the end, with an attempt that fails at a write and the ones after it; what each record's value was.
    private static func results(failing: (at: Int, WriteFailure)?, batch: Int64) async throws -> [String] {
        let written = MemoryLog.Written()
        var groupOffset: Offset?
        for attempt in 0..<3 {
            let time = ManualTime(wallTime: Timestamp(milliseconds: 1_795_330_800_000))
            let task = try Self.task(MemoryLog(written, failure: attempt == 0 ? failing : nil), time)
            do {
                try await task.start(committed: groupOffset)
                var next = task.position?.rawValue ?? 0
                while next < count {
                    let end = min(next + batch, count)
                    _ = try await task.take(fetched(next..<end))
                    next = end
                    groupOffset = task.committable?.offset ?? groupOffset
                }
                // No record comes any more: the clock closes what is open.
                time.advance(by: .seconds(7200))
                try await task.tick()
                try await task.stop()
                return written.records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
            } catch is MemoryLog.Broken {
                await task.abandon()
            }
        }
        throw PipelineError("it never ended")
    }

    @Test func eachResultIsToldOnceWhateverWriteFails() async throws {
        let whole = try await Self.results(failing: nil, batch: 17)
        #expect(whole.count > 60 && Set(whole).count == whole.count)
        #expect(
            whole[0].hasPrefix(
                #"{"aggregate":"r","window_start":"2026-11-22T06:59:30.000Z","window_end":"2026-11-22T07:00:30.000Z","g":"0","n":"#
            ))
        for failure in WriteFailure.allCases {
            for at in 1...14 {
                let found = try await Self.results(failing: (at, failure), batch: at % 2 == 0 ? 17 : 29)
                #expect(found == whole, "\(failure) at write \(at)")
            }
        }
    }

    @Test func everyRecordIsInItsWindowsOnce() async throws {
        let results = try await Self.results(failing: nil, batch: 50)
        var sum: Int64 = 0
        for result in results {
            guard case .object(let fields) = try JSON.parse(Array(result.utf8)),
                case .int(let part) = Event(fields)["sum"]
            else { throw PipelineError("no sum in \(result)") }
            sum += part
        }
        // Each record lies in two windows.
        #expect(sum == 2 * (0..<Self.count).reduce(0, +))
    }
}

@Suite struct AggregateMetricsTests {
    @Test func theLastWindowsNumbersStandInTheMetrics() throws {
        let start = Timestamp(milliseconds: 0)
        func told(_ metrics: Bool) throws -> String {
            let aggregate = try aggregate(
                "window: 60s\n      by: [g]\n      metrics: \(metrics)\n      values: {n: count, top: {top: g}}")
            func result(_ start: Timestamp, _ group: String, _ count: Int64) -> WindowMachine.Result {
                .init(
                    start: start, end: start + .seconds(60), group: [.string(group)], values: [.int(count), .list([])])
            }
            let registry = MetricRegistry()
            WindowsTold(
                pipeline: "p", settings: aggregate, partition: TopicPartition(topic: "t", partition: 2),
                results: [
                    result(start, "a", 1), result(start + .seconds(60), "a", 2), result(start + .seconds(60), "b", 3),
                ]
            ).measure(in: registry)
            return registry.prometheusText()
        }
        let text = try told(true)
        #expect(text.contains(#"millrace_pipeline_results_total{aggregate="r",pipeline="p"} 3"#))
        for (group, count) in [("a", 2), ("b", 3)] {
            #expect(
                text.contains(
                    #"millrace_pipeline_aggregate{aggregate="r",group="\#(group)",partition="2",pipeline="p",topic="t",value="n"} \#(count)"#
                ))
        }
        #expect(!text.contains(#"value="top""#))
        #expect(try !told(false).contains("millrace_pipeline_aggregate{"))
    }
}

@Suite struct AggregateSettingsTests {
    @Test(arguments: [
        ("values: {n: count}", "'window' is missing"), ("window: 60s", "'values' is missing"),
        ("window: 60s\n      values: {}", "at least one value"),
        ("window: 60s\n      every: 7s\n      values: {n: count}", "p.yaml:8:14: expected a part of the window"),
        ("window: 60s\n      values: {n: cuont}", "count, rate, or one of"),
        ("window: 60s\n      values: {n: {smu: v}}", "did you mean 'sum'?"),
        ("window: 60s\n      values: {n: {sum: status, max: status}}", "one of count"),
        ("window: 60s\n      values: {n: {sum: stauts}}", "did you mean 'status'?"),
        ("window: 60s\n      values: {n: {sum: request}}", "a number is wanted, 'request' is a string"),
        ("window: 60s\n      values: {n: {count: status ==}}", "expression, column"),
        ("window: 60s\n      values: {n: {quantile: 95, of: status}}", "a quantile from 0 to 1"),
        ("window: 60s\n      values: {n: {quantile: 0.5}}", "'of' is missing"),
        ("window: 60s\n      by: [stauts]\n      values: {n: count}", "did you mean 'status'?"),
        ("window: 60s\n      by: [status]\n      values: {status: count}", "the name of another field"),
        ("windw: 60s\n      values: {n: count}", "did you mean 'window'?"),
    ])
    func mistakesAreSaidWithTheirPlace(text: String, wanted: String) {
        let error = #expect(throws: SettingsError.self) { try settings(text, steps: "[{parse: nginx}]") }
        #expect("\(error.map { "\($0)" } ?? "")".contains(wanted), "\(error.map { "\($0)" } ?? "")")
    }

    @Test func itsOwnResultsAreNotRead() {
        let error = #expect(throws: SettingsError.self) {
            try PipelineSettings(
                yaml: try YAMLNode.parse(
                    "{pipeline: p, from: {topics: t}, to: [{aggregate: {topic: t, window: 60s, values: {n: count}}}]}",
                    file: "p.yaml"))
        }
        #expect(error?.message.contains("read its own results") == true)
    }
}

@Suite struct RequestStepTests {
    @Test(arguments: [
        ("GET /a/b?c=1&d HTTP/1.1", "GET,/a/b,c=1&d,HTTP/1.1"), ("POST / HTTP/2.0", "POST,/,-,HTTP/2.0"),
        ("GET /old", "GET,/old,-,-"), ("", "-,-,-,-"), (#"\x16\x03"#, "-,-,-,-"), ("GET /a b HTTP/1.1", "-,-,-,-"),
        ("get / HTTP/1.1", "-,-,-,-"),
    ])
    func aRequestLineIsTakenApart(line: String, wanted: String) throws {
        let steps = try settings(standard, steps: "[{parse: json}, {request: {}}]").steps
        let json = Value.object([Field("request", .string(line))]).json
        guard case .row(let event, _) = steps.outcome(of: Array(json.utf8)) else { throw PipelineError("no row") }
        let parts = ["method", "path", "query", "protocol"].map { event[$0].isNull ? "-" : event[$0].plainText }
        #expect(parts.joined(separator: ",") == wanted)
    }
}
