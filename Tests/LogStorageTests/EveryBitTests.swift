import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Rot in any byte of a small log directory that was shut down cleanly.
struct EveryBitTests {
    /// A directory's files.
    private struct Image {
        var files: [(path: FilePath, bytes: [UInt8])] = []
        /// By offset.
        var records: [Int64: String] = [:]
        var epochs: [Int64: LeaderEpoch] = [:]
    }

    private static var config: LogConfig {
        var config = LogConfig()
        config.segmentBytes = .kib(1)
        config.indexInterval = ByteCount(100)
        config.retentionAge = nil
        return config
    }

    private static func image() throws -> Image {
        let machine = Machine(.fsync)
        machine.config = config
        let log = try machine.log()
        var image = Image()
        var sequence: Int32 = 0
        for number in 0..<16 {
            let time = noon + .milliseconds(number * 1000)
            let values = (0...number % 3).map { "\(number)/\($0) and what else there is to say" }
            let epoch = LeaderEpoch(number < 8 ? 2 : 5)
            let isSequenced = number % 4 == 0
            let bytes = try batch(
                values, at: time, codec: number % 5 == 0 ? .gzip : .none, producer: isSequenced ? 7 : -1,
                sequence: isSequenced ? sequence : 0)
            if isSequenced { sequence += Int32(values.count) }
            let result = try log.append(bytes, leaderEpoch: epoch, origin: .client, now: time)
            image.epochs[result.baseOffset.rawValue] = epoch
            _ = try log.flush()
        }
        for (offset, value) in try log.all() { image.records[offset] = value }
        _ = try log.deleteRecords(before: Offset(3))
        machine.time.advance(by: .seconds(120))
        machine.directory.tick(now: machine.time.now)
        try machine.shutDown()
        for path in try machine.disk.allFiles(below: "/data") {
            image.files.append((path, try machine.disk.contents(of: path, bytesMax: .mib(1)) ?? []))
        }
        return image
    }

    private static func machine(_ image: Image) throws -> Machine {
        let machine = Machine(.fsync)
        machine.config = config
        for (path, bytes) in image.files {
            try machine.disk.createDirectory(path.removingLastComponent())
            let file = try machine.disk.open(path, .create)
            try file.write(bytes, at: 0)
            try file.sync()
            file.close()
        }
        return machine
    }

    private static func verify(_ machine: Machine) throws -> LogReport {
        try LogVerifier(path: "/data", fileSystem: machine.disk, isInUse: false).run()
    }

    @Test func nothingIsFoundWhereNothingIsWrong() throws {
        let image = try Self.image()
        let report = try Self.verify(Self.machine(image))
        #expect(report.findings == [])
        #expect(report.partitionCount == 1 && report.segmentCount > 2 && report.batchCount == 16)
        #expect(report.recordCount == 31)
        let suffixes = Set(image.files.compactMap { $0.path.extension })
        #expect(suffixes.isSuperset(of: ["log", "index", "timeindex", "snapshot"]))
        #expect(image.files.filter { $0.path.extension == "index" }.allSatisfy { !$0.bytes.isEmpty })
    }

    @Test func aFolderThatCannotBeListedIsAFindingAndOneThatIsBeingDeletedIsNone() throws {
        let machine = try Self.machine(Self.image())
        machine.disk.fail(.list, with: .inputOutput, count: 1) { $0.string == "/data/t-0" }
        #expect(try Self.verify(machine).findings.map(\.kind).first == .unreadable)
        machine.disk.fail(.list, with: .noSuchFile, count: 1) { $0.string == "/data/t-0" }
        let report = try LogVerifier(path: "/data", fileSystem: machine.disk, isInUse: true).run()
        #expect(report.isFine && report.partitionCount == 0)
    }

    /// What no check can tell, as `LogVerifier` says: numbers of checkpoints, and files that nobody reads.
    private static let untold: Set<String> = [
        OffsetCheckpoint.recoveryPoint, OffsetCheckpoint.logStart, OffsetCheckpoint.cleaner,
        LogDirectory.cleanMarkName,
    ]

    @Test(arguments: 0..<4)
    func aFlippedByteIsFoundAndNeverServedAsARecord(part: Int) throws {
        let image = try Self.image()
        var unfound: [String] = []
        var wrong: [String] = []
        for (number, file) in image.files.enumerated() {
            for byte in file.bytes.indices where byte % 4 == part {
                // Of what is all zeros between the slots of a durable point, some.
                if file.bytes.count == DurablePoint.fileBytes, byte % 512 > 64, byte % 31 != 0 { continue }
                // Over the bytes of a number each bit has its turn.
                let mask = UInt8(truncatingIfNeeded: byte % 5 == 4 ? 0xff : 1 << (byte / 4 % 8))
                var rotten = image
                rotten.files[number].bytes[byte] ^= mask
                let place = "\(file.path) byte \(byte) ^ \(mask)"
                let machine = try Self.machine(rotten)
                if try Self.verify(machine).isFine, !Self.untold.contains(file.path.lastComponent!.string) {
                    unfound.append(place)
                }
                try machine.start()
                guard let log = machine.directory.log(for: partition) else {
                    // Only where its topic can't be told.
                    if file.path.lastComponent?.string != PartitionMetadata.fileName {
                        wrong.append("\(place): \(machine.directory.offlinePartitions)")
                    }
                    continue
                }
                if let fault = Self.fault(in: log, image) { wrong.append("\(place): \(fault)") }
            }
        }
        #expect(unfound.isEmpty, "\(unfound.count): \(unfound.prefix(5))")
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    }

    /// What a client would take for a record and is none, or nil. What it can tell itself (a wrong CRC) is no fault of the log.
    private static func fault(in log: PartitionLog, _ image: Image) -> String? {
        var next = log.logStartOffset
        var steps = 0
        while next < log.highWatermark {
            steps += 1
            if steps > 200 { return "reading does not end" }
            guard
                let slice = try? log.read(from: next, bytesMax: .kib(1), atLeastOneBatch: true, upTo: .highWatermark),
                let bytes = try? slice.bytes()
            else {
                // Refused: said, and not served.
                next = next + 1
                continue
            }
            var cursor = RecordBatchCursor(bytes)
            let before = next
            while let batch = try? cursor.next(), (try? batch.checkCRC()) != nil {
                // An empty one stands where recovery found that offsets were given which it can't find.
                if batch.recordCount > 0, image.epochs[batch.baseOffset.rawValue] != batch.header.partitionLeaderEpoch {
                    return "offset \(batch.baseOffset) is of leader epoch \(batch.header.partitionLeaderEpoch)"
                }
                guard var records = try? batch.records(decompressedMax: .mib(1)) else { break }
                while let record = try? records.next() {
                    guard record.offset >= log.logStartOffset else { continue }
                    let value = record.value.map { String(buffer: $0) }
                    if image.records[record.offset.rawValue] != value {
                        return "offset \(record.offset) is served as '\(value ?? "")'"
                    }
                }
                next = max(next, batch.nextOffset)
            }
            if next == before { next = next + 1 }
        }
        return nil
    }
}
