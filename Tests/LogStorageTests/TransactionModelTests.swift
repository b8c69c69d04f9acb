import Base
import NIOCore
import Records
import TestKit
import Testing

@testable import LogStorage

/// A log of transactions compared with a plain array after every step of a random life, kills, power cuts and truncations among them.
private struct TransactionLife {
    struct Batch {
        var base: Int64
        var end: Int64
        var producer: Int64
        /// Nil for records.
        var commits: Bool?
        var values: [String] = []
    }

    let machine: Machine
    var random: SeededRandom
    var batches: [Batch] = []
    var sequences: [Int64: Int32] = [:]
    var count = 0
    /// Its process dies in the middle of a call rather than between two, and nothing else cuts it.
    let isCut: Bool
    /// Being appended: it may be in the log or not where the call doesn't come back.
    private var pending: Batch?
    /// What nobody may lose any more.
    private var acknowledged: Int64 = 0

    init(seed: UInt64, _ durability: Durability, isCut: Bool = false) {
        self.isCut = isCut
        random = SeededRandom(seed: seed)
        machine = Machine(durability, segmentBytes: .bytes(Int.random(in: 400...2500, using: &random)))
        machine.config.indexInterval = .bytes(Int.random(in: 0...600, using: &random))
        machine.config.fileDeleteDelay = .zero
        if random.oneIn(3) { machine.config.retentionBytes = .kib(4) }
    }

    var end: Int64 { batches.last?.end ?? 0 }

    /// Where each batch's transaction ended: its outcome and its marker's offset, or nil.
    func outcome(of place: Int) -> (commits: Bool, marker: Int64)? {
        guard
            let marker = batches[place...].first(where: { $0.producer == batches[place].producer && $0.commits != nil })
        else { return nil }
        return (marker.commits!, marker.base)
    }

    func lastStable(below visible: Int64, from start: Int64) -> Int64 {
        var stable = visible
        for (place, batch) in batches.enumerated() where batch.commits == nil && batch.producer < 5 {
            if (outcome(of: place)?.marker ?? .max) >= visible { stable = min(stable, batch.base) }
        }
        return max(stable, min(start, visible))
    }

    mutating func step() throws {
        let log = try machine.log()
        let choice = Int.random(in: 0..<40, using: &random)
        switch choice {
        case 0..<20: try append(log)
        case 30 where isCut, 34 where isCut, 35 where isCut: try append(log)
        case 20..<26:
            let producer = Int64.random(in: 1...4, using: &random)
            let commits = random.oneIn(2)
            pending = Batch(base: end, end: end + 1, producer: producer, commits: commits)
            try log.end(producer, commits: commits, at: machine.time.wallTime)
            keepPending()
        case 26..<30: _ = try log.flush()
        case 30:
            let target = Int64.random(in: log.logStartOffset.rawValue...end, using: &random)
            try log.truncate(to: Offset(target))
            // How far it goes is `ModelTests`' to check; holes that a crash left are not in this array.
            batches.removeAll { $0.base >= log.logEndOffset.rawValue }
            fill(log)
            relearn(log)
        case 31..<33:
            machine.time.advance(by: .seconds(1))
            machine.directory.tick(now: machine.time.now)
        case 33: try machine.shutDown()
        case 34: machine.kill()
        case 35:
            let durable = log.durableOffset.rawValue
            machine.crash(Survival.allCases.randomElement(using: &random)!, seed: random.next())
            try learnWhatSurvived(durable)
        default: try append(log)
        }
        acknowledged = machine.directory?.log(for: partition)?.durableOffset.rawValue ?? end
    }

    private mutating func keepPending() {
        if let pending { batches.append(pending) }
        pending = nil
    }

    /// Starts again after a call that was cut.
    mutating func comeBack(_ survival: Survival) throws {
        keepPending()
        machine.crash(survival, seed: random.next())
        machine.disk.stopAt(operation: nil)
        try machine.start()
        try #require(machine.directory.offlinePartitions.isEmpty)
        try learnWhatSurvived(acknowledged)
    }

    /// Which of what was not synced survived: what the log says.
    private mutating func learnWhatSurvived(_ durable: Int64) throws {
        let log = try machine.log()
        try #require(log.logEndOffset.rawValue >= durable)
        var stored: Set<Int64> = []
        var next = log.logStartOffset
        while next < log.logEndOffset {
            var cursor = RecordBatchCursor(
                try log.read(from: next, bytesMax: .mib(1), atLeastOneBatch: true, upTo: .logEnd).bytes())
            while let batch = try cursor.next() {
                if batch.recordCount > 0 { stored.insert(batch.baseOffset.rawValue) }
                next = batch.nextOffset
            }
        }
        batches.removeAll { $0.base >= log.logStartOffset.rawValue && !stored.contains($0.base) && $0.base >= durable }
        relearn(log)
        fill(log)
    }

