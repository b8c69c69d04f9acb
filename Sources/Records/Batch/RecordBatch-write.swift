import Base
import NIOCore

/// A record to be written, for tests, tools and small batches; the hot path appends bytes to a `RecordBatchBuilder`.
public struct NewRecord: Sendable, Equatable {
    public var timestamp: Timestamp
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [(name: String, value: [UInt8]?)]

    public init(
        timestamp: Timestamp, key: [UInt8]? = nil, value: [UInt8]?, headers: [(name: String, value: [UInt8]?)] = []
    ) {
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    public static func == (left: NewRecord, right: NewRecord) -> Bool {
        left.timestamp == right.timestamp && left.key == right.key && left.value == right.value
            && PreparedHeaders(left.headers) == PreparedHeaders(right.headers)
    }
}

extension RecordBatch {
    /// Builds one batch of all the records. There must be at least one.
    public static func build(
        _ records: [NewRecord], baseOffset: Offset = .zero, leaderEpoch: LeaderEpoch = .none, codec: Codec = .none,
        level: Int? = nil, producerID: ProducerID = .none, producerEpoch: ProducerEpoch = .none,
        baseSequence: Int32 = -1, isTransactional: Bool = false, isControl: Bool = false
    ) throws(RecordError) -> RecordBatch {
        let capacity = records.reduce(1 << 10) { size, record in
            size + 64 + (record.key?.count ?? 0) + (record.value?.count ?? 0)
                + PreparedHeaders(record.headers).bytes.count
        }
        var builder = RecordBatchBuilder(codec: codec, level: level, capacity: ByteCount(capacity))
        for record in records {
            let headers = record.headers.isEmpty ? nil : PreparedHeaders(record.headers)
            let taken = withOptionalBytes(record.key) { key in
                withOptionalBytes(record.value) { value in
                    builder.append(timestamp: record.timestamp, key: key, value: value, headers: headers)
                }
            }
            precondition(taken, "the capacity was reckoned for all records")
        }
        var bytes = try builder.seal(
            producerID: producerID, epoch: producerEpoch, baseSequence: baseSequence, isTransactional: isTransactional)
        patch(baseOffset: baseOffset, leaderEpoch: leaderEpoch, in: &bytes, at: bytes.readerIndex)
        if isControl {
            let attributes: UInt16 = bytes.getInteger(at: bytes.readerIndex + BatchLayout.attributes)!
            bytes.setInteger(
                attributes | BatchAttributes.control.rawValue, at: bytes.readerIndex + BatchLayout.attributes)
            patchCRC(in: &bytes, at: bytes.readerIndex)
        }
        return try RecordBatch(bytes)
    }

    /// The batch with only those records that have a true among the verdicts, one for each in their order, at their old offsets: what compaction writes. Base and last
    /// offset, producer and sequences stay, so that readers and producer state see the same batch. Nil where no record is
    /// left, unless `keepsEmpty`; then the batch has a header only.
    ///
    /// - Throws: what reading the records throws, and `.compressionFailed`.
    public func filtered(
        decompressedMax: ByteCount, keepsEmpty: Bool, decompressor: inout Decompressor, compressor: inout Compressor,
        verdicts: (RecordSequence) throws(RecordError) -> [Bool]
    ) throws(RecordError) -> RecordBatch? {
        let all = try records(decompressedMax: decompressedMax, using: &decompressor)
        // Most batches stay whole, and nothing of those is copied.
        let verdicts = try verdicts(all)
        if !verdicts.contains(false) { return self }
        var kept = ByteBuffer()
        kept.reserveCapacity(all.decompressedByteCount)
        var count: Int32 = 0
        var newest: Timestamp?
        var place = 0
        var records = all
        try records.forEachUnsafe { (record) throws(RecordError) in
            defer { place += 1 }
            guard verdicts[place] else { return }
            kept.writeBytes(record.bytes)
            count += 1
            newest = max(newest ?? record.timestamp, record.timestamp)
        }
        guard count > 0 || keepsEmpty else { return nil }
        return try replacingRecords(kept, count: count, maxTimestamp: newest ?? maxTimestamp, compressor: &compressor)
    }

