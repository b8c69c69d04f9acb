import Base
import CMillrace
import NIOCore

/// Builds one batch after the other, record by record, without an allocation or a copy per record: the agent's hot path.
///
/// Records are written uncompressed into one growing buffer behind room for the header; `seal` compresses them once. With a
/// codec the buffer is used again for the next batch; without one the sealed batch *is* the buffer.
///
/// ```
/// var builder = RecordBatchBuilder(codec: .gzip, level: nil, capacity: .kib(256))
/// var compressor = Compressor()
/// while !builder.append(timestamp: now, key: key, value: line) {
///     ship(try builder.seal(producerID: id, epoch: epoch, baseSequence: next, using: &compressor))
/// }
/// ```
public struct RecordBatchBuilder: ~Copyable, @unchecked Sendable {
    public let codec: Codec
    public let level: Int?
    /// The most that a batch takes before compression, header included; one record is always let in, however large.
    public let capacity: ByteCount

    /// Holds the memory that `state` points into. Nobody else has a reference to it, so it does not move.
    private var buffer = ByteBuffer()
    private var state = millrace_batch()
    /// What the next batch will probably take, by the last one.
    private var expectedBytes: Int

    private static let firstBufferBytes = 4 << 10
    /// A length in a record is an Int32; this leaves room for the rest of it.
    static let fieldBytesMax = 1 << 30

    /// - Parameters:
    ///   - level: the codec's level; nil is its default.
    ///   - capacity: at least 1 KiB, at most 1 GiB.
    public init(codec: Codec, level: Int? = nil, capacity: ByteCount) {
        precondition(capacity >= .kib(1) && capacity <= .gib(1), "a batch's capacity can't be \(capacity)")
        self.codec = codec
        self.level = level
        self.capacity = capacity
        expectedBytes = min(Self.firstBufferBytes, capacity.bytes)
        state.size = BatchLayout.headerBytes
    }

    public var recordCount: Int { Int(state.count) }
    public var isEmpty: Bool { state.count == 0 }
    /// What the batch takes so far without compression, header included.
    public var uncompressedByteCount: Int { state.size }
    /// The first record's timestamp; `.none` while there is none.
    public var baseTimestamp: Timestamp { isEmpty ? .none : Timestamp(milliseconds: state.base_timestamp) }
    public var maxTimestamp: Timestamp { isEmpty ? .none : Timestamp(milliseconds: state.max_timestamp) }

    /// Appends a record. False where it would make the batch larger than its capacity: it was not taken; seal first.
    ///
    /// Key and value are copied; each at most 1 GiB.
    @discardableResult
    public mutating func append(
        timestamp: Timestamp, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        headers: PreparedHeaders? = nil
    ) -> Bool {
        let (keyCount, valueCount) = (key?.count ?? 0, value?.count ?? 0)
        precondition(keyCount <= Self.fieldBytesMax && valueCount <= Self.fieldBytesMax, "a field above 1 GiB")
        let timestampDelta = isEmpty ? 0 : timestamp.milliseconds &- state.base_timestamp
        let offsetDelta = Int64(state.count)
        let body =
            1 + Varint.byteCount(timestampDelta) + Varint.byteCount(offsetDelta)
            + Varint.byteCount(Int64(keyCount)) + keyCount + Varint.byteCount(Int64(valueCount)) + valueCount
            + (headers?.bytes.count ?? 1)
        let total = Varint.byteCount(Int64(body)) + body
        guard makeRoom(total) else { return false }
        noteTimestamp(timestamp)

        var place = UnsafeMutableRawPointer(state.bytes!) + state.size
        place = Varint.write(Int64(body), at: place)
        place.storeBytes(of: 0, as: UInt8.self)
        place = Varint.write(timestampDelta, at: place + 1)
        place = Varint.write(offsetDelta, at: place)
        place = Self.writeField(key, at: place)
        place = Self.writeField(value, at: place)
        if let headers {
            headers.bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        } else {
            place.storeBytes(of: 0, as: UInt8.self)
        }
        state.size += total
        state.count += 1
        return true
    }

    /// What `appendLines` took.
    public struct LinesAppended: Sendable, Equatable {
        public var lines: Int
        /// Bytes of the block that were taken, newlines included. 0 where the batch is full.
        public var bytes: Int
    }

    /// Appends every line of `block` as a record with the same key, timestamp and headers, until the batch is full. The newline
    /// is not part of the record; bytes after the last newline are not taken.
    ///
    /// Where fewer bytes were taken than the block holds complete lines, seal and go on with the rest. An empty batch always
    /// takes at least one line.
    public mutating func appendLines(
        _ block: UnsafeRawBufferPointer, timestamp: Timestamp, key: UnsafeRawBufferPointer?,
        headers: PreparedHeaders? = nil
    ) -> LinesAppended {
        var taken = LinesAppended(lines: 0, bytes: 0)
        guard let start = block.baseAddress else { return taken }
        precondition(
            (key?.count ?? 0) <= Self.fieldBytesMax && block.count <= Self.fieldBytesMax, "a key or block above 1 GiB")
        let keyField = UnsafeMutableRawPointer.allocate(
            byteCount: 5 + (key?.count ?? 0), alignment: 16)
        defer { keyField.deallocate() }
        let keyFieldBytes = Self.writeField(key, at: keyField) - keyField
        _ = makeRoom(0)
        (headers?.bytes ?? [0]).withUnsafeBytes { headers in
            while taken.bytes < block.count {
                var lines = millrace_lines(
                    bytes: start.assumingMemoryBound(to: UInt8.self) + taken.bytes, count: block.count - taken.bytes,
                    timestamp: timestamp.milliseconds,
                    key_field: keyField.assumingMemoryBound(to: UInt8.self), key_field_count: keyFieldBytes,
                    headers: headers.baseAddress!.assumingMemoryBound(to: UInt8.self), headers_count: headers.count,
                    taken_lines: 0, taken_bytes: 0, needed: 0)
                millrace_append_lines(&state, &lines)
                taken.lines += lines.taken_lines
                taken.bytes += lines.taken_bytes
                guard lines.needed > 0, makeRoom(lines.needed) else { return }
            }
        }
        return taken
    }

