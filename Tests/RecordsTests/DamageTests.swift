import Base
import NIOCore
import TestKit
import Testing

@testable import Records

/// Whatever comes from a disk or a peer: an error or a batch, never a crash.
@Suite struct DamageTests {
    static let goldens = GoldenBatches.all.filter { $0.batches.count == 1 && $0.bytes.readableBytes < 8000 }

    @Test(arguments: goldens)
    func cutAnywhereItIsNoBatch(golden: GoldenBatches) throws {
        let bytes = golden.bytes
        for cut in 0..<bytes.readableBytes {
            let part = bytes.getSlice(at: 0, length: cut)!
            let error = try #require(throws: RecordError.self) { try RecordBatch(part) }
            #expect(error.code == .truncated)
            var cursor = RecordBatchCursor(part)
            #expect(try cursor.next() == nil)
            #expect(cursor.tailByteCount == cut)
        }
    }

    @Test(arguments: goldens)
    func everyFlippedByteIsNoticed(golden: GoldenBatches) throws {
        for place in 0..<golden.bytes.readableBytes {
            // What the broker fills in is not summed.
            if place < BatchLayout.batchLength { continue }
            if (BatchLayout.partitionLeaderEpoch..<BatchLayout.magic).contains(place) { continue }
            for flip: UInt8 in [0x01, 0x80, 0xff] {
                var bytes = golden.bytes
                bytes.setInteger(bytes.getInteger(at: place, as: UInt8.self)! ^ flip, at: place)
                #expect(throws: RecordError.self, "byte \(place)") { try RecordBatch(bytes).checkCRC() }
            }
        }
    }

    /// The sum is right and the contents are not: an evil or broken producer.
    @Test(arguments: goldens)
    func damageUnderAGoodSumNeverCrashes(golden: GoldenBatches) throws {
        var random = SeededRandom(seed: UInt64(golden.bytes.readableBytes))
        for _ in 0..<1500 {
            var bytes = golden.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: BatchLayout.attributes..<bytes.readableBytes, using: &random)
                bytes.setInteger(UInt8.random(in: 0...255, using: &random), at: place)
            }
            RecordBatch.patchCRC(in: &bytes, at: 0)
            guard let batch = try? RecordBatch(bytes) else { continue }
            try batch.checkCRC()
            _ = try? batch.newRecords(decompressedMax: .mib(1))
            if var records = try? batch.records(decompressedMax: .mib(1)) {
                try? records.forEachUnsafe { record in #expect((record.value?.count ?? 0) <= 1 << 20) }
            }
        }
    }

    @Test func randomBytesNeverCrash() throws {
        var random = SeededRandom(seed: 404)
        for round in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of them look like a batch at first sight.
            if round % 2 == 0 && bytes.count >= 61 {
                bytes[16] = 2
                bytes.replaceSubrange(8..<12, with: [0, 0, 0, UInt8(bytes.count - 12)])
                bytes[22] &= 0b1111_1000
                bytes[23] = 0
                bytes[57] = 0
            }
            var cursor = RecordBatchCursor(ByteBuffer(bytes: bytes))
            while let batch = try? cursor.next() { _ = try? batch.newRecords(decompressedMax: .kib(64)) }
        }
    }

    @Test func wrongCountsAreErrors() throws {
        let batch = try RecordBatch(GoldenBatches.named("lines-none").bytes)
        for (field, value, code) in [
            (BatchLayout.recordCount, Int32(39), RecordError.Code.corrupt), (BatchLayout.recordCount, 41, .corrupt),
            (BatchLayout.recordCount, .max, .corrupt), (BatchLayout.recordCount, -1, .corrupt),
            (BatchLayout.lastOffsetDelta, 38, .corrupt), (BatchLayout.lastOffsetDelta, -1, .corrupt),
            (BatchLayout.batchLength, 48, .corrupt), (BatchLayout.batchLength, .min, .corrupt),
            (BatchLayout.batchLength, .max, .truncated), (BatchLayout.batchLength, 100, .corrupt),
        ] {
            var bytes = batch.bytes
            bytes.setInteger(value, at: field)
            let error = try #require(throws: RecordError.self) { try RecordBatch(bytes).newRecords() }
            #expect(error.code == code)
        }
        var codec = batch.bytes
        codec.setInteger(UInt16(7), at: BatchLayout.attributes)
        #expect(try #require(throws: RecordError.self) { try RecordBatch(codec) }.code == .unsupportedCodec)
        var magic = batch.bytes
        magic.setInteger(Int8(3), at: BatchLayout.magic)
        #expect(try #require(throws: RecordError.self) { try RecordBatch(magic) }.code == .unsupportedMagic)
        var offset = batch.bytes
        offset.setInteger(Int64.max - 39, at: 0)
        #expect(try #require(throws: RecordError.self) { try RecordBatch(offset) }.code == .corrupt)
    }
}
