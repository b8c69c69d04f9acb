import Base
import Events
import Testing

@testable import Console

@Suite struct NginxOverviewTests {
    private func seen(_ lines: [String], at time: Timestamp, now: Timestamp) -> NginxOverview {
        var overview = NginxOverview(now: now)
        let parser = DisplayParser(topic: "nginx.access")
        for line in lines {
            let event = Array(line.utf8).withUnsafeBytes { parser.parsed($0) }
            overview.lineSeen(event, time: time)
        }
        return overview
    }

    private func line(_ request: String, _ status: Int, extra: String = "") -> String {
        "192.0.2.1 - - [25/Nov/2026:07:00:01 +0000] \"\(request)\" \(status) 100 \"-\" \"curl\"\(extra)"
    }

    @Test func statusesPathsAndBytesAreCounted() {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let overview = seen(
            [
                line("GET /a?x=1 HTTP/1.1", 200), line("GET /a HTTP/1.1", 503), line("GET /b HTTP/1.1", 404),
                "nonsense",
                #"{"status": 200, "uri": "/json", "body_bytes_sent": 5, "request_time": 0.25}"#,
            ], at: now, now: now)
        #expect(overview.lineCount == 5)
        #expect(overview.unparsed == 1)
        #expect(overview.bytes == 305)
        #expect(overview.classes.mapValues { $0.reduce(0, +) } == [2: 2, 4: 1, 5: 1])
        #expect(overview.paths["/a"].map { [$0.count, $0.errors] } == [2, 1])
        #expect(overview.paths["/json"]?.count == 1)
        #expect(overview.latencies == [0.25])
    }

    @Test func latencyIsReadFromCombinedWithTheRequestTimeBehind() {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let overview = seen([line("GET / HTTP/1.1", 200, extra: " 0.125")], at: now, now: now)
        #expect(overview.latencies == [0.125])
    }

    @Test func linesOfAnotherTimeAreInNoBucket() {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        #expect(seen([line("GET / HTTP/1.1", 200)], at: Timestamp(milliseconds: 0), now: now).classes.isEmpty)
        #expect(NginxOverview(now: now).bucketCount == 60)
    }

    @Test func thePathsOfAScannerAreLimited() {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let lines = (0..<(NginxOverview.pathsMax + 10)).map { line("GET /\($0) HTTP/1.1", 404) }
        #expect(seen(lines, at: now, now: now).paths.count == NginxOverview.pathsMax)
    }
}
