import Base
import Events
import Exports
import Settings
import Testing

@testable import Pipelines

@Suite struct CompilingTests {
    private static func settings(_ text: String) throws -> PipelineSettings {
        try PipelineSettings(yaml: try YAMLNode.parse(text, file: "p.yaml"))
    }

    @Test func readsEverything() throws {
        let settings = try Self.settings(
            """
            pipeline: nginx
            broker: agg:9092
            from: {topics: [a, b], group: g, start: latest}
            steps:
              - parse: {nginx: {log_format: '$remote_addr $status', escape: json}, on_error: drop}
              - filter: status < 500 or sample(0.1)
            to:
              - export: {root: /data, table: t, format: jsonl, partition_by: [dt], level: 1, open_files: 4, rotate: {age: 5s, size: 1MiB}}
              - file: {path: /data/x.log, rotate_size: 64KiB, keep: 2}
            """)
        #expect(settings.name == "nginx" && settings.bootstrap == "agg:9092" && settings.topics == ["a", "b"])
        #expect(settings.group == "g" && settings.start == .latest && settings.steps.onError == .drop)
        #expect(settings.steps.filters.map(\.text) == ["status < 500 or sample(0.1)"])
        guard case .export(let export) = settings.sinks[0], case .file(let file) = settings.sinks[1] else {
            Issue.record("\(settings.sinks)")
            return
        }
        #expect(export.root == .local("/data") && export.table == "t")
        #expect(export.settings.layout == TableLayout(columns: [.dt]))
        #expect(export.settings.commit.ageMax == .seconds(5) && export.settings.commit.bytesMax == .mib(1))
        #expect(
            export.settings.commit.start == .latest && export.settings.format.level == 1
                && export.settings.openFilesMax == 4)
        #expect(file.path == "/data/x.log" && file.rotateBytes == .kib(64) && file.keep == 2)
    }

    @Test func theGroupIsThePipelinesName() throws {
        let settings = try Self.settings("{pipeline: p, from: {topics: [t]}, to: [{file: {path: /x}}]}")
        #expect(settings.group == "p" && settings.start == .earliest && settings.steps.filters.isEmpty)
    }

    @Test(arguments: [
        ("from: {topics: [t]}\nto: []", 1, "'pipeline' is missing"),
        ("pipeline: a/b\nfrom: {topics: [t]}\nto: []", 1, "a pipeline's name"),
        ("pipeline: p\nfrom: {topic: [t]}\nto: []", 2, "unknown key 'topic': did you mean 'topics'?"),
        ("pipeline: p\nfrom: {topics: [t], start: erliest}\nto: []", 2, "did you mean 'earliest'?"),
        ("pipeline: p\nfrom: {topics: [t]}\nto: []", 3, "at least one sink"),
        (
            "pipeline: p\nfrom: {topics: [t]}\nstep: []\nto: [{file: {path: /x}}]", 3,
            "unknown key 'step': did you mean 'steps'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nsteps:\n  - parse: ngnix\nto: [{file: {path: /x}}]", 4,
            "did you mean 'nginx'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nsteps:\n  - filter: exists(line)\n  - parse: json\nto: [{file: {path: /x}}]",
            5, "first step"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nsteps:\n  - parse: nginx\n  - filter: stauts == 1\nto: [{file: {path: /x}}]",
            5, "did you mean 'status'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nsteps:\n  - parse: {nginx: {log_format: '$a$b'}}\nto: [{file: {path: /x}}]",
            4, "nothing stands between"
        ),
        ("pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: s3://x, table: t}", 4, "3 to 63 small letters"),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: s3://logs/e, table: t, s3: {endpont: http://h}}",
            4,
            "'endpoint'"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: s3://logs/e, table: t, s3: {endpoint: h:9000}}",
            4,
            "https://host:port"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: s3://logs/e, table: t, s3: {access_key: a}}", 4,
            "given together"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: s3://logs/e, table: t, s3: {keys_file: k}}", 4,
            "an absolute file"
        ),
        ("pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: hdfs://x, table: t}", 4, "host:port is wanted"),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: 'hdfs://x:9870/', table: t}",
            4, "a folder below /"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: 'hdfs://x:9870/l', table: t, hdfs: {usr: me}}",
            4, "'user'"
        ),
        ("pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: /x, table: _t}", 4, "a table's name"),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: /x, table: t}\n  - export: {root: /x, table: t}",
            5, "two sinks write to /x/t"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - export: {root: /x, table: t, rotate: {age: 1}}", 4,
            "a duration with its unit"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - webhok: {url: 'http://h/'}", 4,
            "did you mean 'webhook'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - webhook: {url: 'ftp://h/'}", 4,
            "https://host/path"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - webhook: {url: 'http://h/', on_error: dorp}", 4,
            "did you mean 'drop'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - webhook: {url: 'http://h/', headers: {'a b': c}}", 4,
            "a header's name"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - webhook: {url: 'http://h/', batch: {row: 5}}", 4,
            "did you mean 'rows'?"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - topic: {name: t}", 4,
            "would read what it writes"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - topic: {name: 'a b'}", 4,
            "a topic's name"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - topic: {name: a, codec: brotli}", 4,
            "a codec: none"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - postgres: {url: 'mysql://h/d', table: t}", 4,
            "postgresql://user@host:port/database"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - postgres: {url: 'postgresql://h/d', table: 't;'}", 4,
            "a table's name"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - postgres: {url: 'postgresql://h/d', tabel: t}", 4,
            "unknown key 'tabel'"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - elasticsearch: {url: 'http://h', index: Logs}", 4,
            "small letters"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - elasticsearch: {url: 'http://h', index: 'l-{dt}-x'}", 4,
            "{dt} at its end"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - elasticsearch: {url: 'http://h', index: l, user: u}", 4,
            "'user' and 'password' or 'api_key'"
        ),
        (
            "pipeline: p\nfrom: {topics: [t]}\nto:\n  - {file: {path: /x}, topic: {name: u}}", 4,
            "one sink: export, file, topic"
        ),
    ])
    func errorsPointAtTheLine(text: String, line: Int, message: String) {
        let error = #expect(throws: SettingsError.self) { try Self.settings(text) }
        #expect(error?.line == line, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func aLineOfAnotherShapeIsKeptWithItsReason() throws {
        var steps = Steps(parser: NginxLineParser.combined, filters: [try Expression("status < 500")])
        guard case .row(let event, let time) = steps.outcome(of: [0x78, 0xff]) else { Issue.record("no row"); return }
        #expect(event["line"] == .string(#"x\xFF"#) && time == nil)
        #expect(event["_error"] == .string("\" - \" is wanted after $remote_addr (byte 0)"), "\(event.json)")
        steps.onError = .drop
        guard case .dropped = steps.outcome(of: [0x78]) else { Issue.record("not dropped"); return }
    }

    @Test(arguments: [
        (#"{"time_local":"22/Nov/2026:07:00:01 +0000"}"#, 1_795_330_801_000),
        (#"{"time_iso8601":"2026-11-22T08:00:01+01:00"}"#, 1_795_330_801_000),
        (#"{"msec":1795330801.25}"#, 1_795_330_801_250), (#"{"msec":"1795330801.250"}"#, 1_795_330_801_250),
        (#"{"msec":1795330801}"#, 1_795_330_801_000),
        (#"{"__REALTIME_TIMESTAMP":"1795330801250999"}"#, 1_795_330_801_250),
        (#"{"__REALTIME_TIMESTAMP":1795330801250999}"#, 1_795_330_801_250),
        (#"{"@timestamp":"2026-11-22T07:00:01Z","ts":"x"}"#, 1_795_330_801_000),
        (#"{"time":"soon","ts":"2026-11-22 07:00:01"}"#, 1_795_330_801_000),
    ])
    func anEventTellsItsTime(line: String, milliseconds: Int64) throws {
        guard case .row(_, let time) = Steps(parser: JSONLineParser()).outcome(of: Array(line.utf8)) else {
            Issue.record("no row")
            return
        }
        #expect(time == Timestamp(milliseconds: milliseconds))
    }

    @Test func anEventMayTellNoTime() throws {
        let line = #"{"time":5,"msec":-1,"a":"2026-11-22"}"#
        guard case .row(_, nil) = Steps(parser: JSONLineParser()).outcome(of: Array(line.utf8)) else {
            Issue.record("a row with a time, or none")
            return
        }
    }
}
