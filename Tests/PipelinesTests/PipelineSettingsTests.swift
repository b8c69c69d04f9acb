import Base
import Events
import Pipelines
import Settings
import Testing

private func settings(_ text: String) throws -> PipelineSettings {
    try PipelineSettings(yaml: try YAMLNode.parse(text, file: "pipeline.yaml"))
}

private func message(_ text: String) -> String {
    do {
        _ = try settings(text)
        return "no error"
    } catch { return "\(error)" }
}

private let whole = """
    pipeline: nginx-to-jsonl
    from: {topics: [nginx.access], start: earliest}
    steps:
      - parse: {nginx: {log_format: combined}, on_error: keep}
      - filter: status >= 500
    to:
      - export: {root: /srv/logs, table: nginx, format: jsonl, partition_by: [dt, hour], rotate: {age: 30s, size: 64MiB}}
      - file: {path: /srv/out/errors.jsonl}
    """

@Suite struct ReadingAPipeline {
    @Test func theDesignsShapeIsRead() throws {
        let pipeline = try settings(whole)
        #expect(pipeline.name == "nginx-to-jsonl" && pipeline.group == "nginx-to-jsonl")
        #expect(pipeline.topics == ["nginx.access"])
        #expect(pipeline.steps.filters.count == 1)
        guard case .export(let export) = pipeline.sinks[0], case .file(let file) = pipeline.sinks[1] else {
            Issue.record("an export and a file were wanted")
            return
        }
        #expect(export.settings.commit.ageMax == .seconds(30))
        #expect(export.settings.commit.bytesMax == .mib(64))
        #expect(file.path == "/srv/out/errors.jsonl")
    }

    @Test(arguments: [
        ("parse: {nginx", "prase: {nginx", "pipeline.yaml:4:5: unknown key 'prase': did you mean 'parse'?"),
        (
            "log_format: combined", "log_fromat: combined",
            "pipeline.yaml:4:21: unknown key 'log_fromat': did you mean 'log_format'?"
        ),
        ("start: earliest", "start: erliest", "pipeline.yaml:2:39: unknown value 'erliest': did you mean 'earliest'?"),
        ("root: /srv/logs", "root: logs", "pipeline.yaml:7:20: 'logs' is no root: an absolute folder"),
        ("table: nginx", "table: _nginx", "pipeline.yaml:7:38: expected a table's name"),
        (
            "pipeline: nginx-to-jsonl", "pipelin: nginx-to-jsonl",
            "pipeline.yaml:1:1: unknown key 'pipelin': did you mean 'pipeline'?"
        ),
        ("topics: [nginx.access]", "topics: []", "pipeline.yaml:2:16: expected at least one topic"),
    ])
    func anErrorNamesItsPlaceAndWhatIsNear(found: String, written: String, error: String) throws {
        var text = whole
        guard let range = text.firstRange(of: found) else {
            Issue.record("the sample has no '\(found)'")
            return
        }
        text.replaceSubrange(range, with: written)
        #expect(message(text).hasPrefix(error), "\(message(text))")
    }

    @Test func anExpressionKnowsTheParsersFields() {
        let text = whole.split(separator: "\n").map { $0.contains("filter:") ? "  - filter: staus >= 500" : $0 }
            .joined(separator: "\n")
        #expect(message(text).hasPrefix("pipeline.yaml:5:13: expression"), "\(message(text))")
        #expect(message(text).contains("status"), "\(message(text))")
    }
}

@Suite struct ApplyingSteps {
    private let line =
        #"192.0.2.1 - - [22/Nov/2026:07:00:01 +0000] "GET /x HTTP/1.1" 503 12 "-" "curl/8""#

    private func apply(_ steps: Steps, _ text: String) -> Steps.TestOutcome {
        steps.outcome(of: Array(text.utf8))
    }

    @Test func aRowTakesItsTimeFromTheLine() throws {
        guard case .row(let event, let time?) = apply(Steps(parser: NginxLineParser.combined), line) else {
            Issue.record("no row with a time")
            return
        }
        #expect(event["status"] == .int(503))
        #expect(CivilTime(time) == CivilTime(year: 2026, month: 11, day: 22, hour: 7, minute: 0, second: 1))
    }

    @Test func whatAFilterRefusesIsLeftOut() throws {
        let steps = Steps(parser: NginxLineParser.combined, filters: [try Expression("status < 500")])
        #expect(apply(steps, line) == .filteredOut)
    }

    @Test func anUnknownLineIsKeptWithItsReason() {
        guard case .row(let event, nil) = apply(Steps(parser: NginxLineParser.combined), "garbage") else {
            Issue.record("the line was not kept")
            return
        }
        #expect(event["line"] == .string("garbage"))
        #expect(event["_error"] != .null)
    }

    @Test func anUnknownLineIsDroppedWhereThatIsAskedFor() {
        let steps = Steps(parser: NginxLineParser.combined, onError: .drop)
        guard case .dropped = apply(steps, "garbage") else {
            Issue.record("the line was not dropped")
            return
        }
    }

    @Test func theJournalsTimeIsMicroseconds() {
        let steps = Steps(parser: JournalLineParser())
        guard case .row(_, let time) = apply(steps, #"{"__REALTIME_TIMESTAMP":"1795330801000000","MESSAGE":"x"}"#)
        else {
            Issue.record("no row")
            return
        }
        #expect(time == Timestamp(milliseconds: 1_795_330_801_000))
    }
}
