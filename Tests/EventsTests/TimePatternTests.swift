import Base
import Events
import Testing

@Suite struct TimePatternTests {
    @Test(arguments: [
        ("%d/%b/%Y:%H:%M:%S %z", "22/Nov/2026:08:04:05 +0100", "2026-11-22T07:04:05Z"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2026-11-22T07:04:05.1234567Z", "2026-11-22T07:04:05.123Z"),
        ("%a, %e %B %y %I:%M %p", "Sun,  2 november 26 12:30 AM", ""),
        ("%a, %e %b %y %I:%M %p", "Sun,  2 november 26 12:30 AM", "2026-11-02T00:30:00Z"),
        ("%s.%f", "1795331045.25", "2026-11-22T07:04:05.250Z"),
        ("%H:%M on %m/%d/%Y %Z", "07:04 on 11/22/2026 GMT", "2026-11-22T07:04:00Z"),
        ("100%% %H:%M %d.%m.%Y", "100% 7:04 22.11.2026", ""), ("%Y-%m-%d %H:%M", "2026-02-30 07:04", ""),
        ("%Y-%m-%d %H:%M", "2026-11-22 07:04 and more", ""),
        ("%Y-%m-%d %H:%M", "2026-11-22   07:04", "2026-11-22T07:04:00Z"),
    ])
    func readsATimeOrNothing(pattern: String, text: String, wanted: String) throws {
        guard pattern != "%a, %e %B %y %I:%M %p" else {
            #expect(throws: TimePattern.Problem.self) { try TimePattern(pattern) }
            return
        }
        #expect(try TimePattern(pattern).time(text) == TimeText.iso8601(wanted))
    }

    @Test func thePatternsZoneHoldsWhereTheTextNamesNone() throws {
        let pattern = try TimePattern("%Y-%m-%d %H:%M", zone: -5 * 3600)
        #expect(pattern.time("2026-11-22 02:04") == TimeText.iso8601("2026-11-22T07:04:00Z"))
    }

    @Test func aTimeOfDayIsOfTheNearestDay() throws {
        let pattern = try TimePattern("%H:%M:%S")
        let midnight = try #require(TimeText.iso8601("2026-11-22T00:00:05Z"))
        #expect(pattern.time("23:59:58", received: midnight) == TimeText.iso8601("2026-11-21T23:59:58Z"))
        #expect(pattern.time("00:00:01", received: midnight) == TimeText.iso8601("2026-11-22T00:00:01Z"))
        #expect(pattern.time("00:00:01") == nil)
    }

    @Test(arguments: ["%Q", "%", "%Y-%m-%d", "%H:%M %d", "%I:%M", "%Y %H:%M"])
    func aPatternThatCannotTellATimeIsRefused(pattern: String) {
        #expect(throws: TimePattern.Problem.self) { try TimePattern(pattern) }
    }

    @Test(arguments: [("Z", 0), ("UTC", 0), ("+01:00", 3600), ("-0530", -19_800), ("+02", 7200)])
    func offsetsFromUTC(text: String, seconds: Int) { #expect(TimeText.zone(text) == seconds) }

    @Test(arguments: ["", "Europe/Berlin", "CET", "+1", "+24:00", "+01:60"])
    func namesOfZonesAreNone(text: String) { #expect(TimeText.zone(text) == nil) }
}
