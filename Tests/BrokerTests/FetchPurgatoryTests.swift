import Base
import TestKit
import Testing

@testable import Broker

/// Transcripts of the purgatory, its partitions and waiters being words.
@Suite struct FetchPurgatoryTests {
    typealias Purgatory = FetchPurgatory<String, String>

    static func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func aWaiterLeavesOnceItsBytesAreThere() {
        var purgatory = Purgatory()
        _ = purgatory.park("a", on: ["p", "q"], bytesMissing: 100, deadline: Self.at(500))
        #expect(purgatory.advanced("p", bytes: 60) == [])
        #expect(purgatory.advanced("other", bytes: 1000) == [])
        #expect(purgatory.advanced("q", bytes: 40) == ["a"])
        #expect(purgatory.advanced("q", bytes: 40) == [])
        #expect(purgatory.waiterCount == 0)
    }

    @Test func everyoneWhoWaitsForAPartitionHearsOfItInTheOrderTheyCame() {
        var purgatory = Purgatory()
        for name in ["a", "b", "c"] { _ = purgatory.park(name, on: ["p"], bytesMissing: 1, deadline: Self.at(500)) }
        #expect(purgatory.advanced("p", bytes: 1) == ["a", "b", "c"])
    }

    @Test func timeEndsTheWait() {
        var purgatory = Purgatory()
        _ = purgatory.park("late", on: ["p"], bytesMissing: 1, deadline: Self.at(900))
        _ = purgatory.park("early", on: ["p"], bytesMissing: 1, deadline: Self.at(300))
        _ = purgatory.park("middle", on: ["p"], bytesMissing: 1, deadline: Self.at(500))
        #expect(purgatory.nextDeadline == Self.at(300))
        #expect(purgatory.tick(now: Self.at(299)) == [])
        #expect(purgatory.tick(now: Self.at(500)) == ["early", "middle"])
        #expect(purgatory.nextDeadline == Self.at(900))
        #expect(purgatory.advanced("p", bytes: 1) == ["late"])
        #expect(purgatory.nextDeadline == nil)
    }

    @Test func aDeletedPartitionInterrupts() {
        var purgatory = Purgatory()
        _ = purgatory.park("a", on: ["p", "q"], bytesMissing: 1 << 20, deadline: Self.at(500))
        #expect(purgatory.interrupted("q") == ["a"])
    }

    @Test func aFullPurgatoryTurnsAway() {
        var purgatory = Purgatory(waitersMax: 1)
        let ticket = purgatory.park("a", on: ["p"], bytesMissing: 1, deadline: Self.at(500))
        #expect(purgatory.park("b", on: ["p"], bytesMissing: 1, deadline: Self.at(500)) == nil)
        #expect(purgatory.cancel(ticket!) == "a")
        #expect(purgatory.cancel(ticket!) == nil)
        #expect(purgatory.park("b", on: ["p"], bytesMissing: 1, deadline: Self.at(500)) != nil)
    }

    /// Against a model: nobody leaves early without cause, nobody stays past the deadline, and passed deadlines don't pile up.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func agreesWithAPlainModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var purgatory = FetchPurgatory<Int, Int>(waitersMax: 50)
        var model: [Int: (partitions: Set<Int>, missing: Int, deadline: Instant)] = [:]
        var now = Instant.zero
        for name in 0..<5000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let partitions = Set(
                    (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: 0..<6, using: &random) })
                let missing = Int.random(in: 1...50, using: &random)
                let deadline = now + .milliseconds(Int.random(in: 0...100, using: &random))
                let ticket = purgatory.park(name, on: Array(partitions), bytesMissing: missing, deadline: deadline)
                #expect((ticket == nil) == (model.count == 50))
                if ticket != nil { model[name] = (partitions, missing, deadline) }
            case 2:
                let partition = Int.random(in: 0..<6, using: &random)
                let bytes = Int.random(in: 1...30, using: &random)
                for key in model.keys where model[key]!.partitions.contains(partition) { model[key]!.missing -= bytes }
                let due = model.filter { $0.value.missing <= 0 }.keys.sorted()
                #expect(purgatory.advanced(partition, bytes: bytes) == due)
                for key in due { model[key] = nil }
            default:
                now = now + .milliseconds(Int.random(in: 0...20, using: &random))
                let due = model.filter { $0.value.deadline <= now }.keys.sorted()
                #expect(purgatory.tick(now: now) == due)
                for key in due { model[key] = nil }
                #expect(purgatory.nextDeadline == model.values.map(\.deadline).min())
            }
            #expect(purgatory.waiterCount == model.count)
        }
    }
}
