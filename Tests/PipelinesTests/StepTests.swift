import Base
import Events
import Settings
import Testing

@testable import Pipelines

/// A pipeline of JSON records and these steps.
private struct Rig {
    let settings: PipelineSettings
    let memory = StepMemory()

    init(_ steps: String, rest: String = "") throws {
        settings = try PipelineSettings(
            yaml: try YAMLNode.parse(
                "pipeline: p\nfrom: {topics: [t]}\nto: [{file: {path: /x}}]\nsteps:\n  - parse: json\n  - \(steps)\n\(rest)",
                file: "p.yaml"))
    }

    func outcome(_ line: String, hash: UInt64 = 1, at milliseconds: Int64 = -1) -> Steps.TestOutcome {
        settings.steps.outcome(
            of: Array(line.utf8), recordHash: hash, arrival: Timestamp(milliseconds: milliseconds), memory: memory)
    }

    func row(_ line: String) -> String {
        switch outcome(line) {
        case .row(let event, _): event.json
        case .filteredOut: "filtered out"
        case .dropped(let reason): "dropped: \(reason)"
        case .deadLetter(let failure): "dead: \(failure.step): \(failure.reason)"
        }
    }
}

private func mistake(_ steps: String) -> String {
    do { _ = try Rig(steps) } catch { return "\(error)" }
    return "none"
}

@Suite struct TimestampStepTests {
    private func time(_ steps: String, _ line: String, at milliseconds: Int64 = -1) throws -> Timestamp? {
        guard case .row(_, let time) = try Rig(steps).outcome(line, at: milliseconds) else { return nil }
        return time
    }

