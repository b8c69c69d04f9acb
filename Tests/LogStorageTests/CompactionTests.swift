import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

struct CompactionTests {
    private func machine() -> Machine {
        let machine = Machine(.fsync, segmentBytes: .bytes(900))
        machine.config.compacts = true
        machine.config.deletes = false
        machine.config.tombstoneRetention = .seconds(3600)
        machine.config.fileDeleteDelay = .zero
        return machine
    }

    /// Appends one batch; nil values are tombstones.
    private func put(
        _ log: PartitionLog, _ pairs: [(String, String?)], _ machine: Machine, codec: Codec = .none
    ) throws {
        let records = pairs.map {
            NewRecord(timestamp: machine.time.wallTime, key: Array($0.0.utf8), value: $0.1.map { Array($0.utf8) })
        }
        _ = try log.append(
            RecordBatch.build(records, codec: codec).bytes, leaderEpoch: LeaderEpoch(0), origin: .coordinator,
            now: machine.time.wallTime)
    }

    /// Key, value and offset of everything that is left.
    private func contents(_ log: PartitionLog) throws -> [(offset: Int64, key: String, value: String?)] {
        var found: [(Int64, String, String?)] = []
        var next = log.logStartOffset
        while next < log.logEndOffset {
            let slice = try log.read(from: next, bytesMax: .kib(2), atLeastOneBatch: true, upTo: .logEnd)
            var cursor = RecordBatchCursor(try slice.bytes())
            let before = next
            while let batch = try cursor.next() {
                try batch.checkCRC()
                var records = try batch.records(decompressedMax: .mib(1))
                while let record = try records.next() {
                    if record.offset < before { continue }
                    found.append(
                        (record.offset.rawValue, String(buffer: record.key!), record.value.map { String(buffer: $0) }))
                }
                next = max(next, batch.nextOffset)
            }
            if next == before { break }
        }
        return found
    }

    private func tick(_ machine: Machine, after duration: Duration = .seconds(1)) {
        machine.time.advance(by: duration)
        machine.directory.tick(now: machine.time.now)
    }

    @Test(arguments: [Codec.none, .gzip, .zstd]) func theLatestRecordOfEachKeyStaysAtItsOffset(codec: Codec) throws {
        let machine = machine()
        var log = try machine.log()
        var latest: [String: (Int64, String)] = [:]
        var random = SeededRandom(seed: 3)
        for round in 0..<200 {
            let pairs = (0..<3).map { ("k\(Int.random(in: 0..<10, using: &random))", Optional("v\(round)/\($0)")) }
            for (place, pair) in pairs.enumerated() { latest[pair.0] = (Int64(round * 3 + place), pair.1!) }
            try put(log, pairs, machine, codec: codec)
        }
        _ = try log.flush()
        let before = log.byteCount
        tick(machine)
        #expect(log.byteCount < before / 3)
        func check(_ log: PartitionLog) throws {
            let found = try contents(log)
            #expect(found.map(\.offset) == found.map(\.offset).sorted())
            for (key, (offset, value)) in latest {
                let own = found.last { $0.key == key }
                #expect(own?.offset == offset && own?.value == value)
            }
            #expect(log.logEndOffset == Offset(600) && log.logStartOffset == .zero)
        }
        try check(log)
        machine.crash(.dropUnsynced)
        log = try machine.log()
        try check(log)
        let after = try log.append(
            batch(["x"], keys: ["k1"]), leaderEpoch: LeaderEpoch(0), origin: .client, now: noon)
        #expect(after.baseOffset == Offset(600))
    }

    @Test func tombstonesOutliveTheirRetentionAndThenGo() throws {
        let machine = machine()
        let log = try machine.log()
        try put(log, [("gone", "value"), ("stays", "value")], machine)
        try put(log, [("gone", nil)], machine)
        func fill() throws {
            for number in 0..<30 { try put(log, [("filler", String(number))], machine) }
            _ = try log.flush()
        }
        try fill()
        tick(machine)
        #expect(try contents(log).filter { $0.key == "gone" }.map(\.value) == [nil])
        try fill()
        tick(machine, after: .seconds(3601))
        #expect(try contents(log).filter { $0.key == "gone" }.isEmpty)
        #expect(try contents(log).contains { $0.key == "stays" })
    }

    @Test func aProducersLastBatchesAreKnownThoughTheirRecordsAreGone() throws {
        let machine = machine()
        var log = try machine.log()
        let send = { (log: PartitionLog, sequence: Int32) in
            try log.append(
                batch(["v"], keys: ["k"], producer: 6, sequence: sequence), leaderEpoch: LeaderEpoch(0),
                origin: .client, now: machine.time.wallTime)
        }
        for sequence in 0..<7 as Range<Int32> { _ = try send(log, sequence) }
        for number in 0..<40 { try put(log, [("k", String(number))], machine) }
        _ = try log.flush()
        tick(machine)
        machine.kill()
        for file in try machine.files(".snapshot") { try machine.disk.unlink(file) }
        log = try machine.log()
        #expect(try send(log, 6).isDuplicate)
        #expect(try send(log, 2).baseOffset == Offset(2))
    }

    @Test func aCompactionInSmallMemoryGetsThereInSeveralGoes() throws {
        let machine = machine()
        machine.settings.compactionKeyBytes = .bytes(500)
        machine.config.dirtyRatioMin = 0
        let log = try machine.log()
        for number in 0..<300 { try put(log, [("key-\(number % 40)", String(number))], machine) }
        _ = try log.flush()
        for _ in 0..<60 { tick(machine) }
        let found = try contents(log)
        #expect(Set(found.map(\.key)).count == 40 && found.count < 100)
        for key in 0..<40 {
            #expect(found.last { $0.key == "key-\(key)" }?.value == String((0..<300).last { $0 % 40 == key }!))
        }
    }

    /// A compaction cut at every call, with what was not synced dropped, kept or torn: the latest value of each key is always there.
    @Test(arguments: Survival.allCases) func aCompactionCutAnywhereLosesNoKey(survival: Survival) throws {
        func prepared() throws -> (Machine, PartitionLog) {
            let machine = machine()
            let log = try machine.log()
            for number in 0..<60 {
                try put(log, [("k\(number % 7)", String(number)), ("once-\(number)", "x")], machine)
            }
            _ = try log.flush()
            return (machine, log)
        }
        let (whole, _) = try prepared()
        let first = whole.disk.operationCount
        tick(whole)
        for stop in (first + 1)...whole.disk.operationCount {
            let (machine, _) = try prepared()
            machine.disk.stopAt(operation: stop)
            tick(machine)
            machine.crash(survival, seed: UInt64(stop))
            let log = try machine.log()
            for round in 0..<2 {
                let found = try contents(log)
                #expect(found.map(\.offset) == found.map(\.offset).sorted())
                for key in 0..<7 {
                    let newest = (0..<60).last { $0 % 7 == key }!
                    #expect(
                        found.last { $0.key == "k\(key)" }?.value == String(newest), "cut at \(stop), round \(round)")
                }
                #expect(found.filter { $0.key.hasPrefix("once") }.count == 60, "cut at \(stop), round \(round)")
                #expect(log.logEndOffset == Offset(120))
                tick(machine)
            }
        }
    }
}
