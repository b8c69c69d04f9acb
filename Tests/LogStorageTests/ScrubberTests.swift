import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Rot under a running log: found by reading again, and taken out while readers go on.
struct ScrubberTests {
    /// A running log of one record a batch, all of it durable.
    private func prepared(_ count: Int = 20, segmentBytes: ByteCount = .bytes(500)) throws -> Machine {
        let machine = Machine(.fsync, segmentBytes: segmentBytes)
        machine.config.indexInterval = .bytes(100)
        let log = try machine.log()
        for number in 0..<count {
            _ = try log.append(
                batch(["value \(number)"], producer: 5, sequence: Int32(number)), leaderEpoch: LeaderEpoch(3),
                origin: .client, now: noon)
        }
        _ = try log.flush()
        machine.facts.clear()
        return machine
    }

    /// Flips a bit of the batch that begins with this offset.
    private func rot(_ machine: Machine, offset: Int64, byte: Int = 70) throws {
        for file in try machine.files(".log") {
            try machine.disk.overwrite(file) { bytes in
                var at = 0
                while at < bytes.count, let header = try? bytes[at...].withUnsafeBytes({ try BatchHeader($0) }) {
                    if header.baseOffset == Offset(offset) { return bytes[at + byte] ^= 0x41 }
                    at += header.byteCount
                }
            }
        }
    }

    /// Steps until the round is over.
    private func scrub(_ machine: Machine, _ scrubber: LogScrubber? = nil) {
        let scrubber = scrubber ?? LogScrubber(machine.directory)
        for _ in 0..<10_000 {
            _ = scrubber.step()
            if machine.facts.names.contains("scrubbed") { return }
        }
        Issue.record("the round never ends")
    }

    private func check(_ machine: Machine, lost: Set<Int64>, of count: Int = 20) throws {
        let log = try machine.log()
        let found = try log.all(upTo: .highWatermark)
        #expect(found.map(\.offset) == (0..<Int64(count)).filter { !lost.contains($0) })
        #expect(found.allSatisfy { $0.value == "value \($0.offset)" })
        #expect(log.logEndOffset == Offset(Int64(count)))
        // By the index too.
        for offset in 0..<Int64(count) where !lost.contains(offset) {
            let slice = try log.read(
                from: Offset(offset), bytesMax: .bytes(1), atLeastOneBatch: true, upTo: .highWatermark)
            let first = try records(in: slice.bytes()).first { $0.offset >= offset }
            #expect(first?.offset == offset)
        }
    }

    @Test func aSoundLogIsReadToItsEndAndNothingIsChanged() throws {
        let machine = try prepared()
        let before = try machine.files(".log").map { try machine.disk.contents(of: $0, bytesMax: .mib(1)) }
        scrub(machine)
        #expect(machine.facts.names == ["scrubbed"])
        #expect(try machine.files(".log").map { try machine.disk.contents(of: $0, bytesMax: .mib(1)) } == before)
    }

    @Test(arguments: [0, 7, 12, 19] as [Int64], [7, 10, 16, 18, 70])
    func aRottenBatchIsTakenOutAndReadersGoOnBehindIt(offset: Int64, byte: Int) throws {
        let machine = try prepared()
        let log = try machine.log()
        try rot(machine, offset: offset, byte: byte)
        scrub(machine)
        #expect(machine.facts.names == ["rot_found", "batches_quarantined", "scrubbed"])
        try check(machine, lost: [offset])
        #expect(try machine.disk.allFiles(below: "/data/quarantine").count == 1)

        // The log goes on, the next round and the next start find nothing wrong.
        let answer = try log.append(
            batch(["value 20"], producer: 5, sequence: 20), leaderEpoch: LeaderEpoch(3), origin: .client, now: noon)
        #expect(answer.baseOffset == Offset(20))
        _ = try log.flush()
        machine.facts.clear()
        machine.time.advance(by: .seconds(8 * 86_400))
        scrub(machine)
        #expect(machine.facts.names == ["scrubbed"])
        machine.facts.clear()
        machine.crash(.dropUnsynced)
        try machine.start()
        try check(machine, lost: [offset], of: 21)
        #expect(machine.facts.names.filter { $0 == "batches_quarantined" || $0 == "batches_missing" }.isEmpty)
    }

