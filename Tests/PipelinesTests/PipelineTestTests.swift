import Settings
import Testing

@testable import Pipelines

/// Tests in a pipeline's file can fail, and say why.
@Suite struct PipelineTestTests {
    private func problems(_ tests: String, steps: String = "[{parse: json}, {filter: status != 404}]") throws
        -> [String]
    {
        let text = """
            pipeline: p
            from: {topics: [t]}
            steps: \(steps)
            to: [{export: {root: /x, table: t}}]
            tests:
            \(tests)
            """
        let settings = try PipelineSettings(yaml: try YAMLNode.parse(text, file: "p.yaml"))
        return settings.tests.map { $0.problem(in: settings) ?? "" }
    }

    @Test func aTestHoldsWhereTheRowIsAsItSays() throws {
        let found = try problems(
            """
              - {input: '{"status":200,"a":{"b":"x"},"ts":"2026-11-22T07:30:00Z"}', row: {status: 200, a.b: x, c: null}, folder: dt=2026-11-22/hour=07}
              - {input: '{"status":404}', becomes: filtered}
              - {input: 'x', becomes: unparsed, row: {line: x}}
            """)
        #expect(found == ["", "", ""])
    }

    @Test func aTestFailsWithWhatHappenedInstead() throws {
        let found = try problems(
            """
              - {input: '{"status":200}', row: {status: 201}}
              - {input: '{"status":200}', row: {status: null}}
              - {input: '{"status":200}', row: {other: x}}
              - {input: '{"status":404}', row: {status: 404}}
              - {input: '{"status":200}', becomes: filtered}
              - {input: '{"status":200}', becomes: unparsed}
              - {input: 'x', row: {line: x}}
              - {input: '{"ts":"2026-11-22T07:30:00Z","status":1}', folder: dt=2026-11-22/hour=08}
            """)
        #expect(found[0] == "status is 200, 201 is wanted")
        #expect(found[1] == "status is 200, null is wanted")
        #expect(found[2] == "other is null, x is wanted")
        #expect(found[3] == "the record is filtered out")
        #expect(found[4].hasPrefix("it becomes a row") && found[5].hasPrefix("it becomes a row"))
        #expect(found[6].hasPrefix("the parser doesn't know it"))
        #expect(found[7] == "the row goes to dt=2026-11-22/hour=07, dt=2026-11-22/hour=08 is wanted")
    }

    @Test func aDroppedRecordCountsAsUnparsed() throws {
        let steps = "[{parse: {json: {}, on_error: drop}}]"
        #expect(try problems("  - {input: x, becomes: unparsed}", steps: steps) == [""])
        #expect(try problems("  - {input: x}", steps: steps)[0].hasPrefix("the record is dropped"))
    }

    @Test func mistakesInTestsHaveTheirPlace() {
        for (tests, wanted) in [
            ("  - {inptu: x}", "p.yaml:6:6: unknown key 'inptu': did you mean 'input'?"),
            ("  - {input: x, becomes: filterd}", "filtered"),
            ("  - {input: x, becomes: filtered, row: {a: b}}", "has no row"),
        ] {
            let error = #expect(throws: SettingsError.self) { try problems(tests) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(wanted))
        }
    }
}