    /// Turns the records into a batch and makes the builder empty for the next. There must be at least one record.
    ///
    /// Records that the codec does not make smaller stay as they are, and the batch says so. Base offset is 0 and leader epoch
    /// −1: the broker fills them in.
    ///
    /// - Throws: `.compressionFailed` where memory ran out; the builder still holds its records.
    public mutating func seal(
        producerID: ProducerID = .none, epoch: ProducerEpoch = .none, baseSequence: Int32 = -1,
        isTransactional: Bool = false, using compressor: inout Compressor
    ) throws(RecordError) -> ByteBuffer {
        precondition(!isEmpty, "a batch without records can't be sealed")
        var attributes: BatchAttributes = isTransactional ? [.transactional] : []
        var sealed: ByteBuffer?
        if codec != .none {
            let records = UnsafeRawBufferPointer(
                start: state.bytes + BatchLayout.headerBytes, count: state.size - BatchLayout.headerBytes)
            let compressed = try compressor.compress(records, codec: codec, level: level)
            if compressed.count < records.count {
                attributes.rawValue |= UInt16(codec.rawValue)
                var batch = ByteBufferAllocator().buffer(capacity: BatchLayout.headerBytes + compressed.count)
                batch.writeRepeatingByte(0, count: BatchLayout.headerBytes)
                batch.writeBytes(compressed)
                sealed = batch
            }
        }
        var batch = sealed ?? takeBuffer()
        RecordBatch.writeHeader(
            RecordBatch.HeaderFields(
                attributes: attributes, lastOffsetDelta: state.count - 1, baseTimestamp: baseTimestamp,
                maxTimestamp: maxTimestamp, producerID: producerID, producerEpoch: epoch, baseSequence: baseSequence,
                recordCount: state.count),
            in: &batch)
        removeAll()
        return batch
    }

    /// The same with a compressor made for this one batch.
    public mutating func seal(
        producerID: ProducerID = .none, epoch: ProducerEpoch = .none, baseSequence: Int32 = -1,
        isTransactional: Bool = false
    ) throws(RecordError) -> ByteBuffer {
        var compressor = Compressor()
        return try seal(
            producerID: producerID, epoch: epoch, baseSequence: baseSequence, isTransactional: isTransactional,
            using: &compressor)
    }

    /// Drops the records; the memory is kept for the next batch unless one record made it larger than the capacity.
    public mutating func removeAll() {
        state.count = 0
        state.size = BatchLayout.headerBytes
        state.limit = min(state.limit, capacity.bytes)
        if state.capacity > Self.roundedUp(capacity.bytes) { releaseBuffer() }
    }

    @inline(__always)
    private mutating func noteTimestamp(_ timestamp: Timestamp) {
        if isEmpty {
            state.base_timestamp = timestamp.milliseconds
            state.max_timestamp = timestamp.milliseconds
        } else if timestamp.milliseconds > state.max_timestamp {
            state.max_timestamp = timestamp.milliseconds
        }
    }

    /// Makes sure of `bytes` more, if the batch may take them.
    @inline(__always)
    private mutating func makeRoom(_ bytes: Int) -> Bool {
        if state.size + bytes <= state.limit { return true }
        return growBuffer(by: bytes)
    }

    @inline(never)
    private mutating func growBuffer(by bytes: Int) -> Bool {
        let needed = uncompressedByteCount + bytes
        guard needed <= capacity.bytes || isEmpty else { return false }
        buffer.moveWriterIndex(to: 0)
        if buffer.capacity == 0 {
            buffer = ByteBufferAllocator().buffer(capacity: max(expectedBytes, needed))
        } else if buffer.capacity < needed {
            buffer.moveWriterIndex(to: state.size)
            buffer.reserveCapacity(needed)
        }
        let memory = buffer.withVeryUnsafeMutableBytes { $0 }
        state.bytes = memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
        state.capacity = memory.count
        state.limit = min(memory.count, max(capacity.bytes, needed))
        return true
    }

    /// The buffer itself, with what was written to it; the builder gets another at its next record.
    private mutating func takeBuffer() -> ByteBuffer {
        var batch = buffer
        batch.moveWriterIndex(to: state.size)
        expectedBytes = min(Self.roundedUp(state.size), capacity.bytes)
        releaseBuffer()
        return batch
    }

    private mutating func releaseBuffer() {
        buffer = ByteBuffer()
        state.bytes = nil
        state.capacity = 0
        state.limit = 0
    }

    private static func roundedUp(_ bytes: Int) -> Int { 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount) }

    @inline(__always)
    private static func writeField(
        _ field: UnsafeRawBufferPointer?, at place: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        guard let field else { return Varint.write(-1, at: place) }
        let start = Varint.write(Int64(field.count), at: place)
        if let bytes = field.baseAddress { start.copyMemory(from: bytes, byteCount: field.count) }
        return start + field.count
    }
}