    @Test func severalRottenBatchesOfSeveralSegments() throws {
        for seed in 0..<40 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let machine = try prepared(30, segmentBytes: .bytes(Int.random(in: 300...3000, using: &random)))
            let lost = Set((0..<30 as Range<Int64>).filter { _ in random.oneIn(5) })
            for offset in lost { try rot(machine, offset: offset, byte: Int.random(in: 61..<72, using: &random)) }
            scrub(machine)
            try check(machine, lost: lost, of: 30)
        }
    }

    @Test func producersGoOnAsIfNothingHadHappened() throws {
        let machine = try prepared()
        let log = try machine.log()
        try rot(machine, offset: 17)
        scrub(machine)
        // It was acknowledged: who sends it again hears what he would have heard.
        let again = try log.append(
            batch(["value 17"], producer: 5, sequence: 17), leaderEpoch: LeaderEpoch(3), origin: .client, now: noon)
        #expect(again.isDuplicate && again.baseOffset == Offset(17))
    }

    /// Nothing was appended since the clean start, so that nothing but the mend changed what is known of producers.
    @Test func whatProducersKnowSurvivesAMendAndACleanRestart() throws {
        let machine = try prepared(3)
        func send(_ producer: Int64, _ sequence: Int32) throws -> Offset {
            let answer = try machine.log().append(
                batch(["value"], producer: producer, sequence: sequence), leaderEpoch: LeaderEpoch(3), origin: .client,
                now: noon)
            return answer.baseOffset
        }
        #expect(try send(9, 0) == Offset(3))
        for sequence in 3..<20 as Range<Int32> { _ = try send(5, sequence) }
        try machine.shutDown()
        try machine.start()
        try rot(machine, offset: 3)
        scrub(machine)
        #expect(machine.facts.names.contains("batches_quarantined"))
        try machine.shutDown()
        try machine.start()
        // It was acknowledged: who sends it again hears what he would have heard, and goes on behind it.
        #expect(try send(9, 0) == Offset(3))
        #expect(try send(9, 1) == Offset(21))
    }

    @Test func aWrongLeaderEpochIsToldAndItsRecordsStay() throws {
        let machine = try prepared()
        try rot(machine, offset: 7, byte: 15)
        scrub(machine)
        #expect(machine.facts.names == ["rot_found", "scrubbed"])
        try check(machine, lost: [])
    }

    @Test func damageThatASecondLookDoesNotFindChangesNothing() throws {
        let machine = try prepared()
        let log = try machine.log()
        let scrub = try #require(SegmentScrub(of: log, from: .zero))
        #expect(try log.mendIfDamaged(scrub, found: "a bit of memory was wrong", at: 0) == false)
        #expect(machine.facts.names == ["reads_differ"])
        try check(machine, lost: [])
    }

    /// The index of aborted transactions is not in the batches alone: its segment is written anew, and it must still hide what it hid.
    @Test func whatWasAbortedStaysHiddenWhenItsSegmentIsMended() throws {
        let machine = try prepared(2, segmentBytes: .bytes(700))
        let log = try machine.log()
        try log.addTransactional(["aborted"], producer: 7, sequence: 0)
        try log.end(7, commits: false)
        try log.add(["plain"])
        for number in 0..<8 { try log.add(["later \(number)"]) }
        _ = try log.flush()
        #expect(log.segmentCount > 1)
        let before = try log.committedValues()
        #expect(!before.contains("aborted") && before.contains("plain"))
        try rot(machine, offset: 1)
        scrub(machine)
        #expect(machine.facts.names.contains("batches_quarantined"))
        #expect(try log.committedValues() == before.filter { $0 != "value 1" })
        machine.crash(.keepAll)
        try machine.start()
        #expect(try machine.log().committedValues() == before.filter { $0 != "value 1" })
    }

    @Test func aCutAtAnyCallOfAMendLosesNothingMore() throws {
        for offset in [3, 12] as [Int64] {
            let whole = try prepared()
            let begin = whole.disk.operationCount
            try rot(whole, offset: offset)
            scrub(whole)
            for stop in begin + 1...whole.disk.operationCount {
                for survival in Survival.allCases {
                    let machine = try prepared()
                    try rot(machine, offset: offset)
                    machine.disk.stopAt(operation: stop)
                    _ = LogScrubber(machine.directory).step()
                    machine.disk.stopAt(operation: nil)
                    machine.crash(survival, seed: UInt64(stop))
                    try machine.start()
                    try #require(machine.directory.offlinePartitions.isEmpty)
                    // A start reads what lies beyond its recovery point, and finds it there too; a round does the rest.
                    machine.facts.clear()
                    machine.time.advance(by: .seconds(8 * 86_400))
                    scrub(machine)
                    try check(machine, lost: [offset])
                }
            }
        }
    }

    @Test func theRoundGoesOnAfterARestartWhereItWas() throws {
        let machine = try prepared(60)
        var settings = LogScrubberSettings()
        settings.stepBytes = 1
        var scrubber = LogScrubber(machine.directory, settings: settings)
        // A step is a batch; the place is noted each minute.
        for _ in 0..<30 {
            _ = scrubber.step()
            machine.time.advance(by: .seconds(61))
        }
        try machine.shutDown()
        try rot(machine, offset: 2)
        try rot(machine, offset: 50)
        try machine.start()
        machine.facts.clear()
        scrubber = LogScrubber(machine.directory, settings: settings)
        scrub(machine, scrubber)
        #expect(machine.facts.names == ["rot_found", "batches_quarantined", "scrubbed"])

        // What lies before it is the next round's, which begins a week after this one.
        machine.facts.clear()
        #expect(scrubber.step() == .seconds(60) && machine.facts.names.isEmpty)
        machine.time.advance(by: .seconds(7 * 86_400))
        scrub(machine, scrubber)
        #expect(machine.facts.names == ["rot_found", "batches_quarantined", "scrubbed"])
        try check(machine, lost: [2, 50], of: 60)
    }

    @Test func noMoreIsReadThanTheRateAllows() throws {
        let machine = try prepared(100)
        var settings = LogScrubberSettings()
        settings.bytesPerSecond = .bytes(1000)
        settings.stepBytes = 1
        let scrubber = LogScrubber(machine.directory, settings: settings)
        var waited = Duration.zero
        while !machine.facts.names.contains("scrubbed") { waited += scrubber.step() }
        let bytes = try machine.log().byteCount
        #expect(waited == .milliseconds(bytes))

        settings.bytesPerSecond = .zero
        machine.facts.clear()
        machine.time.advance(by: .seconds(8 * 86_400))
        let idle = LogScrubber(machine.directory, settings: settings)
        for _ in 0..<10 { #expect(idle.step() == .seconds(60)) }
        #expect(machine.facts.names.isEmpty)
    }
}
