import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// A log compared with a plain array after every step of a random life.
struct ModelTests {
    private struct Entry: Equatable {
        var value: String
        var time: Timestamp
        var batchEnd: Int64
    }

    private static let seeds: Range<UInt64> = 0..<(isFullTest ? 2000 : 30)

    @Test(arguments: seeds) func theLogDoesWhatAnArrayWould(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let machine = Machine(.pageCache, segmentBytes: .bytes(Int.random(in: 900...4000, using: &random)))
        machine.config.indexInterval = .bytes(Int.random(in: 0...600, using: &random))
        machine.config.fileDeleteDelay = .zero
        if random.oneIn(2) { machine.config.retentionBytes = .kib(6) }
        if random.oneIn(3) { machine.config.retentionAge = .seconds(10) }
        var log = try machine.log()
        var model: [Entry] = []
        var start = 0
        for step in 0..<200 {
            switch Int.random(in: 0..<30, using: &random) {
            case 0..<16: try append(log, &model, machine, step, &random)
            case 16..<18:
                let target = Int64.random(in: log.logStartOffset.rawValue...Int64(model.count), using: &random)
                try log.truncate(to: Offset(target))
                // A batch goes whole.
                var end = Int(target)
                while end > 0, end < model.count, model[end - 1].batchEnd > target { end -= 1 }
                model.removeSubrange(min(end, model.count)...)
                start = min(start, model.count)
            case 18..<20: _ = try log.flush()
            case 20..<22:
                machine.time.advance(by: .seconds(1))
                machine.directory.tick(now: machine.time.now)
                #expect(log.logStartOffset.rawValue >= Int64(start))
                start = Int(log.logStartOffset.rawValue)
            case 22:
                try machine.shutDown()
                log = try machine.log()
            case 23:
                machine.kill()
                log = try machine.log()
                // A deletion that the checkpoint had not seen.
                start = Int(log.logStartOffset.rawValue)
            case 24:
                let before = Int.random(in: start...model.count, using: &random)
                start = Int(try log.deleteRecords(before: Offset(Int64(before))).rawValue)
                #expect(start == before)
            case 25:
                _ = try log.flush()
                machine.time.advance(by: .seconds(8 * 86_400))
                _ = LogScrubber(machine.directory).step()
            default: try read(log, model, &random)
            }
            try #require(log.logEndOffset.rawValue == Int64(model.count), "seed \(seed), step \(step)")
            try #require(log.logStartOffset.rawValue == Int64(start), "seed \(seed), step \(step)")
        }
        #expect(!machine.facts.names.contains("rot_found") && !machine.facts.names.contains("reads_differ"))
        let found = try log.all()
        #expect(found.map(\.value) == model[start...].map(\.value))
        #expect(found.map(\.offset) == (start..<model.count).map(Int64.init))
    }

    private func append(
        _ log: PartitionLog, _ model: inout [Entry], _ machine: Machine, _ step: Int, _ random: inout SeededRandom
    ) throws {
        let count = Int.random(in: 1...6, using: &random)
        let codec: Codec = random.oneIn(3) ? .lz4 : .none
        let values = (0..<count).map {
            "\(step)/\($0)" + String(repeating: "y", count: Int.random(in: 0...80, using: &random))
        }
        machine.time.advance(by: .milliseconds(Int.random(in: 0...500, using: &random)))
        let time = machine.time.wallTime + .milliseconds(Int.random(in: -400...400, using: &random))
        let result = try log.add(values, at: time, codec: codec)
        #expect(result.baseOffset.rawValue == Int64(model.count))
        let end = Int64(model.count + count)
        for (place, value) in values.enumerated() {
            model.append(Entry(value: value, time: time + .milliseconds(place), batchEnd: end))
        }
    }

    private func read(_ log: PartitionLog, _ model: [Entry], _ random: inout SeededRandom) throws {
        let start = Int(log.logStartOffset.rawValue)
        let from = Int.random(in: start...model.count, using: &random)
        let bytesMax = ByteCount(Int.random(in: 1...3000, using: &random))
        let slice = try log.read(
            from: Offset(Int64(from)), bytesMax: bytesMax, atLeastOneBatch: true, upTo: .highWatermark)
        let found = try records(in: slice.bytes()).filter { $0.offset >= Int64(from) }
        #expect(found.isEmpty == (from == model.count))
        for record in found { #expect(record.value == model[Int(record.offset)].value) }
        #expect(found.map(\.offset) == (0..<found.count).map { Int64(from + $0) })
        guard let time = model.randomElement(using: &random)?.time else { return }
        let answer = try log.offset(for: .timestamp(time))
        #expect(answer?.offset.rawValue == (start..<model.count).first { model[$0].time >= time }.map(Int64.init))
        let youngest = model[start...].max { $0.time < $1.time }?.time
        #expect(try log.offset(for: .maxTimestamp)?.timestamp == youngest)
    }
}

struct FlippedByteTests {
    /// Every byte of a small log directory is changed in turn. The directory opens, and what is read either fails its CRC or is right.
    @Test(arguments: [true, false]) func noFlippedByteCrashesAnythingOrIsBelieved(isClean: Bool) throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.indexInterval = .bytes(100)
        let log = try machine.log()
        for number in 0..<24 {
            _ = try log.append(
                batch(["value \(number)"], producer: 3, sequence: Int32(number)), leaderEpoch: LeaderEpoch(0),
                origin: .client, now: noon)
        }
        try machine.shutDown()
        if !isClean { try machine.disk.unlink("/data/.kafka_cleanshutdown") }
        let files = try machine.disk.allFiles(below: "/data")
        let contents = try files.map { ($0, try machine.disk.contents(of: $0, bytesMax: .mib(1))!) }
        var flips = 0
        for (file, bytes) in contents {
            for place in bytes.indices {
                let disk = SimulatedFileSystem(time: machine.time)
                try disk.createDirectory("/data/t-0")
                for (name, original) in contents {
                    let copy = try disk.open(name, .create)
                    var bytes = original
                    if name == file { bytes[place] ^= UInt8(1 << (place % 8)) }
                    try bytes.withUnsafeBytes { try copy.write($0, at: 0) }
                }
                let directory = LogDirectory(
                    path: "/data", fileSystem: disk, time: machine.time, settings: machine.settings)
                try directory.open { _, _ in machine.config }
                try check(directory, "\(file) byte \(place)")
                flips += 1
            }
        }
        #expect(flips > 2500)
    }

    private func check(_ directory: LogDirectory, _ place: String) throws {
        guard let log = directory.log(for: partition) else {
            #expect(directory.offlinePartitions[partition] != nil, "\(place)")
            return
        }
        _ = try? log.offset(for: .timestamp(noon))
        var next = log.logStartOffset
        while next < log.logEndOffset {
            guard
                let slice = try? log.read(from: next, bytesMax: .bytes(1), atLeastOneBatch: true, upTo: .highWatermark),
                let bytes = try? slice.bytes(), var batches = Optional(RecordBatchCursor(bytes)),
                let batch = try? batches.next(), (try? batch.checkCRC()) != nil,
                var records = try? batch.records(decompressedMax: .kib(64))
            else { return }
            // The CRC does not cover the base offset: a reader goes by contiguity.
            guard batch.baseOffset == next else { return }
            while let record = try? records.next() {
                #expect(String(buffer: record.value!) == "value \(record.offset)", "\(place)")
            }
            next = batch.nextOffset
        }
    }
}
