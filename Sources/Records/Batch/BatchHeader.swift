import Base
import NIOCore

/// The 61 bytes before a batch's records, read and checked for what can be checked without the rest.
public struct BatchHeader: Sendable, Equatable {
    public let baseOffset: Offset
    public let batchLength: Int32
    public let partitionLeaderEpoch: LeaderEpoch
    public let crc: UInt32
    public let attributes: BatchAttributes
    public let codec: Codec
    public let lastOffsetDelta: Int32
    public let baseTimestamp: Timestamp
    public let maxTimestamp: Timestamp
    public let producerID: ProducerID
    public let producerEpoch: ProducerEpoch
    public let baseSequence: Int32
    public let recordCount: Int32

    /// Reads the header at the buffer's reader index, or at `index`; the records need not be there.
    public init(_ bytes: ByteBuffer, at index: Int? = nil) throws(RecordError) {
        let start = index ?? bytes.readerIndex
        precondition(
            start >= bytes.readerIndex && start <= bytes.writerIndex, "index \(start) outside the readable bytes")
        self = try bytes.withUnsafeReadableBytes { (all) throws(RecordError) -> BatchHeader in
            try BatchHeader(UnsafeRawBufferPointer(rebasing: all[(start - bytes.readerIndex)...]))
        }
    }

    /// Reads the header from the first bytes of `bytes`.
    ///
    /// - Throws: `.truncated` below 61 bytes, `.unsupportedMagic` for the old formats, `.corrupt`, `.unsupportedCodec`.
    public init(_ bytes: UnsafeRawBufferPointer) throws(RecordError) {
        if bytes.count >= BatchLayout.magicEnd {
            let magic = bytes.bigEndian(at: BatchLayout.magic, as: Int8.self)
            guard magic == BatchLayout.currentMagic else { throw .unsupportedMagic(magic) }
        }
        guard bytes.count >= BatchLayout.headerBytes else {
            throw RecordError(
                .truncated, "a batch header takes \(BatchLayout.headerBytes) bytes, only \(bytes.count) are there")
        }
        baseOffset = Offset(bytes.bigEndian(at: BatchLayout.baseOffset))
        batchLength = bytes.bigEndian(at: BatchLayout.batchLength)
        partitionLeaderEpoch = LeaderEpoch(bytes.bigEndian(at: BatchLayout.partitionLeaderEpoch))
        crc = bytes.bigEndian(at: BatchLayout.crc)
        attributes = BatchAttributes(rawValue: bytes.bigEndian(at: BatchLayout.attributes))
        lastOffsetDelta = bytes.bigEndian(at: BatchLayout.lastOffsetDelta)
        baseTimestamp = Timestamp(milliseconds: bytes.bigEndian(at: BatchLayout.baseTimestamp))
        maxTimestamp = Timestamp(milliseconds: bytes.bigEndian(at: BatchLayout.maxTimestamp))
        producerID = ProducerID(bytes.bigEndian(at: BatchLayout.producerID))
        producerEpoch = ProducerEpoch(bytes.bigEndian(at: BatchLayout.producerEpoch))
        baseSequence = bytes.bigEndian(at: BatchLayout.baseSequence)
        recordCount = bytes.bigEndian(at: BatchLayout.recordCount)

        let codecID = attributes.rawValue & BatchAttributes.codecMask
        guard let codec = Codec(rawValue: UInt8(codecID)) else {
            throw RecordError(.unsupportedCodec, "unknown compression type \(codecID) in the batch at \(baseOffset)")
        }
        self.codec = codec
        guard batchLength >= BatchLayout.headerBytes - BatchLayout.prefixBytes else {
            throw RecordError(.corrupt, "batch length \(batchLength) at \(baseOffset) is shorter than a batch's header")
        }
        guard lastOffsetDelta >= 0, !baseOffset.rawValue.addingReportingOverflow(Int64(lastOffsetDelta) + 1).overflow
        else { throw RecordError(.corrupt, "last offset delta \(lastOffsetDelta) at \(baseOffset) can't be true") }
        guard recordCount >= 0 else {
            throw RecordError(.corrupt, "record count \(recordCount) at \(baseOffset) is negative")
        }
    }

    public var lastOffset: Offset { baseOffset + Int64(lastOffsetDelta) }
    /// The first offset after the batch.
    public var nextOffset: Offset { baseOffset + Int64(lastOffsetDelta) + 1 }
    /// The whole batch, header included, as the header states it.
    public var byteCount: Int { BatchLayout.prefixBytes + Int(batchLength) }
    /// The last record's sequence: it wraps from Int32.max to 0. −1 without a sequence.
    public var lastSequence: Int32 {
        baseSequence < 0 ? baseSequence : Self.sequence(baseSequence, advancedBy: lastOffsetDelta)
    }
    public var timestampType: TimestampType { attributes.contains(.logAppendTime) ? .logAppendTime : .createTime }
    public var isTransactional: Bool { attributes.contains(.transactional) }
    public var isControl: Bool { attributes.contains(.control) }
    public var isIdempotent: Bool { producerID != .none }
    public var hasDeleteHorizon: Bool { attributes.contains(.deleteHorizon) }
    /// True where every offset of the batch has its record, as in any batch that compaction has not been at.
    public var isDense: Bool { Int64(recordCount) == Int64(lastOffsetDelta) + 1 }

    /// `count` places after `sequence`, wrapping from Int32.max to 0 as Kafka's producers do. Both must be ≥ 0.
    public static func sequence(_ sequence: Int32, advancedBy count: Int32) -> Int32 {
        precondition(sequence >= 0 && count >= 0, "sequence \(sequence) advanced by \(count)")
        return Int32((Int64(sequence) + Int64(count)) & Int64(Int32.max))
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func bigEndian<Integer: FixedWidthInteger>(at offset: Int, as type: Integer.Type = Integer.self) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
