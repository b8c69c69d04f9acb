import Base
import NIOCore
import Records
import Testing

/// Batches that other implementations made say to us what they say to those.
@Suite struct GoldenTests {
    @Test(arguments: GoldenBatches.all)
    func othersBatchesAreRead(golden: GoldenBatches) throws {
        var cursor = RecordBatchCursor(golden.bytes)
        for expected in golden.batches {
            let batch = try #require(try cursor.next())
            try batch.checkCRC()
            let header: [String] = [
                "\(batch.baseOffset)", "\(batch.lastOffset)", "\(batch.partitionLeaderEpoch)", "\(batch.codec)",
                batch.timestampType == .createTime ? "CreateTime" : "LogAppendTime", "\(batch.maxTimestamp)",
                "\(batch.producerID)", "\(batch.producerEpoch)", "\(batch.baseSequence)", "\(batch.lastSequence)",
                "\(batch.isTransactional)", "\(batch.isControl)", "\(batch.recordCount)",
            ]
            #expect(header == expected.header.map(String.init))
            var records = try batch.records(decompressedMax: .mib(1))
            for words in expected.records {
                let record = try #require(try records.next())
                #expect("\(record.offset)" == words[0])
                #expect("\(record.timestamp)" == words[1])
                #expect(record.key == Fixtures.bytes(words[2]).map { ByteBuffer(bytes: $0) })
                #expect(record.value == Fixtures.bytes(words[3]).map { ByteBuffer(bytes: $0) })
                let headers = words[4...].map { word in
                    let parts = word.split(separator: "=", maxSplits: 1).map { Fixtures.bytes($0) }
                    return RecordHeaders.Header(
                        name: String(decoding: parts[0]!, as: UTF8.self), value: parts[1].map { ByteBuffer(bytes: $0) })
                }
                #expect(try record.headers.all() == headers)
            }
            #expect(try records.next() == nil)
        }
        #expect(try cursor.next() == nil)
        #expect(cursor.tailByteCount == 0)
    }

    /// Uncompressed, there is only one way to write a batch: ours must be Java's, byte by byte.
    @Test(arguments: ["lines-none", "oddities-none"])
    func ourBytesAreJavas(name: String) throws {
        let golden = GoldenBatches.named(name)
        let batch = try RecordBatch(golden.bytes)
        let again = try RecordBatch.build(
            try batch.newRecords(), baseOffset: batch.baseOffset, leaderEpoch: batch.partitionLeaderEpoch)
        #expect(again.bytes == golden.bytes)
    }

    @Test(arguments: ["commit", "abort"])
    func controlBatchesAreJavas(name: String) throws {
        let golden = GoldenBatches.named(name)
        let batch = try RecordBatch(golden.bytes)
        #expect(batch.isControl)
        let again = try RecordBatch.build(
            try batch.newRecords(), baseOffset: batch.baseOffset, leaderEpoch: batch.partitionLeaderEpoch,
            producerID: batch.producerID, producerEpoch: batch.producerEpoch, isTransactional: true, isControl: true)
        #expect(again.bytes == golden.bytes)
    }

    @Test func anEmptyBatchKeepsItsOffsets() throws {
        let batch = try RecordBatch(GoldenBatches.named("empty").bytes)
        try batch.checkCRC()
        #expect(batch.recordCount == 0)
        #expect(batch.baseOffset == Offset(100) && batch.lastOffset == Offset(109) && batch.nextOffset == Offset(110))
        #expect(!batch.header.isDense)
        var records = try batch.records(decompressedMax: .zero)
        #expect(try records.next() == nil)
    }

    @Test func sequencesWrapAfterTheLargest() throws {
        let batch = try RecordBatch(GoldenBatches.named("transactional-sequence-wraps").bytes)
        #expect(batch.baseSequence == Int32.max - 1)
        #expect(batch.lastSequence == 2)
        #expect(BatchHeader.sequence(.max, advancedBy: 1) == 0)
        #expect(BatchHeader.sequence(5, advancedBy: 0) == 5)
    }

    @Test func oldFormatsAreRefusedWithAReason() throws {
        for words in Fixtures.lines(of: "java.txt", kind: "old") {
            let bytes = ByteBuffer(bytes: Fixtures.bytes(words[2])!)
            var cursor = RecordBatchCursor(bytes)
            let error = try #require(throws: RecordError.self) { try cursor.next() }
            #expect(error.code == .unsupportedMagic)
            #expect(error.message.hasPrefix("message format \(words[1]) is no longer supported"))
            #expect(throws: error) { try RecordBatch(bytes) }
        }
    }

    @Test func thePartitionerIsJavas() throws {
        let vectors = Fixtures.lines(of: "java.txt", kind: "murmur2")
        #expect(vectors.count == 48)
        for words in vectors {
            let key = Fixtures.bytes(words[1])!
            #expect(key.withUnsafeBytes { Murmur2.hash($0) } == Int32(words[2])!)
            #expect(Murmur2.partition(key: key, count: 12) == Int32(words[3])!)
        }
    }
}
