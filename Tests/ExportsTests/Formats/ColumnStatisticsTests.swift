import Testing

@testable import Exports

@Suite struct ColumnStatisticsTests {
    private func statistics(_ texts: [String]) -> ColumnStatistics {
        var statistics = ColumnStatistics()
        for text in texts { Array(text.utf8).withUnsafeBytes { statistics.add($0) } }
        return statistics
    }

    @Test func textsCompareByTheirBytes() {
        let texts = statistics(["b", "é", "", "Z", "a"]).texts
        #expect(texts?.min == [])
        #expect(texts?.max == Array("é".utf8))
    }

    @Test func aLongTextIsCutBetweenCharacters() {
        let long = String(repeating: "a", count: 63) + "é" + "tail"
        let lower = ColumnStatistics.lowerBound(Array(long.utf8))
        #expect(lower.bytes == Array(String(repeating: "a", count: 63).utf8) && !lower.isExact)
        let upper = ColumnStatistics.upperBound(Array(long.utf8))
        #expect(upper?.bytes == Array((String(repeating: "a", count: 62) + "b").utf8) && upper?.isExact == false)
        let short = Array("short".utf8)
        #expect(ColumnStatistics.lowerBound(short).isExact && ColumnStatistics.upperBound(short)?.isExact == true)
    }

    @Test func theBoundAboveIsAlwaysValidAndAbove() {
        for last in ["\u{7f}", "\u{7ff}", "\u{d7ff}", "\u{ffff}", "\u{10fffe}"] {
            // The character ends right at the cut.
            let text = Array((String(repeating: "m", count: 64 - last.utf8.count) + last + "rest").utf8)
            let bound = ColumnStatistics.upperBound(text)
            #expect(String(validating: bound?.bytes ?? [0xff], as: UTF8.self) != nil)
            #expect(text.lexicographicallyPrecedes(bound?.bytes ?? []))
        }
        let largest = Array(String(repeating: "\u{10ffff}", count: 17).utf8)
        #expect(ColumnStatistics.upperBound(largest) == nil)
    }

    @Test func notANumberHasNoPlaceAndZeroStandsForBoth() {
        var numbers = ColumnStatistics()
        numbers.add(Double.nan)
        #expect(numbers.decimals == nil)
        for number in [0.0, 3.5, .nan] { numbers.add(number) }
        #expect(numbers.decimals?.lowerBound.sign == .minus && numbers.decimals?.lowerBound == 0)
        #expect(numbers.decimals?.upperBound == 3.5)
        var zeros = ColumnStatistics()
        for number in [-1.0, -0.0] { zeros.add(number) }
        #expect(zeros.decimals?.upperBound.sign == .plus && zeros.decimals?.lowerBound == -1)
    }

    @Test func wholeNumbersCompareBySign() {
        var numbers = ColumnStatistics()
        for number: Int64 in [3, -7, .max, .min, 0] { numbers.add(number) }
        #expect(numbers.wholes == Int64.min...Int64.max)
    }
}
