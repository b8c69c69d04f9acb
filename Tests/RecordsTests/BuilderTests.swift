import Base
import CMillrace
import NIOCore
import Records
import TestKit
import Testing

@Suite struct BuilderTests {
    static let time = Timestamp(milliseconds: 1_763_856_000_000)

    static func randomRecords(_ count: Int, using random: inout SeededRandom) -> [NewRecord] {
        (0..<count).map { _ in
            func bytes(_ max: Int) -> [UInt8]? {
                if random.oneIn(6) { return nil }
                let count = random.oneIn(20) ? max * 40 : max
                return CodecTests.text(bytes: Int.random(in: 0...count, using: &random), seed: random.next())
            }
            let headers = (0..<(random.oneIn(3) ? 3 : 0)).map { (name: "h\($0)", value: bytes(10)) }
            let delta = random.oneIn(10) ? Int64.random(in: -(1 << 40)...(1 << 40), using: &random) : 1
            return NewRecord(
                timestamp: Timestamp(milliseconds: time.milliseconds + delta), key: bytes(30), value: bytes(300),
                headers: headers)
        }
    }

    @Test(arguments: Codec.allCases)
    func recordsComeBack(codec: Codec) throws {
        var random = SeededRandom(seed: 100 + UInt64(codec.rawValue))
        for count in [1, 2, 64, 65, 300] {
            let records = Self.randomRecords(count, using: &random)
            let batch = try RecordBatch.build(
                records, baseOffset: Offset(42), leaderEpoch: LeaderEpoch(3), codec: codec, producerID: ProducerID(9),
                producerEpoch: ProducerEpoch(2), baseSequence: 17, isTransactional: true)
            try batch.checkCRC()
            #expect(try batch.newRecords() == records)
            #expect(batch.baseOffset == Offset(42) && batch.lastOffset == Offset(41 + Int64(count)))
            #expect(batch.partitionLeaderEpoch == LeaderEpoch(3))
            #expect(batch.baseTimestamp == records[0].timestamp)
            #expect(batch.maxTimestamp == records.map(\.timestamp).max())
            #expect(batch.producerID == ProducerID(9) && batch.producerEpoch == ProducerEpoch(2))
            #expect(batch.baseSequence == 17 && batch.lastSequence == 16 + Int32(count))
            #expect(batch.isTransactional && !batch.isControl && batch.header.isDense)
            #expect(batch.recordCount == count)
        }
    }

    @Test func extremeTimestampsComeBack() throws {
        let stamps: [Int64] = [0, .max, .min, -1, 1]
        for first in stamps {
            let records = ([first] + stamps).map {
                NewRecord(timestamp: Timestamp(milliseconds: $0), value: nil)
            }
            #expect(try RecordBatch.build(records).newRecords() == records)
        }
    }

    @Test func whatDoesNotShrinkStaysAsItIs() throws {
        var random = SeededRandom(seed: 5)
        let noise = (0..<500).map { _ in UInt8.random(in: 0...255, using: &random) }
        let batch = try RecordBatch.build([NewRecord(timestamp: Self.time, value: noise)], codec: .gzip)
        #expect(batch.codec == .none)
        #expect(try batch.newRecords().first?.value == noise)
    }

    @Test(arguments: [Codec.none, .gzip])
    func aFullBatchTakesNothingMoreAndTheNextBeginsFresh(codec: Codec) throws {
        var builder = RecordBatchBuilder(codec: codec, capacity: .kib(4))
        var compressor = Compressor()
        let line = [UInt8](repeating: 0x61, count: 100)
        var (written, read) = (0, 0)
        for _ in 0..<20 {
            while line.withUnsafeBytes({ builder.append(timestamp: Self.time, key: nil, value: $0) }) { written += 1 }
            let (size, count) = (builder.uncompressedByteCount, builder.recordCount)
            #expect(size <= 4096 && size > 4096 - 110)
            let batch = try RecordBatch(
                try builder.seal(
                    producerID: ProducerID(1), epoch: ProducerEpoch(0), baseSequence: Int32(read), using: &compressor))
            try batch.checkCRC()
            #expect(batch.recordCount == count && batch.baseSequence == Int32(read))
            #expect(try batch.newRecords().allSatisfy { $0.value == line })
            let (isEmpty, sizeAfter) = (builder.isEmpty, builder.uncompressedByteCount)
            #expect(isEmpty && sizeAfter == BatchLayout.headerBytes)
            read += batch.recordCount
        }
        #expect(read == written)
    }

