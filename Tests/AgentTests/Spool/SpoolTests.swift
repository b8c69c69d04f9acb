import Base
import SystemPackage
import TestKit
import Testing

@testable import Agent

/// A spool alone, against a model of what has to come out of it.
@Suite struct SpoolTests {
    private static let folder: FilePath = "/spool/s"

    private static func spool(
        _ files: any FileSystem, capacity: ByteCount = .kib(4), id: UInt64 = 0xABCD_EF01_2345_6789
    ) throws -> Spool {
        var settings = SpoolSettings()
        settings.capacity = capacity
        return try Spool(name: "s", folder: folder, in: files, settings: settings, newID: id)
    }

    private static func input(_ spool: Spool, _ checkpoint: StreamCheckpoint? = nil) -> SpooledInput {
        SpooledInput(
            spool: spool, format: PlainFormat(topic: "t"), source: SourceKey("h/s"), topic: "t", place: "s",
            checkpoints: checkpoint.map { [$0] } ?? [], nextStreamID: { StreamID(1) })
    }

    private struct Harvest {
        var texts: [String] = []
        var events: [InputEvent] = []
        var position: StreamCheckpoint?
    }

    /// Everything that is there now.
    private static func harvest(_ input: SpooledInput) -> Harvest {
        var harvest = Harvest()
        while true {
            switch input.poll(now: .zero) {
            case .block(let block):
                _ = block.forEachRecord { record in
                    harvest.texts.append(String(decoding: record, as: UTF8.self))
                    return true
                }
                harvest.position = StreamCheckpoint(stream: block.stream, source: block.source, position: block.end)
            case .event(let event):
                if case .positioned(let checkpoint) = event { harvest.position = checkpoint }
                harvest.events.append(event)
            case .idle: return harvest
            }
        }
    }

    private static func segments(_ files: SimulatedFileSystem) throws -> [FilePath] {
        try files.allFiles(below: folder).filter { $0.string.hasSuffix(".spool") }
    }

