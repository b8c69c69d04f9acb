import Testing

@testable import Agent

@Suite struct SourceActivityCounts {
    private let web = SourceKey("web-1/var/log/nginx/access.log")
    private let app = SourceKey("web-1/srv/app.log")

    private func counts(_ all: [(SourceKey, Int32, UInt64)]) -> SourceCounts {
        var counts = SourceCounts()
        for (source, hour, lines) in all { counts.add(SourceCount(source: source, hour: hour, lines: lines, bytes: 0)) }
        return counts
    }

    private func lines(_ activity: SourceActivity, _ counts: SourceCounts) -> [SourceKey: Int] {
        Dictionary(uniqueKeysWithValues: activity.linesSince(counts).map { ($0.source, $0.lines) })
    }

    @Test func linesOfAllHoursAreCountedOnce() {
        let activity = SourceActivity(counts([]))
        #expect(lines(activity, counts([(web, 1, 5), (web, 2, 3)])) == [web: 8])
        #expect(lines(activity, counts([(web, 1, 5), (web, 2, 10), (app, 2, 1)])) == [web: 7, app: 1])
        #expect(
            lines(activity, counts([(web, 1, 5), (web, 2, 10), (app, 2, 1)])) == [web: 0, app: 0],
            "a silent source is known still")
    }

    @Test func whatAnEarlierProcessCountedIsNotCountedAgain() {
        let activity = SourceActivity(counts([(web, 1, 100)]))
        #expect(lines(activity, counts([(web, 1, 104)])) == [web: 4])
    }

    @Test func hoursThatAreForgottenTakeNothingAway() {
        let activity = SourceActivity(counts([(web, 1, 100)]))
        #expect(lines(activity, counts([(web, 1, 100), (web, 200, 6)])) == [web: 6])
        #expect(lines(activity, counts([(web, 200, 7)])) == [web: 1])
    }
}
