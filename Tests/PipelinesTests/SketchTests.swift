import TestKit
import Testing

@testable import Pipelines

@Suite struct SketchTests {
    @Test(arguments: [1, 2, 3]) func quantilesLieWithinOnePercent(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var sketch = DDSketch()
        var values: [Double] = []
        for _ in 0..<20_000 {
            // From microseconds to hours, as latencies lie.
            let value =
                Double.random(in: 0...1, using: &random)
                * Mathematics.power(10, Double.random(in: -6...4, using: &random))
            values.append(value)
            sketch.add(value)
        }
        values.sort()
        for share in [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = values[Int(share * Double(values.count - 1))]
            let found = try #require(sketch.quantile(share))
            #expect(abs(found - exact) <= exact * 0.0101, "\(share): \(found) for \(exact)")
        }
    }

    @Test func quantilesOfFewAndOfNone() {
        var sketch = DDSketch()
        #expect(sketch.quantile(0.5) == nil)
        sketch.add(0)
        sketch.add(-1)
        sketch.add(.infinity)
        #expect(sketch.count == 2 && sketch.quantile(1) == 0)
    }

    @Test func bucketsAreBounded() throws {
        var sketch = DDSketch()
        for exponent in 0..<6000 { sketch.add(Mathematics.power(1.05, Double(exponent % 3000) - 200)) }
        let highest = try #require(sketch.quantile(1))
        #expect(abs(highest / Mathematics.power(1.05, 2799) - 1) < 0.0101)
    }

    @Test(arguments: [1, 2, 3]) func whatComesOftenIsAmongTheTop(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var top = SpaceSaving(capacity: 100)
        var counts: [String: Int64] = [:]
        for _ in 0..<50_000 {
            // A few that come often, and very many that come once.
            let number = Int.random(in: 0..<10, using: &random)
            let value =
                number < 5
                ? "often \(Int.random(in: 0..<8, using: &random))"
                : "once \(UInt32.random(in: 0 ... .max, using: &random))"
            counts[value, default: 0] += 1
            top.add(value)
        }
        let found = top.top(8)
        #expect(Set(found.map(\.value)) == Set((0..<8).map { "often \($0)" }))
        for entry in found {
            let exact = counts[entry.value] ?? 0
            #expect(entry.count >= exact && entry.count - entry.error <= exact)
        }
    }

    @Test func aFewValuesAreCountedExactly() {
        var top = SpaceSaving(capacity: 100)
        for value in ["b", "a", "b", "c", "a", "b"] { top.add(value) }
        #expect(top.top(2).map { "\($0.value) \($0.count)" } == ["b 3", "a 2"])
    }

    @Test(arguments: [0, 1, 200, 256]) func aFewDifferentValuesAreExact(count: Int) {
        var log = HyperLogLog()
        for round in 0..<3 { for number in 0..<count where round >= 0 { log.add(StableHash.of("value \(number)")) } }
        #expect(log.count == Int64(count))
    }

    @Test(arguments: [300, 5000, 100_000, 500_000]) func manyDifferentValuesAreWithinFourErrors(count: Int) {
        var log = HyperLogLog()
        for number in 0..<count { log.add(StableHash.of("value \(number)")) }
        #expect(abs(Double(log.count) / Double(count) - 1) < 4 * 0.01625, "\(log.count) for \(count)")
    }
}