    @Test func oneRecordIsAlwaysTaken() throws {
        var builder = RecordBatchBuilder(codec: .none, capacity: .kib(1))
        let large = [UInt8](repeating: 7, count: 100_000)
        let first = large.withUnsafeBytes { builder.append(timestamp: Self.time, key: nil, value: $0) }
        let second = large.withUnsafeBytes { builder.append(timestamp: Self.time, key: nil, value: $0) }
        let small = builder.append(timestamp: Self.time, key: nil, value: nil)
        #expect(first && !second && !small)
        let batch = try RecordBatch(try builder.seal())
        #expect(try batch.newRecords().map(\.value) == [large])
        let again = builder.append(timestamp: Self.time, key: nil, value: nil)
        #expect(again)
        builder.removeAll()
        let isEmpty = builder.isEmpty
        #expect(isEmpty)
    }

    @Test(arguments: [Codec.none, .lz4])
    func linesAreRecords(codec: Codec) throws {
        var random = SeededRandom(seed: 77)
        for round in 0..<60 {
            let capacity = ByteCount.bytes([1 << 10, 4 << 10, 64 << 10][round % 3])
            let key: [UInt8]? = round % 5 == 0 ? nil : Array("web1/var/log/nginx/access.log".utf8.prefix(round))
            let headers = round % 4 == 0 ? PreparedHeaders([("format", Array("nginx".utf8))]) : nil
            var block: [UInt8] = []
            var lines: [[UInt8]] = []
            for _ in 0..<Int.random(in: 0...200, using: &random) {
                let length = Int.random(in: 0...[0, 3, 90, 300, 9000].randomElement(using: &random)!, using: &random)
                lines.append(CodecTests.text(bytes: length, seed: random.next()).map { $0 == 0x0a ? 0x20 : $0 })
                block += lines.last! + [0x0a]
            }
            let complete = block.count
            block += Array("no newline".utf8)

            var byLines = RecordBatchBuilder(codec: codec, capacity: capacity)
            var byRecord = RecordBatchBuilder(codec: codec, capacity: capacity)
            var (place, next) = (0, 0)
            while true {
                let taken = block[place...].withUnsafeBytes { rest in
                    withOptional(key) {
                        byLines.appendLines(rest, timestamp: Self.time, key: $0, headers: headers)
                    }
                }
                let expected = lines[next..<next + taken.lines].allSatisfy { line in
                    line.withUnsafeBytes { value in
                        withOptional(key) {
                            byRecord.append(timestamp: Self.time, key: $0, value: value, headers: headers)
                        }
                    }
                }
                #expect(expected)
                place += taken.bytes
                next += taken.lines
                let counts = (byLines.recordCount, byRecord.recordCount)
                #expect(counts.0 == counts.1)
                if counts.0 == 0 { break }
                let (batch, expectedBatch) = (try byLines.seal(), try byRecord.seal())
                #expect(batch == expectedBatch)
            }
            #expect(place == complete && next == lines.count)
        }
    }

    /// The vector loop and the plain one write the same bytes, whatever the lines and however much room there is.
    @Test func bothLineLoopsAgree() {
        var random = SeededRandom(seed: 78)
        for _ in 0..<3000 {
            let longest = [2, 70, 130, 400].randomElement(using: &random)!
            let block = (0..<Int.random(in: 1...2000, using: &random)).map { _ in
                random.oneIn(longest) ? UInt8(0x0a) : UInt8.random(in: 0...255, using: &random)
            }
            let limit = Int.random(in: 61...3000, using: &random)
            let fast = append(block, limit: limit, with: millrace_append_lines)
            let plain = append(block, limit: limit, with: millrace_append_lines_portable)
            #expect(fast == plain)
        }
    }

    private func append(
        _ block: [UInt8], limit: Int,
        with function: (UnsafeMutablePointer<millrace_batch>, UnsafeMutablePointer<millrace_lines>) -> Void
    ) -> [[UInt8]] {
        var memory = [UInt8](repeating: 0, count: limit + 64)
        let key: [UInt8] = [4, 0x6b, 0x6b]
        let outcome = memory.withUnsafeMutableBufferPointer { memory -> [Int] in
            var batch = millrace_batch(
                bytes: memory.baseAddress, size: 61, limit: limit, capacity: limit, count: 0, base_timestamp: 0,
                max_timestamp: 0)
            return block.withUnsafeBufferPointer { block in
                key.withUnsafeBufferPointer { key in
                    [0].withUnsafeBufferPointer { (headers: UnsafeBufferPointer<UInt8>) in
                        var lines = millrace_lines(
                            bytes: block.baseAddress, count: block.count, timestamp: 5, key_field: key.baseAddress,
                            key_field_count: key.count, headers: headers.baseAddress, headers_count: 1, taken_lines: 0,
                            taken_bytes: 0, needed: 0)
                        function(&batch, &lines)
                        return [batch.size, Int(batch.count), lines.taken_lines, lines.taken_bytes, lines.needed]
                    }
                }
            }
        }
        // Nothing may be written beyond the limit.
        return [outcome.map { UInt8(truncatingIfNeeded: $0) }, Array(memory[..<outcome[0]]), Array(memory[limit...])]
    }

    private func withOptional<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard let bytes else { return body(nil) }
        return bytes.withUnsafeBytes { body($0) }
    }
}
