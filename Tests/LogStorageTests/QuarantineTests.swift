import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Rot below the known durable point: what is damaged is taken out, all else stays where it was.
struct QuarantineTests {
    /// A log of one record a batch, known to be durable, left by a killed process.
    private func prepared(
        _ count: Int = 20, segmentBytes: ByteCount = .kib(64), checkpoint: Bool = false
    ) throws -> Machine {
        let machine = Machine(.fsync, segmentBytes: segmentBytes)
        machine.config.indexInterval = .bytes(100)
        let log = try machine.log()
        for number in 0..<count {
            _ = try log.append(
                batch(["value \(number)"], producer: 5, sequence: Int32(number)), leaderEpoch: LeaderEpoch(3),
                origin: .client, now: noon)
        }
        _ = try log.flush()
        if checkpoint { try machine.directory.writeCheckpoints() }
        machine.kill()
        return machine
    }

    /// Where the batches of a file begin.
    private func places(_ bytes: [UInt8]) throws -> [(position: Int, header: BatchHeader)] {
        var found: [(Int, BatchHeader)] = []
        var at = 0
        while at < bytes.count {
            let header = try bytes[at...].withUnsafeBytes { try BatchHeader($0) }
            found.append((at, header))
            at += header.byteCount
        }
        return found
    }

    /// All records by as many reads as it takes, past batches without records.
    private func contents(_ log: PartitionLog) throws -> [Int64: String] {
        var found: [Int64: String] = [:]
        var next = log.logStartOffset
        while next < log.logEndOffset {
            let slice = try log.read(from: next, bytesMax: .bytes(300), atLeastOneBatch: true, upTo: .highWatermark)
            var cursor = RecordBatchCursor(try slice.bytes())
            let before = next
            while let batch = try cursor.next() {
                try batch.checkCRC()
                try #require(batch.baseOffset == next, "offsets are contiguous")
                var records = try batch.records(decompressedMax: .mib(1))
                while let record = try records.next() { found[record.offset.rawValue] = String(buffer: record.value!) }
                next = batch.nextOffset
            }
            try #require(next > before)
        }
        return found
    }

    private func check(_ machine: Machine, lost: Set<Int64>, of count: Int = 20) throws {
        let log = try machine.log()
        let expected = (0..<Int64(count)).filter { !lost.contains($0) }
        let found = try contents(log)
        #expect(found.keys.sorted() == expected)
        #expect(found.allSatisfy { $0.value == "value \($0.key)" })
        #expect(log.logEndOffset == Offset(Int64(count)) && log.highWatermark == Offset(Int64(count)))
        #expect(log.latestEpoch == LeaderEpoch(3))
    }

    @Test(arguments: [true, false], ["offset", "length", "magic", "sum", "records"])
    func aDamagedBatchIsTakenOutAndNothingElse(isBelowRecoveryPoint: Bool, field: String) throws {
        let machine = try prepared(checkpoint: isBelowRecoveryPoint)
        let file = try machine.files(".log")[0]
        let original = try machine.disk.contents(of: file, bytesMax: .mib(1))!
        let (position, header) = try places(original)[7]
        let byte = ["offset": 7, "length": 10, "magic": 16, "sum": 18, "records": 70][field]!
        try machine.disk.overwrite(file) { $0[position + byte] ^= 0x41 }
        try machine.start()
        #expect(machine.directory.offlinePartitions.isEmpty)
        try check(machine, lost: [7])
        #expect(machine.facts.names.filter { $0 == "batches_quarantined" }.count == 1)
        let kept = try machine.disk.allFiles(below: "/data/quarantine")
        #expect(kept.count == 1 && kept[0].string.hasSuffix("t-0.7-8.00000000000000000000.\(position)"))
        var damaged = Array(original[position..<position + header.byteCount])
        damaged[byte] ^= 0x41
        #expect(try machine.disk.contents(of: kept[0], bytesMax: .kib(4)) == damaged)

        // The log goes on, and the next start finds nothing wrong with it.
        let log = try machine.log()
        let answer = try log.append(
            batch(["value 20"], producer: 5, sequence: 20), leaderEpoch: LeaderEpoch(3), origin: .client, now: noon)
        #expect(answer.baseOffset == Offset(20))
        _ = try log.flush()
        machine.facts.clear()
        machine.crash(.dropUnsynced)
        try machine.start()
        try check(machine, lost: [7], of: 21)
        #expect(machine.facts.names.filter { $0 != "unclean_start" && $0 != "recovered" }.isEmpty)
    }

