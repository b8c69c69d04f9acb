import Base
import Settings
import Testing

@testable import Agent

struct SourceSettingsTests {
    private func read(_ sources: String) throws -> AgentSettings {
        let text = "broker: 127.0.0.1:9092\n" + sources
        return try AgentSettings(yaml: try YAMLNode.parse(text, file: "agent.yaml"), host: "web")
    }

    private func message(_ sources: String) -> String {
        do {
            _ = try read(sources)
            return "nothing"
        } catch { return "\(error)" }
    }

    @Test func everyKindOfSourceIsRead() throws {
        let settings = try read(
            """
            sources:
              - nginx:
              - nginx: {folder: /srv/nginx/}
              - file: {path: /srv/a.log, topic: app, format: json, labels: {team: shop}, start: end, line_max: 64KiB, long_lines: skip}
              - file: {path: [/b, /c], exclude: /b.gz, topic: other}
              - journal:
              - journal: {directory: /srv/journal, units: [nginx.service], identifiers: sshd, priority: warning, topic: j}
            """)
        #expect(settings.files.count == 6)
        #expect(settings.files[0].paths == ["/var/log/nginx/*access*.log"])
        #expect(settings.files[2].paths == ["/srv/nginx/*access*.log"])
        let app = settings.files[4]
        #expect(app.headers.map { "\($0.name)=\($0.value)" } == ["format=json", "team=shop"])
        #expect(app.start == .end && app.longLines == .skip && app.lineBytesMax == .kib(64))
        #expect(settings.files[5].paths == ["/b", "/c"] && settings.files[5].exclude == ["/b.gz"])
        #expect(settings.journals[0] == JournalInputSettings())
        #expect(
            settings.journals[1]
                == JournalInputSettings(
                    directory: "/srv/journal", units: ["nginx.service"], identifiers: ["sshd"], priority: 4, topic: "j")
        )
    }

    @Test func mistakesAreNamedWithTheirPlace() {
        #expect(message("sources: []") == "agent.yaml:2:10: no source is named: the agent would have nothing to do")
        #expect(
            message("sources:\n  - jurnal: {}").contains(
                "agent.yaml:3:5: unknown key 'jurnal': did you mean 'journal'?"))
        #expect(message("sources:\n  - journal: {unit: x}").contains("did you mean 'units'?"))
        #expect(message("sources:\n  - journal: {priority: loud}").contains("unknown priority 'loud'"))
        #expect(message("sources:\n  - file: {path: a.log, topic: t}").contains("absolute"))
        #expect(message("sources:\n  - file: {path: /a.log}").contains("'topic' is missing"))
        #expect(message("sources:\n  - {nginx: {}, journal: {}}").contains("expected one kind of source"))
        #expect(message("sources:\n  - journal: {}\n  - journal: {units: a}").contains("twice"))
        #expect(message("sources:\n  - journal: {}\nsorces: 1").contains("unknown key 'sorces'"))
    }

    @Test func readerOptionsSurviveTheCommandLine() throws {
        var options = JournalReaderOptions()
        options.directory = "/srv/j"
        options.namespace = "n"
        options.afterCursor = "s=1;i=2"
        options.sinceRealtime = 17
        options.units = ["a", "--boot"]
        options.identifiers = ["x y"]
        options.leaveOutUnit = "millrace-agent.service"
        options.priority = 3
        options.isThisBootOnly = true
        options.entryBytesMax = 4096
        options.passOver = 2
        #expect(try JournalReaderOptions(arguments: options.arguments) == options)
        #expect(throws: JournalReaderUsageError.self) { try JournalReaderOptions(arguments: ["--wat", "1"]) }
        #expect(throws: JournalReaderUsageError.self) { try JournalReaderOptions(arguments: ["--priority", "8"]) }
    }

    @Test func framesThatNobodyCouldHaveSentAreRefused() {
        func parse(_ bytes: [UInt8]) -> String {
            bytes.withUnsafeBytes {
                switch JournalFrame.parse($0, bytesMax: 1000).frame {
                case .incomplete: "incomplete"
                case .invalid: "invalid"
                case .entry, .passed, .caughtUp, .text: "frame"
                }
            }
        }
        var entry: [UInt8] = []
        let line = "{\"__CURSOR\":\"c\",\"__REALTIME_TIMESTAMP\":\"12\"}\n"
        JournalFrame.appendEntry(line: Array(line.utf8), key: Array("k".utf8)[...], bytesUncut: 0, to: &entry)
        #expect(parse(entry) == "frame")
        for count in 0..<entry.count { #expect(parse(Array(entry[..<count])) == "incomplete") }
        #expect(parse([0, 0, 0, 0]) == "invalid")
        #expect(parse([0, 0, 0, 0x7F, 1]) == "invalid")
        #expect(parse([1, 0, 0, 0, 77]) == "invalid")
        #expect(parse([2, 0, 0, 0, 1, 0]) == "invalid")
        #expect(parse([2, 0, 0, 0, 2, 0]) == "invalid")
        for index in 4..<entry.count {
            var changed = entry
            changed[index] ^= 0x55
            _ = parse(changed)
        }
    }
}