    private func replacingRecords(
        _ records: ByteBuffer, count: Int32, maxTimestamp: Timestamp, compressor: inout Compressor
    ) throws(RecordError) -> RecordBatch {
        var batch = ByteBuffer()
        batch.writeImmutableBuffer(bytes.getSlice(at: bytes.readerIndex, length: BatchLayout.headerBytes)!)
        try records.withUnsafeReadableBytes { (source) throws(RecordError) -> Void in
            // Nothing compresses to something: an empty batch carries no codec.
            guard count > 0 else { return }
            batch.writeBytes(try compressor.compress(source, codec: codec))
        }
        var attributes = attributes
        if count == 0 { attributes.rawValue &= ~BatchAttributes.codecMask }
        batch.setInteger(Int32(batch.readableBytes - BatchLayout.prefixBytes), at: BatchLayout.batchLength)
        batch.setInteger(attributes.rawValue, at: BatchLayout.attributes)
        batch.setInteger(maxTimestamp.milliseconds, at: BatchLayout.maxTimestamp)
        batch.setInteger(count, at: BatchLayout.recordCount)
        Self.patchCRC(in: &batch, at: 0)
        return try RecordBatch(batch)
    }

    struct HeaderFields {
        var attributes: BatchAttributes
        var lastOffsetDelta: Int32
        var baseTimestamp: Timestamp
        var maxTimestamp: Timestamp
        var producerID: ProducerID
        var producerEpoch: ProducerEpoch
        var baseSequence: Int32
        var recordCount: Int32
    }

    /// Writes the header over the first 61 bytes of a fresh batch, base offset 0 and leader epoch −1, and sums it.
    static func writeHeader(_ fields: HeaderFields, in batch: inout ByteBuffer) {
        batch.withUnsafeMutableReadableBytes { bytes in
            bytes.storeBigEndian(Int64(0), at: BatchLayout.baseOffset)
            bytes.storeBigEndian(Int32(bytes.count - BatchLayout.prefixBytes), at: BatchLayout.batchLength)
            bytes.storeBigEndian(LeaderEpoch.none.rawValue, at: BatchLayout.partitionLeaderEpoch)
            bytes.storeBigEndian(BatchLayout.currentMagic, at: BatchLayout.magic)
            bytes.storeBigEndian(fields.attributes.rawValue, at: BatchLayout.attributes)
            bytes.storeBigEndian(fields.lastOffsetDelta, at: BatchLayout.lastOffsetDelta)
            bytes.storeBigEndian(fields.baseTimestamp.milliseconds, at: BatchLayout.baseTimestamp)
            bytes.storeBigEndian(fields.maxTimestamp.milliseconds, at: BatchLayout.maxTimestamp)
            bytes.storeBigEndian(fields.producerID.rawValue, at: BatchLayout.producerID)
            bytes.storeBigEndian(fields.producerEpoch.rawValue, at: BatchLayout.producerEpoch)
            bytes.storeBigEndian(fields.baseSequence, at: BatchLayout.baseSequence)
            bytes.storeBigEndian(fields.recordCount, at: BatchLayout.recordCount)
            bytes.storeBigEndian(checksum(of: UnsafeRawBufferPointer(bytes)), at: BatchLayout.crc)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    fileprivate func storeBigEndian(_ value: some FixedWidthInteger, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: type(of: value))
    }
}

private func withOptionalBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    guard let bytes else { return body(nil) }
    return bytes.withUnsafeBytes { body($0) }
}

extension RecordBatch {
    /// A batch without records over the offsets from `from` up to, without, `to`: what stands where records were lost. At most Int32.max offsets.
    public static func empty(from: Offset, to: Offset, leaderEpoch: LeaderEpoch) -> ByteBuffer {
        precondition(to > from && to - from <= Int64(Int32.max), "no batch covers \(from) to \(to)")
        var bytes = ByteBuffer(repeating: 0, count: BatchLayout.headerBytes)
        writeHeader(
            HeaderFields(
                attributes: [], lastOffsetDelta: Int32(to - from - 1), baseTimestamp: .none, maxTimestamp: .none,
                producerID: .none, producerEpoch: .none, baseSequence: -1, recordCount: 0),
            in: &bytes)
        patch(baseOffset: from, leaderEpoch: leaderEpoch, in: &bytes, at: bytes.readerIndex)
        return bytes
    }
}