    /// Each byte of the log is flipped, in a life that ended with all of it flushed: only the batch that was hit is gone.
    @Test(arguments: [64 << 10, 330]) func eachFlippedByteCostsItsBatchAlone(segmentBytes: Int) throws {
        let sound = try prepared(12, segmentBytes: .bytes(segmentBytes))
        let files = try sound.files(".log")
        let contents = try files.map { try sound.disk.contents(of: $0, bytesMax: .mib(1))! }
        #expect(files.count == (segmentBytes == 330 ? 3 : 1))
        for (file, bytes) in zip(files, contents) {
            for (position, header) in try places(bytes) {
                for byte in 0..<header.byteCount {
                    // The leader epoch is under no sum; what it should be, the epochs tell: see `millrace log verify`.
                    if (12..<16).contains(byte) { continue }
                    let machine = try prepared(12, segmentBytes: .bytes(segmentBytes))
                    try machine.disk.overwrite(file) { $0[position + byte] ^= UInt8(1 << (byte % 8)) }
                    try machine.start()
                    try #require(machine.directory.offlinePartitions.isEmpty)
                    try check(machine, lost: [header.baseOffset.rawValue], of: 12)
                }
            }
        }
    }

    @Test func severalHolesAndGarbageBetweenThem() throws {
        for seed in 0..<60 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let machine = try prepared(30, segmentBytes: .bytes(Int.random(in: 300...4000, using: &random)))
            var lost: Set<Int64> = []
            for file in try machine.files(".log") {
                let bytes = try machine.disk.contents(of: file, bytesMax: .mib(1))!
                for (position, header) in try places(bytes) where random.oneIn(4) {
                    lost.insert(header.baseOffset.rawValue)
                    let zeros = random.oneIn(2)
                    try machine.disk.overwrite(file) { bytes in
                        for place in position..<position + header.byteCount {
                            bytes[place] = zeros ? 0 : UInt8.random(in: 0...255, using: &random)
                        }
                    }
                }
            }
            try machine.start()
            #expect(machine.directory.offlinePartitions.isEmpty, "seed \(seed)")
            try check(machine, lost: lost, of: 30)
        }
    }

    @Test func anOffsetIsNeverGivenTwiceThoughTheEndOfTheFileIsGone() throws {
        for isClean in [true, false] {
            let machine = try prepared()
            if isClean {
                try machine.start()
                try machine.shutDown()
            }
            let file = try machine.files(".log")[0]
            let place = try places(machine.disk.contents(of: file, bytesMax: .mib(1))!)[15].position
            try machine.disk.overwrite(file) { $0.removeLast($0.count - place - 3) }
            try check(machine, lost: [15, 16, 17, 18, 19])
        }
    }

    @Test func aLogWhoseFilesAreGoneGoesOnBehindThem() throws {
        let machine = try prepared()
        for file in try machine.files(".log") { try machine.disk.unlink(file) }
        let log = try machine.log()
        #expect(log.logStartOffset == Offset(20) && log.logEndOffset == Offset(20))
        #expect(machine.facts.names.contains("batches_quarantined"))
    }

    /// Beyond the durable point the disk may have written in any order: what follows damage is kept, and what is damaged may be sent again.
    @Test(arguments: [64 << 10, 500], [1, 2])
    func beyondTheDurablePointALaterBatchIsKeptAndTheBadOneTakenAgain(segmentBytes: Int, count: Int) throws {
        let machine = Machine(.pageCache, segmentBytes: .bytes(segmentBytes))
        var log = try machine.log()
        func send(_ number: Int64, producer: Int64 = 5) throws -> AppendResult {
            try log.append(
                batch(["value \(number)"], producer: producer, sequence: Int32(number)), leaderEpoch: LeaderEpoch(3),
                origin: .client, now: noon)
        }
        for number in 0..<10 { _ = try send(Int64(number)) }
        _ = try log.flush()
        for number in 10..<18 { _ = try send(Int64(number)) }
        machine.kill()
        let lost = (14..<14 + Int64(count))
        for file in try machine.files(".log") {
            for (position, header) in try places(machine.disk.contents(of: file, bytesMax: .mib(1))!)
            where lost.contains(header.baseOffset.rawValue) {
                try machine.disk.overwrite(file) { bytes in
                    for place in position..<position + header.byteCount { bytes[place] = 0 }
                }
            }
        }
        log = try machine.log()
        #expect(try contents(log).keys.sorted() == (0..<18).filter { !lost.contains($0) })
        #expect(log.logEndOffset == Offset(18))
        #expect(machine.facts.names.contains("batches_missing") && !machine.facts.names.contains("batches_quarantined"))

        // Known across a restart that reads only the snapshot, too.
        try machine.shutDown()
        log = try machine.log()
        for number in (14 + Int64(count))..<18 { #expect(try send(number).isDuplicate) }
        #expect { try send(10) } throws: { ($0 as? AppendError)?.code == .outOfOrderSequence }
        // A producer that asks is told to begin where its batches are missing.
        #expect(log.producers().map(\.lastSequence) == [13])
        for (place, number) in lost.enumerated() {
            let answer = try send(number)
            #expect(!answer.isDuplicate && answer.baseOffset == Offset(18 + Int64(place)))
        }
        for number in lost.lowerBound..<18 { #expect(try send(number).isDuplicate) }
        #expect(log.producers().map(\.lastSequence) == [17])
        #expect(try !send(18).isDuplicate)
        // What was sent again is recognised from the headers alone.
        machine.kill()
        for file in try machine.files(".snapshot") { try machine.disk.unlink(file) }
        log = try machine.log()
        for number in lost.lowerBound..<19 { #expect(try send(number).isDuplicate) }
        #expect(try !send(19).isDuplicate)
    }

    /// Two holes, one before the producer's first batch that is left: the earlier one must not be forgotten for the later, by no start.
    @Test(arguments: [4, 12]) func whatIsMissingFirstIsKnownAfterEveryStart(count: Int64) throws {
        let machine = Machine(.pageCache, segmentBytes: .kib(64))
        for number in 0..<count {
            _ = try machine.log().append(
                batch(["value \(number)"], producer: 5, sequence: Int32(number)), leaderEpoch: LeaderEpoch(3),
                origin: .client, now: noon)
        }
        machine.kill()
        let lost = [0, count - 2]
        let file = try machine.files(".log")[0]
        for (position, header) in try places(machine.disk.contents(of: file, bytesMax: .mib(1))!)
        where lost.contains(header.baseOffset.rawValue) {
            try machine.disk.overwrite(file) { bytes in
                for place in position..<position + header.byteCount { bytes[place] = 0 }
            }
        }
        for life in 0..<6 {
            #expect(try machine.log().producers().map(\.lastSequence) == [-1], "life \(life)")
            switch life % 3 {
            case 0: try machine.shutDown()
            case 1: machine.crash(.dropUnsynced)
            default:
                try machine.directory.writeCheckpoints()
                machine.crash(.keepAll)
            }
        }
    }

    /// A resend must not be answered with the offset of a batch that is gone, though a snapshot from before the damage remembers it.
    @Test func aSnapshotDoesNotVouchForABatchThatIsGone() throws {
        let machine = try prepared(12, segmentBytes: .bytes(330))
        let file = try machine.files(".log")[1]
        let (position, header) = try places(machine.disk.contents(of: file, bytesMax: .mib(1))!)[0]
        let number = header.baseOffset.rawValue
        #expect(try machine.files(".snapshot").count == 2)
        try machine.disk.overwrite(file) { $0[position + 70] ^= 1 }
        for file in try machine.files(".log").dropFirst(2) { try machine.disk.overwrite(file) { $0 = [] } }
        let log = try machine.log()
        let answer = try log.append(
            batch(["value \(number)"], producer: 5, sequence: Int32(number)), leaderEpoch: LeaderEpoch(3),
            origin: .client, now: noon)
        #expect(!answer.isDuplicate && answer.baseOffset >= Offset(12))
    }

    /// Unflushed damage with nothing sound behind it is a torn tail, over as many segments as there are.
    @Test func aTornTailIsCutOverAllItsSegments() throws {
        let machine = Machine(.pageCache, segmentBytes: .bytes(500))
        var log = try machine.log()
        for number in 0..<3 { try log.add(["\(number)"]) }
        _ = try log.flush()
        for number in 3..<40 { try log.add(["\(number)"]) }
        machine.kill()
        let files = try machine.files(".log")
        let place = try places(machine.disk.contents(of: files[0], bytesMax: .mib(1))!)[4].position
        for file in files {
            try machine.disk.overwrite(file) { bytes in
                for at in (file == files[0] ? place + 20 : 0)..<bytes.count { bytes[at] = 0 }
            }
        }
        log = try machine.log()
        #expect(log.logEndOffset == Offset(4) && files.count > 2)
        #expect(machine.facts.names.contains("tail_cut") && machine.facts.names.contains("segments_dropped"))
        #expect(try machine.files(".log").count == 1)
        try log.add(["4"])
        #expect(try log.all().map(\.value) == ["0", "1", "2", "3", "4"])
    }

    /// A file that vanished from the middle of a log costs its own offsets.
    @Test func aSegmentThatIsGoneIsToldAndTheLaterOnesStay() throws {
        let machine = try prepared(30, segmentBytes: .bytes(500))
        let files = try machine.files(".log")
        let gone = try places(machine.disk.contents(of: files[1], bytesMax: .mib(1))!).map(\.header.baseOffset.rawValue)
        try machine.disk.unlink(files[1])
        try check(machine, lost: Set(gone), of: 30)
        #expect(machine.facts.names.contains("batches_quarantined"))
    }

    /// Whoever stores batches of a log in the values of his records does not get them taken for the log's own where the outer one is damaged.
    @Test func aBatchWithinARecordIsNotTakenForTheLogs() throws {
        let machine = try prepared(5)
        var log = try machine.log()
        var inner = try batch(["forged"])
        inner.setInteger(Int64(5), at: inner.readerIndex)
        let outer = try RecordBatch.build([NewRecord(timestamp: noon, key: nil, value: Array(inner.readableBytesView))])
            .bytes
        _ = try log.append(outer, leaderEpoch: LeaderEpoch(3), origin: .client, now: noon)
        try log.add(["value 6"], epoch: 3)
        _ = try log.flush()
        machine.kill()
        let file = try machine.files(".log")[0]
        let place = try places(machine.disk.contents(of: file, bytesMax: .mib(1))!)[5].position
        try machine.disk.overwrite(file) { $0[place + 18] ^= 1 }
        log = try machine.log()
        #expect(try contents(log).keys.sorted() == [0, 1, 2, 3, 4, 6])
    }

    /// A start that repairs is cut at each call, with what was not synced dropped, kept or torn: the next start gets there.
    @Test(arguments: Survival.allCases) func aRepairCutAnywhereIsDoneByTheNextStart(survival: Survival) throws {
        func damaged() throws -> Machine {
            let machine = try prepared(12, segmentBytes: .bytes(500), checkpoint: true)
            let file = try machine.files(".log").last!
            try machine.disk.overwrite(file) { $0[100] ^= 1 }
            return machine
        }
        let whole = try damaged()
        let first = whole.disk.operationCount
        try whole.start()
        let lost = Set((0..<12).map(Int64.init)).subtracting(try contents(whole.log()).keys)
        #expect(lost.count == 1)
        for stop in (first + 1)...whole.disk.operationCount {
            let machine = try damaged()
            machine.disk.stopAt(operation: stop)
            _ = try? machine.start()
            machine.crash(survival, seed: UInt64(stop))
            try machine.start()
            try check(machine, lost: lost, of: 12)
            #expect(try machine.disk.allFiles(below: "/data/quarantine").count == 1)
        }
    }

    @Test func aRecoveryPointThatCantBeTrueIsNotBelieved() throws {
        let machine = try prepared(checkpoint: true)
        try machine.disk.overwrite("/data/recovery-point-offset-checkpoint") {
            $0 = Array("0\n1\nt 0 9000000000000000000\n".utf8)
        }
        try check(machine, lost: [])
        let file = try machine.files(".log")[0]
        machine.kill()
        try machine.disk.overwrite(file) { $0[$0.count - 1] ^= 1 }
        try machine.disk.overwrite("/data/recovery-point-offset-checkpoint") {
            $0 = Array("0\n1\nt 0 9000000000000000000\n".utf8)
        }
        try check(machine, lost: [19])
    }
}

extension QuarantineTests {
    /// The batch that takes a hole's offsets knows of no leader epoch where the hole begins a segment.
    @Test func readersGoOnBehindADamagedBatchAfterALaterStartToo() throws {
        let machine = Machine(.fsync, segmentBytes: .kib(1))
        let log = try machine.log()
        for number in 0..<40 {
            try log.add(["\(number) and what else there is to say"], epoch: 5)
            _ = try log.flush()
        }
        let segment = try #require(try machine.files(".log").sorted { $0.string < $1.string }.dropFirst().first)
        let first = try #require(Int64(segment.stem!))
        let file = try machine.disk.open(segment, .readWrite)
        try file.write([0xff], at: 70)
        try file.sync()
        machine.kill()
        let expected = (0..<40).filter { $0 != Int(first) }
        for _ in 0..<2 {
            #expect(try machine.log().all().map { Int($0.offset) } == expected)
            #expect(try LogVerifier(path: "/data", fileSystem: machine.disk, isInUse: true).run().findings == [])
            try machine.shutDown()
            #expect(try LogVerifier(path: "/data", fileSystem: machine.disk, isInUse: false).run().findings == [])
        }
    }
}
