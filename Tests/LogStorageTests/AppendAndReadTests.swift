import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

struct AppendAndReadTests {
    @Test(arguments: [Codec.none, .gzip, .snappy, .lz4, .zstd])
    func whatWasAppendedIsReadBackInOrder(codec: Codec) throws {
        let log = try Machine(.pageCache, segmentBytes: .kib(4)).log()
        for number in 0..<200 { try log.add(["a\(number)", "b\(number)"], codec: codec) }
        let found = try log.all(upTo: .highWatermark)
        #expect(found.map(\.offset) == Array(0..<400))
        #expect(found.map(\.value) == (0..<200).flatMap { ["a\($0)", "b\($0)"] })
        #expect(log.segmentCount > 3)
    }

    @Test func theBytesOnDiskAreTheBytesThatCame() throws {
        let machine = Machine(.pageCache)
        let log = try machine.log()
        try log.add(["before"])
        let came = try batch(["x", "y"], codec: .zstd)
        _ = try log.append(came, leaderEpoch: LeaderEpoch(7), origin: .client, now: noon)
        let file = try machine.disk.contents(of: machine.files(".log")[0], bytesMax: .mib(1))!
        let stored = file.suffix(came.readableBytes)
        #expect(Array(stored.dropFirst(16)) == Array(came.readableBytesView.dropFirst(16)))
        let header = try RecordBatch(ByteBuffer(bytes: stored)).header
        #expect(header.baseOffset == Offset(1) && header.partitionLeaderEpoch == LeaderEpoch(7))
    }

    @Test func aReadStartsAtTheBatchThatHoldsTheOffset() throws {
        let log = try Machine(.pageCache, segmentBytes: .kib(16)).log()
        for number in 0..<300 { try log.add((0..<5).map { "\(number)/\($0)" }) }
        for offset in [0, 4, 5, 7, 699, 700, 1499] as [Int64] {
            let slice = try log.read(
                from: Offset(offset), bytesMax: .bytes(1), atLeastOneBatch: true, upTo: .highWatermark)
            let found = try records(in: slice.bytes())
            #expect(found.count == 5 && found[0].offset == offset / 5 * 5)
        }
        let end = try log.read(from: Offset(1500), bytesMax: .kib(1), atLeastOneBatch: true, upTo: .highWatermark)
        #expect(end.isEmpty && end.highWatermark == Offset(1500))
        #expect { try log.read(from: Offset(1501), bytesMax: .kib(1), atLeastOneBatch: true, upTo: .logEnd) } throws: {
            ($0 as? ReadError)?.code == .offsetOutOfRange
        }
    }

    @Test func withoutAtLeastOneBatchATooLargeOneIsLeftOut() throws {
        let log = try Machine(.pageCache).log()
        try log.add([String(repeating: "x", count: 5000)])
        #expect(try log.read(from: .zero, bytesMax: .kib(1), atLeastOneBatch: false, upTo: .logEnd).isEmpty)
        #expect(try !log.read(from: .zero, bytesMax: .kib(1), atLeastOneBatch: true, upTo: .logEnd).isEmpty)
    }

    @Test func atFsyncNothingIsVisibleBeforeTheFlush() throws {
        let log = try Machine(.fsync).log()
        let result = try log.add(["a"])
        #expect(log.highWatermark == .zero && log.ackOffset == .zero && log.logEndOffset == Offset(1))
        #expect(try log.all(upTo: .highWatermark).isEmpty)
        #expect(try log.flush() == result.nextOffset)
        #expect(log.highWatermark == Offset(1) && log.ackOffset == Offset(1))
        #expect(try log.all(upTo: .highWatermark).map(\.value) == ["a"])
    }

    @Test func aHighWatermarkThatTheCallerMovesHidesWhatLiesBeyond() throws {
        let log = try Machine(.pageCache).log()
        log.setVisibility(.advancedByCaller)
        for number in 0..<10 { try log.add(["\(number)"]) }
        log.advanceHighWatermark(to: Offset(4))
        #expect(try log.all(upTo: .highWatermark).count == 4)
        #expect(try log.all(upTo: .logEnd).count == 10)
        log.advanceHighWatermark(to: Offset(99))
        #expect(log.highWatermark == Offset(10))
    }

    @Test func offsetsAreFoundByTime() throws {
        let log = try Machine(.pageCache, segmentBytes: .kib(8)).log()
        for number in 0..<500 { try log.add(["\(number)", "x"], at: noon + .seconds(number)) }
        #expect(try log.offset(for: .earliest)?.offset == .zero)
        #expect(try log.offset(for: .latest)?.offset == Offset(1000))
        #expect(try log.offset(for: .timestamp(noon + .seconds(-5)))?.offset == .zero)
        for second in [0, 1, 77, 250, 499] {
            let found = try log.offset(for: .timestamp(noon + .seconds(second)))
            #expect(
                found
                    == FoundOffset(
                        offset: Offset(Int64(second * 2)), timestamp: noon + .seconds(second), epoch: LeaderEpoch(0)))
            let inside = try log.offset(for: .timestamp(noon + .milliseconds(second * 1000 + 1)))
            #expect(inside?.offset == Offset(Int64(second * 2 + 1)))
        }
        #expect(try log.offset(for: .timestamp(noon + .seconds(500))) == nil)
        #expect(try log.offset(for: .maxTimestamp)?.offset == Offset(999))
    }

    @Test func logAppendTimeIsWrittenWithANewCRC() throws {
        let machine = Machine(.pageCache)
        machine.config.timestampType = .logAppendTime
        let log = try machine.log()
        let now = noon + .seconds(9)
        let result = try log.append(batch(["a"], at: noon), leaderEpoch: LeaderEpoch(0), origin: .client, now: now)
        #expect(result.logAppendTime == now)
        var cursor = RecordBatchCursor(
            try log.read(from: .zero, bytesMax: .kib(4), atLeastOneBatch: true, upTo: .logEnd).bytes())
        let stored = try #require(try cursor.next())
        try stored.checkCRC()
        #expect(stored.timestampType == .logAppendTime && stored.maxTimestamp == now)
    }
}

struct PosixWriteTests {
    @Test func aHeadAndABodyAreWrittenAsOne() throws {
        let path = FilePath("/tmp/millrace-write-\(UInt64.random(in: 0 ... .max))")
        let file = try PosixFileSystem().open(path, .createNew)
        defer { try? PosixFileSystem().unlink(path) }
        let parts: [([UInt8], [UInt8])] = [
            ([1, 2, 3], [4, 5]), ([9], []), (Array(repeating: 7, count: 61), Array(repeating: 8, count: 100_000)),
        ]
        var position: Int64 = 0
        var all: [UInt8] = []
        for (head, body) in parts {
            try head.withUnsafeBytes { head in try body.withUnsafeBytes { try file.write(head, $0, at: position) } }
            all += head + body
            position = Int64(all.count)
        }
        #expect(try PosixFileSystem().contents(of: path, bytesMax: .mib(1)) == all)
    }
}
