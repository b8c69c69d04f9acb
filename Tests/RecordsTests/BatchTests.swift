import Base
import NIOCore
import Records
import Testing

@Suite struct BatchTests {
    static let records = (0..<10).map {
        NewRecord(
            timestamp: Timestamp(milliseconds: 1000 + Int64($0)), key: [UInt8($0)], value: [UInt8]("value \($0)".utf8))
    }

    @Test func theHeadersSizeIsKafkas() {
        #expect(BatchLayout.headerBytes == 61)
        #expect(BatchLayout.recordCount + 4 == BatchLayout.headerBytes)
        #expect(GoldenBatches.named("empty").bytes.readableBytes == BatchLayout.headerBytes)
    }

    @Test func theCursorStopsBeforeACutBatch() throws {
        let golden = GoldenBatches.named("several")
        var bytes = golden.bytes
        let whole = bytes.readableBytes
        bytes.writeImmutableBuffer(golden.bytes.getSlice(at: 0, length: 70)!)
        var cursor = RecordBatchCursor(bytes)
        var offsets: [Offset] = []
        while let batch = try cursor.next() {
            offsets.append(batch.baseOffset)
            #expect(cursor.index == whole - cursor.tailByteCount + 70)
        }
        #expect(offsets == [0, 2, 4, 6, 8].map { Offset($0) })
        #expect(cursor.tailByteCount == 70)
    }

    @Test func aBatchInTheMiddleOfABufferIsRead() throws {
        let batch = try RecordBatch.build(Self.records)
        var bytes = ByteBuffer(string: "before")
        bytes.writeImmutableBuffer(batch.bytes)
        #expect(try BatchHeader(bytes, at: 6) == batch.header)
        bytes.moveReaderIndex(forwardBy: 6)
        let again = try RecordBatch(bytes)
        try again.checkCRC()
        #expect(try again.newRecords() == Self.records)
        RecordBatch.patch(baseOffset: Offset(1 << 40), leaderEpoch: LeaderEpoch(77), in: &bytes, at: 6)
        let patched = try RecordBatch(bytes)
        try patched.checkCRC()
        #expect(patched.baseOffset == Offset(1 << 40) && patched.partitionLeaderEpoch == LeaderEpoch(77))
        #expect(try patched.newRecords() == Self.records)
        RecordBatch.patch(logAppendTime: Timestamp(milliseconds: 5), in: &bytes, at: 6)
        let stamped = try RecordBatch(bytes)
        try stamped.checkCRC()
        #expect(stamped.timestampType == .logAppendTime && stamped.maxTimestamp == Timestamp(milliseconds: 5))
        #expect(try stamped.newRecords().allSatisfy { $0.timestamp == Timestamp(milliseconds: 5) })
        #expect(stamped.baseOffset == Offset(1 << 40))
    }

    @Test func bytesAfterTheBatchAreAnError() throws {
        var bytes = try RecordBatch.build(Self.records).bytes
        bytes.writeInteger(UInt8(0))
        #expect(try #require(throws: RecordError.self) { try RecordBatch(bytes) }.code == .corrupt)
    }

    @Test(arguments: Codec.allCases)
    func filteredBatchesKeepTheirOffsets(codec: Codec) throws {
        let many = Array(repeating: Self.records, count: 30).flatMap { $0 }
        let batch = try RecordBatch.build(
            many, baseOffset: Offset(500), leaderEpoch: LeaderEpoch(2), codec: codec, producerID: ProducerID(8),
            producerEpoch: ProducerEpoch(1), baseSequence: 30)
        var decompressor = Decompressor()
        var compressor = Compressor()
        func filtered(keepsEmpty: Bool, _ isKept: (RecordSequence.Unsafe) -> Bool) throws(RecordError) -> RecordBatch? {
            try batch.filtered(
                decompressedMax: .mib(1), keepsEmpty: keepsEmpty, decompressor: &decompressor, compressor: &compressor,
                verdicts: { (records) throws(RecordError) in
                    var records = records
                    var verdicts: [Bool] = []
                    try records.forEachUnsafe { (record) throws(RecordError) in verdicts.append(isKept(record)) }
                    return verdicts
                })
        }
        let all = try #require(try filtered(keepsEmpty: false) { _ in true })
        #expect(all.bytes == batch.bytes)
        let odd = try #require(try filtered(keepsEmpty: false) { $0.offset.rawValue % 2 == 1 })
        try odd.checkCRC()
        #expect(odd.codec == codec && odd.recordCount == 150 && !odd.header.isDense)
        #expect(odd.baseOffset == Offset(500) && odd.lastOffset == batch.lastOffset)
        #expect(odd.baseSequence == 30 && odd.lastSequence == batch.lastSequence && odd.producerID == ProducerID(8))
        var records = try odd.records(decompressedMax: .mib(1))
        var expected = Offset(501)
        while let record = try records.next() {
            #expect(record.offset == expected)
            #expect(record.value == many[Int(expected - Offset(500))].value.map { ByteBuffer(bytes: $0) })
            expected = expected + 2
        }
        #expect(try filtered(keepsEmpty: false) { _ in false } == nil)
        let empty = try #require(try filtered(keepsEmpty: true) { _ in false })
        try empty.checkCRC()
        #expect(empty.recordCount == 0 && empty.byteCount == BatchLayout.headerBytes && empty.codec == .none)
        #expect(empty.lastOffset == batch.lastOffset && empty.lastSequence == batch.lastSequence)
    }

    @Test func theFastWalkSeesTheSame() throws {
        for golden in GoldenBatches.all {
            var cursor = RecordBatchCursor(golden.bytes)
            while let batch = try cursor.next() {
                var slow = try batch.records(decompressedMax: .mib(1))
                var fast = try batch.records(decompressedMax: .mib(1))
                try fast.forEachUnsafe { (seen) throws(RecordError) in
                    let record = try slow.next()
                    #expect(record?.offset == seen.offset && record?.timestamp == seen.timestamp)
                    #expect(record?.key == seen.key.map { ByteBuffer(bytes: $0) })
                    #expect(record?.value == seen.value.map { ByteBuffer(bytes: $0) })
                    #expect(record?.headers.count == seen.headerCount)
                }
                #expect(fast.remainingCount == 0)
                #expect(try slow.next() == nil)
            }
        }
    }

    @Test func headersAreFoundByName() throws {
        let batch = try RecordBatch.build([
            NewRecord(timestamp: .none, value: nil, headers: [("a", [1]), ("b", nil), ("a", [2])])
        ])
        var records = try batch.records(decompressedMax: .zero)
        let headers = try #require(try records.next()).headers
        #expect(headers.count == 3 && !headers.isEmpty)
        #expect(try headers.value(named: "a") == ByteBuffer(bytes: [2]))
        #expect(try headers.value(named: "b") == nil)
        #expect(try headers.value(named: "c") == nil)
    }
}
