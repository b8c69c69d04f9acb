import Base
import NIOCore

extension RecordBatch {
    /// Two batches of the same records, in the same order, with their keys, headers and timestamps, under the same codec. Neither has a producer.
    ///
    /// - Parameters:
    ///   - count: how many records the first one gets; at least one, and fewer than there are.
    ///   - decompressedMax: a batch that decompresses to more is not divided.
    /// - Throws: what decoding or compressing throws.
    public func divided(
        afterRecord count: Int, decompressedMax: ByteCount
    ) throws(RecordError) -> (first: RecordBatch, second: RecordBatch) {
        precondition(count > 0 && count < recordCount, "\(count) of \(recordCount) records")
        var records = try records(decompressedMax: decompressedMax)
        let first = try Self.batch(of: &records, count, codec: codec)
        let second = try Self.batch(of: &records, recordCount - count, codec: codec)
        return (first, second)
    }

    private static func batch(
        of records: inout RecordSequence, _ count: Int, codec: Codec
    ) throws(RecordError) -> RecordBatch {
        var builder = RecordBatchBuilder(codec: codec, capacity: .gib(1))
        for _ in 0..<count {
            guard let record = try records.next() else {
                throw RecordError(.corrupt, "the batch holds fewer records than it says")
            }
            let headers = PreparedHeaders(
                try record.headers.all().map { (name: $0.name, value: $0.value.map { Array($0.readableBytesView) }) })
            let isTaken = withBytes(record.key) { key in
                withBytes(record.value) { value in
                    builder.append(timestamp: record.timestamp, key: key, value: value, headers: headers)
                }
            }
            guard isTaken else { throw RecordError(.tooLarge, "a batch of \(count) records above 1 GiB") }
        }
        return try RecordBatch(builder.seal())
    }

    private static func withBytes<Result>(
        _ buffer: ByteBuffer?, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard let buffer else { return body(nil) }
        return buffer.withUnsafeReadableBytes { body($0) }
    }
}