    @Test func messagesComeOutInOrderAndPositionsGoOn() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files)
        let texts = (0..<200).map { "message \($0)" }
        for start in stride(from: 0, to: 40, by: 4) { try spool.append(texts: Array(texts[start..<start + 4])) }
        let first = Self.harvest(Self.input(spool))
        #expect(first.texts == Array(texts[..<40]))
        try spool.append(texts: Array(texts[40..<50]))
        let again = Self.harvest(Self.input(try Self.spool(files), first.position))
        #expect(again.texts == Array(texts[40..<50]))
        #expect(again.events.isEmpty)
    }

    @Test func aPositionStandsBehindEachRecord() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files, capacity: .kib(64))
        try spool.append(texts: (0..<20).map { "m\($0)\nsecond line" })
        guard case .block(let block) = Self.input(spool).poll(now: .zero) else {
            Issue.record("no block")
            return
        }
        var byte = 0
        for number in 1...20 {
            byte += "m\(number - 1)\nsecond line\n".utf8.count
            let checkpoint = StreamCheckpoint(
                stream: block.stream, source: block.source, position: block.position(atByte: byte))
            #expect(
                Self.harvest(Self.input(spool, checkpoint)).texts == (number..<20).map { "m\($0)\nsecond line" })
        }
    }

    @Test func theFormatIsThatOfTheDrawing() {
        #expect(SpoolFormat.header(spool: 1, segment: 2).count == SpoolFormat.headerBytes)
        var bytes: [UInt8] = []
        [UInt8](repeating: 9, count: 4).withUnsafeBytes { sender in
            [UInt8](repeating: 7, count: 10).withUnsafeBytes { message in
                SpoolFormat.append(
                    received: Timestamp(milliseconds: 5), sender: sender, message: message, marker: 0x0403_0201,
                    to: &bytes)
            }
        }
        #expect(bytes.count == 12 + 9 + 4 + 10)
        #expect(Array(bytes[..<8]) == [1, 2, 3, 4, 23, 0, 0, 0])
        #expect(Array(bytes[12...]) == [5, 0, 0, 0, 0, 0, 0, 0, 4, 9, 9, 9, 9] + [UInt8](repeating: 7, count: 10))
    }

    @Test func aTornTailIsCutAndTheRestIsRead() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files)
        try spool.append(texts: ["a", "b", "c"])
        let path = try #require(try Self.segments(files).last)
        try files.overwrite(path) { $0.removeLast(3) }
        let reopened = try Self.spool(files)
        #expect(reopened.recovery.tornBytes == 12 + 9 + 1 - 3)
        let harvest = Self.harvest(Self.input(reopened))
        #expect(harvest.texts == ["a", "b"])
        #expect(harvest.events.isEmpty)
        try reopened.append(texts: ["d"])
        #expect(Self.harvest(Self.input(reopened, harvest.position)).texts == ["d"])
    }

    @Test func damageIsPassedOverToldAndKept() throws {
        for place in [SpoolFormat.headerBytes + 2, SpoolFormat.headerBytes + 6, SpoolFormat.headerBytes + 25] {
            let files = SimulatedFileSystem()
            let spool = try Self.spool(files)
            try spool.append(texts: ["aaaaaaaaaaaaaaaa", "b", "c"])
            let path = try #require(try Self.segments(files).last)
            try files.overwrite(path) { $0[place] ^= 0x40 }
            let harvest = Self.harvest(Self.input(try Self.spool(files)))
            #expect(harvest.texts == ["b", "c"], "byte \(place)")
            #expect(harvest.events.count { if case .gap = $0 { true } else { false } } == 1)
            #expect(try files.allFiles(below: Self.folder).contains { $0.string.hasSuffix(".damaged") })
        }
    }

    @Test func aSegmentWithoutAHeaderIsSetAside() throws {
        let files = SimulatedFileSystem()
        var spool = try Self.spool(files)
        try spool.append(texts: ["a"])
        spool = try Self.spool(files)
        try spool.append(texts: ["b"])
        try files.overwrite(try #require(try Self.segments(files).first)) { $0[3] ^= 1 }
        let reopened = try Self.spool(files)
        #expect(reopened.recovery.quarantined.count == 1)
        #expect(Self.harvest(Self.input(reopened)).texts == ["b"])
        try reopened.append(texts: ["c"])
        #expect(try Self.segments(files).count == 2)
    }

    @Test func whateverStandsInTheFolderItOpens() throws {
        for seed in UInt64(0)..<300 {
            var random = SeededRandom(seed: seed)
            let files = SimulatedFileSystem()
            for _ in 0..<3 {
                let spool = try Self.spool(files)
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    try spool.append(
                        texts: (0..<3).map { _ in String(repeating: "z", count: Int.random(in: 0...99, using: &random))
                        })
                }
            }
            for path in try Self.segments(files) where random.oneIn(2) {
                try files.overwrite(path) { bytes in
                    if random.oneIn(2) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
                    for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                    }
                }
            }
            let spool = try Self.spool(files, id: 5)
            try spool.append(texts: ["last"])
            #expect(Self.harvest(Self.input(spool)).texts.last == "last", "seed \(seed)")
        }
    }

    @Test func whatIsSealedIsReleasedAndTheSizeIsBounded() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files, capacity: .kib(8))
        let input = Self.input(spool)
        var (written, read) = (0, 0)
        for _ in 0..<400 {
            let texts = (0..<8).map { _ in String(repeating: "x", count: 40) }
            if spool.roomBytes > 1 << 10 {
                try spool.append(texts: texts)
                written += texts.count
            }
            #expect(spool.heldBytes <= 8 << 10)
            let harvest = Self.harvest(input)
            read += harvest.texts.count
            if let position = harvest.position { input.sealed([position]) }
        }
        #expect(written == 3200 && read == written)
        #expect(try Self.segments(files).count <= 2)
        #expect(input.streamStatuses()[0].unread == 0)
    }

    @Test func aSpoolThatWasDeletedIsAnother() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files, id: 1)
        try spool.append(texts: ["a"])
        let position = Self.harvest(Self.input(spool)).position
        for path in try files.allFiles(below: Self.folder) { try files.unlink(path) }
        let new = try Self.spool(files, id: 2)
        try new.append(texts: ["b"])
        let harvest = Self.harvest(Self.input(new, position))
        #expect(harvest.texts == ["b"])
        #expect(harvest.events == [.retired(StreamID(1))])
    }

    @Test func aSyncThatFailedIsNotTriedAgain() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files)
        try spool.append(texts: ["a"])
        files.fail(.sync, with: .inputOutput, count: 1)
        #expect(throws: FileError.self) { try spool.sync() }
        try spool.sync()
        try spool.append(texts: ["b"])
        // The next messages stand in a segment of their own.
        #expect(try Self.segments(files).count == 2)
    }

    @Test func aWriteThatFailedIsTriedAgainWithoutATrace() throws {
        let files = SimulatedFileSystem()
        let spool = try Self.spool(files)
        try spool.append(texts: ["a"])
        files.fail(.write, with: .noSpace, count: 1)
        #expect(throws: FileError.self) { try spool.append(texts: ["b", "c"]) }
        try spool.append(texts: ["b", "c"])
        let harvest = Self.harvest(Self.input(spool))
        #expect(harvest.texts == ["a", "b", "c"])
        #expect(harvest.events.isEmpty)
    }

    /// The run is cut at each call of the disk in turn: a process that dies loses nothing that it wrote, a machine nothing that was synced, and what was
    /// read and noted does not come again.
    @Test(arguments: [false, true], Array(UInt64(1)...4)) func cutAtEachCall(powerCut: Bool, seed: UInt64) throws {
        var cut = 1
        while try runCut(at: cut, powerCut: powerCut, seed: seed) { cut += 1 }
        #expect(cut > 30)
    }

    /// False where the run came to its end.
    private func runCut(at cut: Int, powerCut: Bool, seed: UInt64) throws -> Bool {
        var random = SeededRandom(seed: seed)
        let files = SimulatedFileSystem()
        files.stopAt(operation: cut)
        var (certain, synced, possible): ([Int], Int, Int) = ([], 0, 0)
        var (noted, notedCount): (StreamCheckpoint?, Int) = (nil, 0)
        do {
            let spool = try Self.spool(files, capacity: .kib(2))
            let input = Self.input(spool)
            for _ in 0..<40 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0...2:
                    let numbers = possible..<possible + Int.random(in: 1...5, using: &random)
                    possible = numbers.upperBound
                    try spool.append(texts: numbers.map(SpooledLines.line))
                    certain += numbers
                case 3:
                    try spool.sync()
                    synced = certain.count
                default:
                    let harvest = Self.harvest(input)
                    guard let position = harvest.position else { continue }
                    #expect(harvest.texts == certain[notedCount...].map(SpooledLines.line))
                    (noted, notedCount) = (position, certain.count)
                    input.sealed([position])
                }
            }
        } catch is FileError {}
        let wasCut = files.isStopped
        if powerCut {
            files.crash(using: &random, survival: Survival.allCases.randomElement(using: &random)!)
        } else {
            files.processKilled()
        }
        let spool = try Self.spool(files, capacity: .kib(2), id: 99)
        try spool.append(texts: ["after"])
        let harvest = Self.harvest(Self.input(spool, noted))
        var texts = harvest.texts
        #expect(texts.popLast() == "after", "cut \(cut)")
        let promised = max(notedCount, powerCut ? synced : certain.count)
        let wanted = certain[notedCount..<promised].map(SpooledLines.line)
        #expect(Array(texts.prefix(wanted.count)) == wanted, "cut \(cut)")
        let rest = (promised..<max(promised, possible)).map(SpooledLines.line)
        #expect(isSubsequence(texts.dropFirst(wanted.count), of: rest), "cut \(cut): \(texts) of \(rest)")
        return wasCut
    }

    private func isSubsequence(_ texts: ArraySlice<String>, of all: [String]) -> Bool {
        var rest = all[...]
        for text in texts {
            guard let place = rest.firstIndex(of: text) else { return false }
            rest = rest[(place + 1)...]
        }
        return true
    }
}
