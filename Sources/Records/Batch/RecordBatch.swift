import Base
import NIOCore

/// A view of one record batch (message format v2): the bytes as they came, nothing decoded but the header.
public struct RecordBatch: Sendable {
    /// Exactly one batch: 61 bytes of header, then the records.
    public let bytes: ByteBuffer
    public let header: BatchHeader

    /// Takes the readable bytes, which must be exactly one batch. Checks the header; `checkCRC` checks the rest.
    public init(_ bytes: ByteBuffer) throws(RecordError) {
        let header = try BatchHeader(bytes)
        guard header.byteCount <= bytes.readableBytes else {
            throw RecordError(
                .truncated,
                "the batch at \(header.baseOffset) takes \(header.byteCount) bytes, \(bytes.readableBytes) are there")
        }
        guard header.byteCount == bytes.readableBytes else {
            throw RecordError(
                .corrupt,
                "the batch at \(header.baseOffset) takes \(header.byteCount) bytes and is followed by "
                    + "\(bytes.readableBytes - header.byteCount) more")
        }
        self.init(bytes: bytes, header: header)
    }

    init(bytes: ByteBuffer, header: BatchHeader) {
        self.bytes = bytes
        self.header = header
    }

    public var baseOffset: Offset { header.baseOffset }
    public var lastOffset: Offset { header.lastOffset }
    public var nextOffset: Offset { header.nextOffset }
    public var partitionLeaderEpoch: LeaderEpoch { header.partitionLeaderEpoch }
    public var attributes: BatchAttributes { header.attributes }
    public var codec: Codec { header.codec }
    public var timestampType: TimestampType { header.timestampType }
    public var isTransactional: Bool { header.isTransactional }
    public var isControl: Bool { header.isControl }
    public var lastOffsetDelta: Int32 { header.lastOffsetDelta }
    public var baseTimestamp: Timestamp { header.baseTimestamp }
    public var maxTimestamp: Timestamp { header.maxTimestamp }
    public var producerID: ProducerID { header.producerID }
    public var producerEpoch: ProducerEpoch { header.producerEpoch }
    public var baseSequence: Int32 { header.baseSequence }
    public var lastSequence: Int32 { header.lastSequence }
    public var recordCount: Int { Int(header.recordCount) }
    public var crc: UInt32 { header.crc }
    public var byteCount: Int { bytes.readableBytes }

    /// The records as they stand in the batch, compressed where it has a codec.
    public var payload: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + BatchLayout.headerBytes, length: byteCount - BatchLayout.headerBytes)!
    }

    /// Sums the batch from its attributes on, and compares.
    ///
    /// - Throws: `.crcMismatch`.
    public func checkCRC() throws(RecordError) {
        let sum = bytes.withUnsafeReadableBytes { Self.checksum(of: $0) }
        guard sum == crc else {
            throw RecordError(
                .crcMismatch, "the batch at \(baseOffset) is damaged: its CRC-32C is \(crc), its bytes sum up to \(sum)"
            )
        }
    }

    /// The records, decompressed where the batch is compressed. Does not check the CRC.
    ///
    /// - Parameter decompressedMax: a batch that decompresses to more throws `.tooLarge` (at no more memory than that).
    /// - Throws: `.tooLarge`, `.undecodable`.
    public func records(decompressedMax: ByteCount) throws(RecordError) -> RecordSequence {
        var decompressor = Decompressor()
        return try records(decompressedMax: decompressedMax, using: &decompressor)
    }

    /// The same with a decompressor of the caller's, so that its contexts serve many batches.
    public func records(
        decompressedMax: ByteCount, using decompressor: inout Decompressor
    ) throws(RecordError) -> RecordSequence {
        guard codec != .none else { return RecordSequence(payload: payload, header: header) }
        let records = try bytes.withUnsafeReadableBytes { (all) throws(RecordError) -> ByteBuffer in
            let payload = UnsafeRawBufferPointer(rebasing: all[BatchLayout.headerBytes...])
            return try decompressor.decompress(payload, codec: codec, max: decompressedMax)
        }
        return RecordSequence(payload: records, header: header)
    }

    static func checksum(of batch: UnsafeRawBufferPointer) -> UInt32 {
        CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[BatchLayout.attributes...]))
    }
}