    @Test(arguments: [
        ("iso8601", #""2026-11-22T08:04:05+01:00""#), ("nginx", #""22/Nov/2026:07:04:05 +0000""#),
        ("unix", "1795331045"), ("unix", #""1795331045""#), ("unix_ms", "1795331045000"),
        ("unix_us", #""1795331045000000""#), ("'%Y-%m-%d %H:%M:%S'", #""2026-11-22 07:04:05""#),
    ])
    func readsTheEventsTimeOutOfAField(format: String, value: String) throws {
        let step = "timestamp: {field: when, format: \(format)}"
        #expect(try time(step, #"{"when":\#(value)}"#) == Timestamp(milliseconds: 1_795_331_045_000))
        #expect(try Rig(step).row(#"{"when":\#(value)}"#) == #"{"when":"2026-11-22T07:04:05.000Z"}"#)
    }

    @Test func itHoldsWhateverTheParserFound() throws {
        let line = #"{"time":"2020-01-01T00:00:00Z","when":"2026-11-22T07:04:05Z"}"#
        #expect(try time("timestamp: {field: when}", line) == Timestamp(milliseconds: 1_795_331_045_000))
        #expect(try time("timestamp: {field: nothing}", line) == TimeText.iso8601("2020-01-01T00:00:00Z"))
    }

    @Test func aZoneAndAYearThatTheTextLeavesOut() throws {
        let step = "timestamp: {field: when, format: '%b %e %H:%M:%S', zone: '+01:00', to: at}"
        let line = #"{"when":"Nov 22 08:04:05"}"#
        #expect(try time(step, line, at: 1_795_340_000_000) == Timestamp(milliseconds: 1_795_331_045_000))
    }

    @Test func whatIsNoTimeIsAnError() throws {
        let row = try Rig("timestamp: {field: when}").row(#"{"when":"soon"}"#)
        #expect(row == #"{"when":"soon","_error":"timestamp: when: 'soon' is no time as iso8601"}"#)
        #expect(mistake("timestamp: {field: when, format: iso8106}").contains("did you mean 'iso8601'?"))
        #expect(mistake("timestamp: {field: when, format: '%Q'}").contains("'%Q' is not known"))
        #expect(mistake("timestamp: {field: when, zone: CET}").contains("an offset from UTC"))
        #expect(mistake("timestamp: {feild: when}").contains("did you mean 'field'?"))
    }
}

@Suite struct ConvertStepTests {
    @Test func fieldsBecomeWhatTheyShouldBe() throws {
        let rig = try Rig("convert: {i: int, d: double, b: bool, s: string, t: timestamp}")
        #expect(
            rig.row(#"{"i":"-12","d":"1e3","b":"Yes","s":5,"t":"2026-11-22T07:04:05Z","x":"1"}"#)
                == #"{"i":-12,"d":1000.0,"b":true,"s":"5","t":"2026-11-22T07:04:05.000Z","x":"1"}"#)
        #expect(rig.row(#"{"i":4.0,"d":2,"b":0,"s":null}"#) == #"{"i":4,"d":2.0,"b":false,"s":null}"#)
    }

    @Test(arguments: [
        ("int", #""1.5""#), ("int", "1.5"), ("int", #""""#), ("int", #""9223372036854775808""#), ("double", #""0x10""#),
        ("double", #""inf""#), ("bool", #""maybe""#), ("bool", "2"), ("timestamp", #""today""#), ("int", "[1]"),
    ])
    func nothingIsGuessed(type: String, value: String) throws {
        #expect(try Rig("convert: {a: \(type)}\n    on_error: drop").row(#"{"a":\#(value)}"#).hasPrefix("dropped: a: "))
    }

    @Test func aFailureChangesNothingAndIsTold() throws {
        let rig = try Rig("convert: {a: int, b: int}\n  - filter: exists(_error) and a == '1'")
        #expect(rig.row(#"{"a":"1","b":"x"}"#) == #"{"a":"1","b":"x","_error":"convert: b: 'x' is no int"}"#)
        #expect(rig.memory.takeFailures() == [1: 1])
        #expect(rig.memory.takeFailures() == [:])
        let dead = try Rig("convert: {a: int}\n    on_error: dlq", rest: "dlq: d")
        #expect(dead.row(#"{"a":"x"}"#) == "dead: 2 convert: a: 'x' is no int")
        #expect(mistake("convert: {a: integer}").contains("unknown value 'integer'"))
        #expect(mistake("convert: {}").contains("at least one field"))
    }
}

@Suite struct RedactStepTests {
    @Test func aKeyedHashIsTheSameForTheSameTextAndTellsNothing() throws {
        let rig = try Rig("redact: {fields: [a, b, c], method: hash, secret: 0123456789abcdef}")
        // printf alice | openssl dgst -sha256 -hmac 0123456789abcdef
        let row = rig.row(#"{"a":"alice","b":"alice","c":"bob","n":null}"#)
        let digits = try #require(row.firstMatch(of: /"a":"([0-9a-f]{32})"/)).1
        #expect(row.hasPrefix(#"{"a":"\#(digits)","b":"\#(digits)","c":""#) && !row.contains("bob"))
        let other = try Rig("redact: {fields: a, method: hash, secret: 0123456789abcdeg}").row(#"{"a":"alice"}"#)
        #expect(!other.contains(digits))
    }

    @Test(arguments: [
        ("ip", "from 203.0.113.7:443 to [2001:db8::7] at 07:04:05", "from ***:443 to [***] at 07:04:05"),
        ("ip", "::ffff:203.0.113.7, 1.2.3.4.5, v1.2.3, 999.1.1.1", "***, 1.2.3.4.5, v1.2.3, 999.1.1.1"),
        ("email", "a.b+c@mail.example.com wrote <x@y.de>", "*** wrote <***>"), ("email", "user@host", "user@host"),
        ("card", "paid 4111 1111 1111 1111, not 4111 1111 1111 1112", "paid ***, not 4111 1111 1111 1112"),
        ("card", "5500-0000-0000-0004", "***"), ("card", "1795331045000", "1795331045000"),
        ("token", "GET /?access_token=abc123&x=1", "GET /?access_token=***&x=1"),
        ("token", "Authorization: Bearer abcdefgh.ijk_l-m=", "Authorization: Bearer ***"),
        ("token", #"{"password": "hunter2", "user": "a"}"#, #"{"password": "***", "user": "a"}"#),
        ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "***"), ("token", "tokens are fine", "tokens are fine"),
        ("token", "AKIAIOSFODNN7EXAMPLE", "***"),
    ])
    func whatIsFoundInATextIsTakenOut(find: String, text: String, wanted: String) throws {
        let line = Value.object([Field("a", .string(text))]).json
        #expect(
            try Rig("redact: {fields: a, find: \(find)}").row(line) == Value.object([Field("a", .string(wanted))]).json)
    }

    @Test func itLooksIntoListsAndObjectsAndLeavesNumbersThatAreNone() throws {
        let rig = try Rig("redact: {fields: [a, n], find: [ip, card], method: mask}")
        #expect(
            rig.row(#"{"a":{"b":["203.0.113.7",5]},"n":4111111111111111,"other":"203.0.113.7"}"#)
                == #"{"a":{"b":["***",5]},"n":"***","other":"203.0.113.7"}"#)
        #expect(
            try Rig("redact: {fields: a, find: ip, method: truncate_ip}").row(#"{"a":"x 203.0.113.7 y"}"#)
                == #"{"a":"x 203.0.113.0 y"}"#)
    }

    @Test func mistakesAreSaid() {
        #expect(mistake("redact: {fields: a, find: [emial]}").contains("did you mean 'email'?"))
        #expect(mistake("redact: {fields: a}").contains("'method' is missing"))
        #expect(mistake("redact: {fields: a, method: hash}").contains("'secret' with method 'hash'"))
        #expect(mistake("redact: {fields: a, method: mask, secret: 0123456789abcdef}").contains("only there"))
        #expect(mistake("redact: {fields: a, method: hash, secret: short}").contains("at least 16 are wanted"))
    }
}

@Suite struct SampleAndDedupeTests {
    @Test func aShareOfTheRecordsIsAlwaysTheSame() throws {
        let rig = try Rig("sample: 0.25")
        let kept = (0..<4000).filter { number in
            rig.outcome("{}", hash: RecordHash.of(partition: 0, offset: Int64(number))) != .filteredOut
        }
        #expect(800...1200 ~= kept.count)
        #expect(mistake("sample: 0").contains("a share above 0") && mistake("sample: 2").contains("up to 1"))
    }

    @Test func allRecordsOfAShareOfTheSessions() throws {
        let rig = try Rig("sample: {share: 0.5, by: s}")
        func keeps(_ session: Int, _ hash: UInt64) -> Bool {
            rig.outcome(#"{"s":\#(session)}"#, hash: hash) != .filteredOut
        }
        let kept = (0..<400).filter { keeps($0, 1) }
        #expect(140...260 ~= kept.count)
        #expect((0..<400).filter { keeps($0, .max) } == kept)
    }

    @Test func whatCameShortlyBeforeIsLeftOut() throws {
        let rig = try Rig("dedupe: {by: [id, n], within: 10s}")
        func keeps(_ line: String, at seconds: Int64) -> Bool {
            rig.outcome(line, at: seconds * 1000) != .filteredOut
        }
        #expect(keeps(#"{"id":"a","n":1}"#, at: 100))
        #expect(!keeps(#"{"n":1,"id":"a","x":2}"#, at: 105))
        #expect(keeps(#"{"id":"a","n":2}"#, at: 105))
        #expect(!keeps(#"{"id":"a","n":1}"#, at: 109))
        #expect(keeps(#"{"id":"a","n":1}"#, at: 110))
        #expect(keeps("{}", at: 110) && keeps("{}", at: 110))
    }

    @Test func whatIsRememberedIsBounded() {
        let seen = SeenKeys(within: .seconds(86_400), bytesMax: 10_000)
        for number in 0..<5000 { #expect(seen.insert("key \(number)", at: Timestamp(milliseconds: Int64(number)))) }
        #expect(seen.byteCount <= 10_200 && 50...110 ~= seen.count)
        #expect(!seen.insert("key 4999", at: Timestamp(milliseconds: 5000)))
        #expect(seen.insert("key 0", at: Timestamp(milliseconds: 5000)))
    }
}

@Suite struct RouteStepTests {
    private static let route = "route: {errors: status >= 500, slow: took > 1}"

    @Test func theFirstConditionThatHoldsNamesTheRoute() throws {
        let rig = try Rig(Self.route)
        for (line, wanted) in [
            (#"{"status":500,"took":2}"#, "errors"), (#"{"status":200,"took":2}"#, "slow"), ("{}", "rest"),
        ] {
            _ = rig.outcome(line)
            #expect(rig.memory.route == wanted)
        }
        _ = rig.outcome("no JSON")
        #expect(rig.memory.route == nil)
    }

    @Test func aSinkTakesItsRoutes() throws {
        func settings(_ routes: String) throws -> PipelineSettings {
            try PipelineSettings(
                yaml: try YAMLNode.parse(
                    """
                    pipeline: p
                    from: {topics: [t]}
                    steps: [{parse: json}, {\(Self.route)}]
                    to:
                      - {file: {path: /x}, routes: \(routes)}
                      - file: {path: /y}
                    tests:
                      - {input: '{"status":500}', route: errors}
                      - {input: '{"status":500}', route: slow}
                    """, file: "p.yaml"))
        }
        let found = try settings("[errors, rest]")
        #expect(found.routes == [0: ["errors", "rest"]])
        #expect(found.tests.map { $0.problem(in: found) } == [nil, "its route is errors, slow is wanted"])
        let error = #expect(throws: SettingsError.self) { try settings("[error]") }
        #expect(error.map { "\($0)" } == "p.yaml:5:32: unknown route 'error': did you mean 'errors'?")
        #expect(mistake("route: {rest: exists(a)}").contains("'rest' is the name"))
        #expect(mistake("route: {a: b ==}").contains("expression, column"))
        #expect(mistake("\(Self.route)\n  - \(Self.route)").contains("already"))
    }
}
