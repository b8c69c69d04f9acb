import Base
import NIOCore
import Records
import Testing

@Suite struct BuilderTests {
    @Test func aRecordComesBack() throws {
        let batch = try RecordBatch.build([
            NewRecord(
                timestamp: Timestamp(milliseconds: 5), key: [1], value: [2, 3], headers: [("a", [4]), ("b", nil)])
        ])
        try batch.checkCRC()
        var records = try batch.records(decompressedMax: .mib(1))
        let record = try #require(try records.next())
        #expect(record.key == ByteBuffer(bytes: [1]))
        #expect(record.value == ByteBuffer(bytes: [2, 3]))
        #expect(try record.headers.all().map(\.name) == ["a", "b"])
        #expect(try records.next() == nil)
    }
}
