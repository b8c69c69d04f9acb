import Base
import Testing

@testable import Console
@testable import MillraceCLI

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("\u{1b}[2Jnginx", "\\x1b[2Jnginx"), ("a\nb\rc\u{07}", "a\\x0ab\\x0dc\\x07"), ("\u{9b}31m", "\\x9b31m"),
        ("a\u{202e}b", "a\\u{202e}b"), ("e\u{301}", "e\\u{301}"), ("café 日本", "café 日本"), ("\u{7f}", "\\x7f"),
    ])
    func whatCouldMoveATerminalIsWrittenOut(text: String, shown: String) {
        #expect(TerminalText.harmless(text) == shown)
    }

    @Test(arguments: [
        ("abc", 5, "abc  "), ("abcdef", 5, "abcd…"), ("日本語", 5, "日本…"), ("日本語", 4, "日… "), ("abc", 0, ""),
        ("abc", 1, "…"),
    ])
    func aTextIsFilledOrCutToItsColumns(text: String, columns: Int, fitted: String) {
        #expect(TerminalText.fitted(text, to: columns) == fitted)
        #expect(TerminalText.width(TerminalText.fitted(text, to: columns)) == columns)
    }
}

@Suite struct TopScreenTests {
    private func watched(topics: Int = 2, agents: Int = 1) -> WatchedCluster {
        var watched = WatchedCluster(time: Timestamp(milliseconds: 0))
        watched.brokers = 1
        watched.linesPerSecond = 12_345
        watched.bytesPerSecond = 3 * 1024 * 1024
        watched.topics = (0..<topics).map {
            .init(
                name: "topic-\($0)", isInternal: false, partitions: 3, records: 1_000, bytes: 2048,
                linesPerSecond: Double($0), leaderless: 0)
        }
        watched.groups = [.init(name: "nginx-to-jsonl", state: "Stable", lag: 7, delaySeconds: 75, topics: ["topic-0"])]
        watched.agents = (0..<agents).map {
            .init(
                name: "web-\($0)", isSilent: false, isStalled: false, sources: 1, unreadBytes: 5, pendingBatches: 0,
                lastError: nil, streams: [.init(source: "web-\($0)/var/log/a.log", place: "a", offset: 12, unread: 5)])
        }
        return watched
    }

    private func screen(_ columns: Int = 100, _ rows: Int? = nil, color: Bool = false) -> TopScreen {
        TopScreen(columns: columns, rows: rows, isColored: color, clusterName: "agg:9092")
    }

    @Test func everySectionStandsThereWithItsNumbers() {
        #expect(
            screen().lines(watched()) == [
                "millrace top  agg:9092  1 broker  12.3k lines/s  3.0 MiB/s",
                "",
                "AGENT  STATE  SOURCES  UNREAD  PENDING  LAST ERROR",
                "web-0  ok           1     5 B        0",
                "",
                "SOURCE               UNREAD  OFFSET",
                "web-0/var/log/a.log     5 B      12",
                "",
                "TOPIC    PARTITIONS  RECORDS     SIZE  LINES/S",
                "topic-1           3     1000  2.0 KiB        1",
                "topic-0           3     1000  2.0 KiB        0",
                "",
                "GROUP           STATE   LAG       DELAY  TOPICS",
                "nginx-to-jsonl  Stable    7  1 min 15 s  topic-0",
            ])
    }

    /// Whatever is watched and however small the screen: no line is wider, and there are not more lines.
    @Test(arguments: [(200, 60), (80, 24), (40, 20), (20, 10), (9, 5), (1, 1)]) func itNeverLeavesTheScreen(
        columns: Int, rows: Int
    ) {
        var many = watched(topics: 300, agents: 40)
        many.topics[0].name = String(repeating: "日本", count: 60)
        many.agents[3].lastError = String(repeating: "no route to host ", count: 20)
        many.agents[4].isStalled = true
        many.trouble = "the cluster does not answer\u{1b}[2J"
        let lines = screen(columns, rows).lines(many)
        #expect(lines.count <= rows)
        for line in lines { #expect(TerminalText.width(line) <= columns, "\(line)") }
        if rows >= 20 { #expect(lines.count == rows) }
    }

    @Test func rowsThatDoNotFitAreCounted() {
        let lines = screen(100, 24).lines(watched(topics: 300))
        #expect(lines.contains { $0.hasPrefix("TOPIC (") && $0.contains(" of 300)") })
    }

    @Test func aHostileNameIsWrittenOut() {
        var hostile = watched()
        hostile.topics[0].name = "\u{1b}]0;owned\u{07}"
        hostile.agents[0].name = "web\nweb"
        hostile.groups[0].name = "\u{9b}2J"
        let text = screen().lines(hostile).joined(separator: "\n")
        #expect(text.contains("\\x1b]0;owned\\x07"))
        #expect(text.contains("web\\x0aweb"))
        #expect(text.contains("\\x9b2J"))
        #expect(!text.unicodeScalars.contains("\u{1b}") && !text.unicodeScalars.contains("\u{9b}"))
    }

    @Test func colorIsThereWhereItIsWantedAlone() {
        var silent = watched()
        silent.agents[0].isSilent = true
        #expect(screen(color: true).lines(silent).contains { $0.hasPrefix("\u{1b}[1;31mweb-0  silent") })
        #expect(!screen().lines(silent).joined().unicodeScalars.contains("\u{1b}"))
    }

    @Test func emptySectionsSayWhatIsMissing() {
        let lines = screen().lines(WatchedCluster(time: Timestamp(milliseconds: 0)))
        #expect(lines.contains("no topic exists yet"))
        #expect(lines.contains("no agent has reported yet"))
        #expect(lines.contains("no group has committed an offset yet"))
    }
}

@Suite struct ResetTargetTests {
    @Test(arguments: [
        ("earliest", ResetTarget.earliest), ("latest", .latest), ("0", .offset(Offset(0))), ("42", .offset(Offset(42))),
        ("1970-01-01T00:00:01Z", .timestamp(Timestamp(milliseconds: 1000))),
    ])
    func wordsAreRead(word: String, target: ResetTarget) { #expect(ResetTarget(word) == target) }

    @Test(arguments: ["", "-1", "first", "yesterday", "1.5", "2026-13-01"]) func otherWordsAreNot(word: String) {
        #expect(ResetTarget(word) == nil)
    }

    @Test func anOffsetOutsideOfTheLogIsMovedToItsNearerEnd() {
        func offset(_ target: ResetTarget, found: Int64? = nil) -> Int64 {
            target.offset(start: Offset(10), end: Offset(20), found: found.map { Offset($0) }).rawValue
        }
        #expect(offset(.earliest) == 10)
        #expect(offset(.latest) == 20)
        #expect(offset(.offset(Offset(3))) == 10)
        #expect(offset(.offset(Offset(15))) == 15)
        #expect(offset(.offset(Offset(99))) == 20)
        #expect(offset(.timestamp(Timestamp(milliseconds: 5)), found: 12) == 12)
        #expect(offset(.timestamp(Timestamp(milliseconds: 5))) == 20)
    }
}
