import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// A compacted log, through a random life, against all that was ever written to it.
struct CompactedModelTests {
    private struct Entry: Equatable {
        var key: String
        /// Nil: a tombstone.
        var value: String?
        var time: Timestamp
    }

    private static let seeds: Range<UInt64> = 0..<(isFullTest ? 2000 : 40)

    @Test(arguments: seeds) func compactionKeepsWhatAMapWould(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let machine = Machine(
            random.oneIn(2) ? .fsync : .pageCache, segmentBytes: .bytes(Int.random(in: 500...2000, using: &random)))
        machine.config.compacts = true
        machine.config.deletes = false
        machine.config.indexInterval = .bytes(Int.random(in: 0...400, using: &random))
        machine.config.tombstoneRetention = .seconds(random.oneIn(2) ? 20 : 100_000)
        machine.config.dirtyRatioMin = random.oneIn(2) ? 0 : 0.5
        if random.oneIn(3) { machine.config.compactionLagMin = .seconds(5) }
        machine.config.fileDeleteDelay = .zero
        machine.settings.producerExpiration = .seconds(1 << 30)
        machine.settings.compactionKeyBytes = .bytes(random.oneIn(3) ? 300 : 1 << 20)
        var log = try machine.log()
        var history: [Entry] = []
        var sequence: Int32 = 0
        var last: (bytes: ByteBuffer, base: Int64)?
        for step in 0..<300 {
            switch Int.random(in: 0..<30, using: &random) {
            case 0..<18:
                let bytes = try write(log, &history, machine, &sequence, step, &random)
                last = bytes
            case 18..<20: _ = try log.flush()
            case 20..<25:
                machine.time.advance(by: .seconds(Int.random(in: 1...15, using: &random)))
                machine.directory.tick(now: machine.time.now)
            case 25:
                _ = try log.flush()
                machine.time.advance(by: .seconds(8 * 86_400))
                _ = LogScrubber(machine.directory).step()
            case 26:
                try machine.shutDown()
                log = try machine.log()
            case 27:
                machine.kill()
                log = try machine.log()
            case 28:
                guard let last else { continue }
                // However much compaction took, the producer's last batch is known.
                let again = try log.append(
                    last.bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: machine.time.wallTime)
                try #require(again.isDuplicate && again.baseOffset.rawValue == last.base, "seed \(seed), step \(step)")
            default: try check(log, history, machine)
            }
            try #require(log.logEndOffset.rawValue == Int64(history.count), "seed \(seed), step \(step)")
        }
        try check(log, history, machine)
        for name in ["rot_found", "reads_differ", "batches_quarantined", "batches_missing", "maintenance_failed"] {
            #expect(!machine.facts.names.contains(name), "seed \(seed): \(name)")
        }
    }

    private func write(
        _ log: PartitionLog, _ history: inout [Entry], _ machine: Machine, _ sequence: inout Int32, _ step: Int,
        _ random: inout SeededRandom
    ) throws -> (ByteBuffer, Int64) {
        let entries = (0..<Int.random(in: 1...5, using: &random)).map { place in
            Entry(
                key: "k\(Int.random(in: 0..<12, using: &random))",
                value: random.oneIn(6)
                    ? nil : "\(step)/\(place)" + String(repeating: "z", count: Int.random(in: 0...40, using: &random)),
                time: machine.time.wallTime)
        }
        let records = entries.map {
            NewRecord(timestamp: $0.time, key: Array($0.key.utf8), value: $0.value.map { Array($0.utf8) })
        }
        let bytes = try RecordBatch.build(
            records, codec: random.oneIn(3) ? .lz4 : .none, producerID: ProducerID(9), producerEpoch: ProducerEpoch(0),
            baseSequence: sequence
        ).bytes
        let answer = try log.append(
            bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: machine.time.wallTime)
        #expect(answer.baseOffset.rawValue == Int64(history.count) && !answer.isDuplicate)
        sequence += Int32(entries.count)
        history += entries
        return (bytes, answer.baseOffset.rawValue)
    }

    /// What is there was written, at its offset; of every key the latest is there, unless it is a tombstone that may have gone; what was never
    /// compacted is all there.
    private func check(_ log: PartitionLog, _ history: [Entry], _ machine: Machine) throws {
        var found: [Int64: Entry] = [:]
        var next = log.logStartOffset
        var order: [Int64] = []
        while next < log.logEndOffset {
            let slice = try log.read(from: next, bytesMax: .kib(2), atLeastOneBatch: true, upTo: .logEnd)
            var cursor = RecordBatchCursor(try slice.bytes())
            let before = next
            while let batch = try cursor.next() {
                try batch.checkCRC()
                var records = try batch.records(decompressedMax: .mib(1))
                while let record = try records.next() {
                    if record.offset < before { continue }
                    order.append(record.offset.rawValue)
                    found[record.offset.rawValue] = Entry(
                        key: String(buffer: record.key!), value: record.value.map { String(buffer: $0) },
                        time: record.timestamp)
                }
                next = max(next, batch.nextOffset)
            }
            if next == before { break }
        }
        #expect(order == order.sorted() && Set(order).count == order.count)
        for (offset, entry) in found { try #require(entry == history[Int(offset)]) }
        let cleanedTo = log.state.withLock { $0.cleanedTo }
        for offset in Int(cleanedTo.rawValue)..<history.count { try #require(found[Int64(offset)] != nil) }
        var latest: [String: Int] = [:]
        for (offset, entry) in history.enumerated() { latest[entry.key] = offset }
        for (key, offset) in latest where found[Int64(offset)] == nil {
            let entry = history[offset]
            let age = machine.time.wallTime - entry.time
            try #require(
                entry.value == nil && age > machine.config.tombstoneRetention, "the latest of \(key) is gone")
            // And with it every older one.
            try #require(!found.values.contains { $0.key == key })
        }
    }
}
