import Base
import Events
import Settings
import Testing

@testable import Pipelines

@Suite struct FieldStepTests {
    private func pipeline(_ steps: String, format: String = "jsonl") throws -> PipelineSettings {
        try PipelineSettings(
            yaml: try YAMLNode.parse(
                """
                pipeline: p
                from: {topics: [t]}
                steps: \(steps)
                to: [{export: {root: /x, table: t, format: \(format)}}]
                """, file: "p.yaml"))
    }

    private func row(_ steps: String, _ line: String) throws -> String {
        guard case .row(let event, _) = try pipeline(steps).steps.outcome(of: Array(line.utf8)) else { return "none" }
        return event.json
    }

    @Test func fieldsAreRemovedKeptAndRenamedInTheirOrder() throws {
        let line = #"{"a":1,"b":{"x":[1,"y"]},"c":"é","d":null,"e":1.5}"#
        #expect(
            try row("[{parse: json}, {remove: [a, nothing]}]", line) == #"{"b":{"x":[1,"y"]},"c":"é","d":null,"e":1.5}"#
        )
        #expect(try row("[{parse: json}, {keep: [e, a]}]", line) == #"{"a":1,"e":1.5}"#)
        #expect(
            try row("[{parse: json}, {rename: {a: c, nothing: e}}]", line)
                == #"{"c":1,"b":{"x":[1,"y"]},"d":null,"e":1.5}"#)
        #expect(try row("[{parse: json}, {rename: {a: z}}, {filter: z == 1}, {keep: [z]}]", line) == #"{"z":1}"#)
        #expect(try row("[{parse: json}, {remove: [a]}, {filter: a == 1}]", line) == "none")
    }

    @Test func theTimeStaysWhereItsFieldGoes() throws {
        let steps = try pipeline("[{parse: {nginx: {log_format: combined}}}, {keep: [status]}]").steps
        let line = #"192.0.2.1 - - [22/Nov/2026:07:04:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#
        guard case .row(let event, let time) = steps.outcome(of: Array(line.utf8)) else {
            Issue.record("no row")
            return
        }
        #expect(event.json == #"{"status":200}"# && time == Timestamp(milliseconds: 1_795_331_045_000))
    }

    @Test func linesThatNobodyKnowsStayWhole() throws {
        #expect(try row("[{parse: json}, {remove: [line]}]", "x").contains(#""line":"x""#))
    }

    @Test func columnsFollowTheSteps() throws {
        let settings = try pipeline(
            "[{parse: {nginx: {log_format: combined}}}, {rename: {status: code}}, {remove: [request]}]",
            format: "parquet")
        guard case .export(let export)? = settings.sinks.first else { return }
        let names = try #require(export.settings.format.schema).columns.map(\.name)
        #expect(names.contains("code") && !names.contains("status") && !names.contains("request"))
    }

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.0"), ("2001:db8:1:2::7", "2001:db8:1::"), ("2001:DB8::1", "2001:db8:0::"),
        ("1:2:3:4:5:6:7:8", "1:2:3::"), ("::1", "::"), ("::ffff:203.0.113.7", "::"), ("fe80::1%eth0", "fe80:0:0::"),
        ("1:2:3:4:5:6:203.0.113.7", "1:2:3::"),
    ])
    func addressesAreTruncated(address: String, wanted: String) {
        #expect(Redaction(.truncateIP).redact(.string(address)) == .string(wanted))
    }

    @Test(arguments: [
        "", "host", "203.0.113", "203.0.113.256", "1.2.3.4.5", "1:2:3", "::1::2", "12345::", "1:2:3:4:5:6:7:8:9", "::g",
        "1::2:3:4:5:6:7:8", ":1", "203.0.113.7:80",
    ])
    func whatIsNoAddressBecomesNull(text: String) { #expect(Redaction(.truncateIP).redact(.string(text)) == .null) }

    @Test func whateverStandsThereIsMasked() throws {
        let steps = "[{parse: json}, {redact: {fields: [a, n, z, nothing], method: mask}}]"
        #expect(try row(steps, #"{"a":"secret","n":5,"z":null,"b":"x"}"#) == #"{"a":"***","n":"***","z":null,"b":"x"}"#)
    }

    @Test func mistakesAreSaidWithTheirPlace() {
        for (steps, wanted) in [
            ("[{remove: [a]}]", "a 'parse' step has to come before"),
            ("[{parse: json}, {remvoe: [a]}]", "did you mean 'remove'?"),
            ("[{parse: json}, {remove: []}]", "at least one field"),
            ("[{parse: json}, {remove: [a], keep: [b]}]", "one step"),
            ("[{parse: json}, {redact: {fields: [a], method: hide}}]", "hide"),
            ("[{parse: {nginx: {}}}, {remove: [status]}, {filter: status == 1}]", "status"),
        ] {
            let error = #expect(throws: SettingsError.self, "\(steps)") { try pipeline(steps) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(wanted), "\(steps)")
        }
    }
}
