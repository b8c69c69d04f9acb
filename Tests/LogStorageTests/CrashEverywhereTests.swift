import Base
import Foundation
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// A seeded life of one partition at durability `fsync`, cut at a given mutating call, and what must hold afterwards.
private final class Life {
    struct Sent {
        var producer: Int64
        var sequence: Int32
        var values: [String]
        var base: Int64
    }

    let machine: Machine
    var random: SeededRandom
    /// Every batch that was written, or may have been, in the order of its offsets.
    var sent: [Sent] = []
    var acknowledged: Int64 = 0
    var start: Int64 = 0
    var next: Int64 = 0
    var sequences: [Int64: Int32] = [:]
    var count = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        machine = Machine(.fsync, segmentBytes: .bytes(Int.random(in: 400...1500, using: &random)))
        machine.config.indexInterval = .bytes(100)
        machine.config.fileDeleteDelay = .zero
        if random.oneIn(2) { machine.config.retentionBytes = .bytes(1200) }
        machine.settings.checkpointInterval = .seconds(20)
    }

    func live(operations: Int) throws {
        _ = try machine.log()
        while machine.disk.operationCount < operations { try step() }
    }

    private func step() throws {
        let log = try machine.log()
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<10: try append(log)
        case 10..<15: acknowledged = try log.flush().rawValue
        case 15..<17:
            machine.time.advance(by: .seconds(10))
            machine.directory.tick(now: machine.time.now)
            start = log.logStartOffset.rawValue
        case 17 where log.highWatermark > log.logStartOffset:
            start = Int64.random(in: log.logStartOffset.rawValue...log.highWatermark.rawValue, using: &random)
            _ = try log.deleteRecords(before: Offset(start))
        case 18:
            try machine.shutDown()
            acknowledged = next
            try machine.start()
        default: try append(log)
        }
    }

    private func append(_ log: PartitionLog) throws {
        let producer = Int64.random(in: 1...3, using: &random)
        // As every client does: no more than five batches without an answer.
        if sent.count(where: { $0.producer == producer && $0.base >= acknowledged }) >= ProducerState.batchesMax {
            acknowledged = try log.flush().rawValue
        }
        let values = (0..<Int.random(in: 1...3, using: &random)).map { _ -> String in
            count += 1
            return "\(count)" + String(repeating: "x", count: Int.random(in: 0...60, using: &random))
        }
        let batch = Sent(producer: producer, sequence: sequences[producer, default: 0], values: values, base: next)
        // Noted before it is tried: a cut append may be in the log or not.
        sent.append(batch)
        try send(batch, log)
        next += Int64(values.count)
        sequences[producer] = batch.sequence + Int32(values.count)
    }

    @discardableResult
    private func send(_ sent: Sent, _ log: PartitionLog) throws -> AppendResult {
        try log.append(
            batch(sent.values, at: machine.time.wallTime, producer: sent.producer, sequence: sent.sequence),
            leaderEpoch: LeaderEpoch(0), origin: .client, now: machine.time.wallTime)
    }

    /// Starts again after the cut, being cut once more now and then, and checks the log against what was sent.
    func comeBack(_ survival: Survival) throws {
        var cuts = Int.random(in: 0...2, using: &random)
        var survival = survival
        while true {
            machine.crash(survival, seed: random.next())
            if cuts > 0 {
                machine.disk.stopAt(operation: machine.disk.operationCount + Int.random(in: 1...9, using: &random))
            }
            let opened = (try? machine.start()) != nil
            if opened, machine.disk.isStopped == false {
                machine.disk.stopAt(operation: nil)
                break
            }
            try #require(cuts > 0, "a start that nothing cut has failed")
            cuts -= 1
            survival = Survival.allCases.randomElement(using: &random)!
        }
        try #require(machine.directory.offlinePartitions.isEmpty, "\(machine.directory.offlinePartitions)")
    }

    func check() throws {
        let wasThere = machine.directory.log(for: partition) != nil
        try #require(wasThere || acknowledged == 0)
        let log = try machine.log()
        let end = log.logEndOffset.rawValue
        try #require(end >= acknowledged, "acknowledged up to \(acknowledged), the log ends at \(end)")
        try #require(log.logStartOffset.rawValue <= max(start, log.logEndOffset.rawValue))
        let expected = sent.flatMap { batch in
            batch.values.enumerated().map { (offset: batch.base + Int64($0), value: $1) }
        }
        let found = try log.all()
        // Of what nobody was told that it is kept, a batch may be missing before others that are there.
        let stored = Set(found.map(\.offset))
        let wanted = expected.filter {
            $0.offset >= log.logStartOffset.rawValue && ($0.offset < acknowledged || stored.contains($0.offset))
        }
        try #require(found.map(\.offset) == wanted.map(\.offset))
        try #require(found.map(\.value) == wanted.map(\.value))
        try resend(log) { $0.base < acknowledged || stored.contains($0.base) }
    }

    /// Every producer sends the batches again that may be under way: those that survived are recognised, the others taken. Of what retention took
    /// nobody can tell any more whether it was there.
    private func resend(_ log: PartitionLog, _ isStored: (Sent) -> Bool) throws {
        let start = log.logStartOffset.rawValue
        for producer in 1...3 as ClosedRange<Int64> {
            let own = sent.filter { $0.producer == producer }
            for batch in own.suffix(ProducerState.batchesMax) where batch.base >= start {
                let answer = try send(batch, log)
                try #require(
                    answer.isDuplicate == isStored(batch), "producer \(producer), sequence \(batch.sequence)")
                if answer.isDuplicate { try #require(answer.baseOffset.rawValue == batch.base) }
            }
        }
        let end = log.logEndOffset
        try #require(try log.flush() == end)
        let values = try log.all(upTo: .highWatermark).map(\.value)
        try #require(Set(values).count == values.count)
    }
}

struct CrashEverywhereTests {
    private static let only = ProcessInfo.processInfo.environment["MILLRACE_CRASH_SEED"].flatMap { UInt64($0) }
    static let seeds: Range<UInt64> = only.map { $0..<$0 + 1 } ?? (isFullTest ? 0..<2700 : 0..<28)

    /// 28 lives of at least 125 mutating calls, each cut at every one with unsynced data dropped, kept and torn: over 10,000 crash points; with `./test --full` 2,700 lives
    /// and a million. `MILLRACE_CRASH_SEED=N` runs that life alone.
    @Test(arguments: seeds) func everyAcknowledgedRecordIsThereOnceInOrder(seed: UInt64) throws {
        let whole = Life(seed: seed)
        try whole.live(operations: 125)
        for stop in 1...whole.machine.disk.operationCount {
            for survival in Survival.allCases {
                let life = Life(seed: seed)
                life.machine.disk.stopAt(operation: stop)
                do { try life.live(operations: 125) } catch {}
                do {
                    try life.comeBack(survival)
                    try life.check()
                } catch {
                    Issue.record("seed \(seed), cut at call \(stop), \(survival): \(error)")
                    return
                }
            }
        }
    }
}