    private mutating func relearnBehind(_ producer: Int64, _ count: Int) {
        sequences[producer, default: 0] += Int32(count)
    }

    /// Where a hole was left at the end the array has it as an empty batch of nobody.
    private mutating func fill(_ log: PartitionLog) {
        if end < log.logEndOffset.rawValue {
            batches.append(Batch(base: end, end: log.logEndOffset.rawValue, producer: 99, commits: nil))
        }
    }

    private mutating func relearn(_ log: PartitionLog) {
        sequences = [:]
        for producer in log.producers() { sequences[producer.producerID.rawValue] = producer.lastSequence + 1 }
    }

    private mutating func append(_ log: PartitionLog) throws {
        let producer = Int64.random(in: 1...5, using: &random)
        let values = (0..<Int.random(in: 1...3, using: &random)).map { _ -> String in
            count += 1
            return "\(count)" + String(repeating: "t", count: Int.random(in: 0...40, using: &random))
        }
        pending = Batch(base: end, end: end + Int64(values.count), producer: producer, values: values)
        if producer < 5 {
            do {
                let result = try log.addTransactional(
                    values, producer: producer, sequence: sequences[producer, default: 0], at: machine.time.wallTime)
                // Behind a gap that a crash left this sequence may be one that survived.
                if result.isDuplicate {
                    pending = nil
                    return relearnBehind(producer, values.count)
                }
            } catch let error as AppendError where error.code == .outOfOrderSequence {
                // A crash left a gap before what survived: the producer would have to send that first.
                pending = nil
                return
            }
            sequences[producer, default: 0] += Int32(values.count)
        } else {
            try log.add(values, at: machine.time.wallTime)
        }
        keepPending()
    }

    mutating func check() throws {
        let log = try machine.log()
        let (start, visible) = (log.logStartOffset.rawValue, log.highWatermark.rawValue)
        try #require(log.logEndOffset.rawValue == end)
        let stable = lastStable(below: visible, from: start)
        try #require(log.lastStableOffset.rawValue == stable)
        let from = Int64.random(in: start...max(start, stable), using: &random)
        let slice = try log.read(
            from: Offset(from), bytesMax: .bytes(Int.random(in: 1...1500, using: &random)), atLeastOneBatch: true,
            upTo: .lastStableOffset)
        var reached = from
        var cursor = RecordBatchCursor(try slice.bytes())
        while let batch = try cursor.next() { reached = batch.nextOffset.rawValue }
        try #require(reached <= stable && (reached > from || from == stable))
        let found = try committed(in: slice, from: Offset(from))
        var expected: [(offset: Int64, value: String)] = []
        for (place, batch) in batches.enumerated() where batch.base < reached && batch.commits == nil {
            if batch.producer < 5, outcome(of: place)?.commits == false { continue }
            for (number, value) in batch.values.enumerated() where batch.base + Int64(number) >= from {
                expected.append((batch.base + Int64(number), value))
            }
        }
        try #require(found.map(\.offset) == expected.map(\.offset))
        try #require(found.map(\.value) == expected.map(\.value))
    }
}

struct TransactionModelTests {
    @Test(arguments: 0..<60 as Range<UInt64>) func readersOfCommittedRecordsSeeWhatAnArrayWouldShow(seed: UInt64) throws
    {
        var life = TransactionLife(seed: seed, seed % 2 == 0 ? .fsync : .pageCache)
        for step in 0..<160 {
            do {
                try life.step()
                try life.check()
            } catch {
                Issue.record("seed \(seed), step \(step): \(error)")
                return
            }
        }
        try life.machine.shutDown()
        let report = try LogVerifier(path: "/data", fileSystem: life.machine.disk, isInUse: false).run()
        let findings = report.findings.filter { $0.path.extension == "txnindex" }
        #expect(findings.isEmpty, "seed \(seed): \(findings.prefix(3))")
    }

    /// Each life is cut at every mutating call, with what was not synced dropped, kept and torn.
    @Test(arguments: isFullTest ? 0..<120 : 0..<6 as Range<UInt64>)
    func aCutAtAnyCallLeavesEachTransactionWholeOrUndecided(seed: UInt64) throws {
        func live(_ life: inout TransactionLife) throws {
            while life.machine.disk.operationCount < 110 { try life.step() }
        }
        var whole = TransactionLife(seed: seed, .fsync, isCut: true)
        try live(&whole)
        for stop in 1...whole.machine.disk.operationCount {
            for survival in Survival.allCases {
                var life = TransactionLife(seed: seed, .fsync, isCut: true)
                life.machine.disk.stopAt(operation: stop)
                do { try live(&life) } catch {}
                do {
                    try life.comeBack(survival)
                    try life.check()
                    for _ in 0..<5 {
                        try life.step()
                        try life.check()
                    }
                } catch {
                    Issue.record("seed \(seed), cut at call \(stop), \(survival): \(error)")
                    return
                }
            }
        }
    }
}
