import Base
import Events
import TestKit
import Testing

@Suite struct CivilTimeTests {
    @Test func readsNginxTimes() {
        #expect(TimeText.nginxLocal("22/Nov/2026:07:00:01 +0000") == Timestamp(milliseconds: 1_795_330_801_000))
        #expect(TimeText.nginxLocal("22/Nov/2026:08:30:01 +0130") == Timestamp(milliseconds: 1_795_330_801_000))
        #expect(TimeText.nginxLocal("21/Nov/2026:23:00:01 -0800") == Timestamp(milliseconds: 1_795_330_801_000))
        #expect(TimeText.nginxLocal("31/Dec/1999:23:59:60 +0000") == Timestamp(milliseconds: 946_684_800_000))
    }

    @Test(arguments: [
        "", "22/Nov/2026:07:00:01", "32/Nov/2026:07:00:01 +0000", "31/Nov/2026:07:00:01 +0000",
        "29/Feb/2025:07:00:01 +0000", "22/nov/2026:07:00:01 +0000", "22/Nov/2026:24:00:01 +0000",
        "22/Nov/2026:07:00:01 +2500", "22/Nov/2026:07:00:01 00000", "22/Nov/2026 07:00:01 +0000 ",
    ])
    func refusesOtherNginxTimes(text: String) {
        #expect(TimeText.nginxLocal(text) == nil)
    }

    @Test(arguments: [
        ("2026-11-22T07:00:01+00:00", 1_795_330_801_000), ("2026-11-22T07:00:01Z", 1_795_330_801_000),
        ("2026-11-22 07:00:01.25", 1_795_330_801_250), ("2026-11-22T07:00:01.123456789-0530", 1_795_350_601_123),
        ("2026-11-22", 1_795_305_600_000), ("1969-12-31T23:59:59.999Z", -1),
        ("2024-02-29T00:00:00+01", 1_709_161_200_000),
    ])
    func readsISO8601(text: String, milliseconds: Int64) {
        #expect(TimeText.iso8601(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "2026-13-01", "2026-11-31", "2026-11-22T", "2026-11-22T07:00", "2026-11-22T07:00:01.", "2026-11-22T07:00:01x",
        "20261122",
    ])
    func refusesOtherISO8601(text: String) {
        #expect(TimeText.iso8601(text) == nil)
    }

    @Test func readsEpochs() {
        #expect(TimeText.epochSeconds("1795330801.250") == Timestamp(milliseconds: 1_795_330_801_250))
        #expect(TimeText.epochSeconds("1795330801") == Timestamp(milliseconds: 1_795_330_801_000))
        #expect(TimeText.epochMicroseconds("1795330801250999") == Timestamp(milliseconds: 1_795_330_801_250))
        #expect(TimeText.epochMilliseconds("1795330801250") == Timestamp(milliseconds: 1_795_330_801_250))
        for text in ["", "x", "1.", "-1", "99999999999999999999999"] {
            #expect(TimeText.epochSeconds(text) == nil)
            #expect(TimeText.epochMicroseconds(text) == nil)
        }
    }

    @Test func everyMomentSurvivesTheRoundTrip() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            let moment = Timestamp(
                milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random))
            let civil = CivilTime(moment)
            #expect(civil.isValid)
            #expect(civil.timestamp == moment)
            #expect(TimeText.iso8601(civil.iso8601) == moment)
        }
    }

    @Test func writesPartitionValues() {
        let civil = CivilTime(Timestamp(milliseconds: 1_795_323_601_007))
        #expect(civil.dateText == "2026-11-22")
        #expect(civil.hourText == "05")
        #expect(civil.iso8601 == "2026-11-22T05:00:01.007Z")
    }
}
