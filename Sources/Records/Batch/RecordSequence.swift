import Base
import NIOCore

/// The records of one batch, decoded one at a time; nothing is allocated per record.
///
/// ```
/// length varint | attributes i8 | timestampDelta varlong | offsetDelta varint
///   | keyLength varint, key | valueLength varint, value | headerCount varint, headers
/// ```
public struct RecordSequence: Sendable {
    private let payload: ByteBuffer
    private let header: BatchHeader
    private var position = 0
    private var left: Int

    init(payload: ByteBuffer, header: BatchHeader) {
        self.payload = payload
        self.header = header
        left = Int(header.recordCount)
    }

    /// Records not read yet, as the batch's header counts them.
    public var remainingCount: Int { left }
    /// All records' bytes, after decompression.
    public var decompressedByteCount: Int { payload.readableBytes }

    /// The next record; nil after the last.
    ///
    /// - Throws: `.corrupt` where a length or count can't be true, also where bytes are left after the last record.
    public mutating func next() throws(RecordError) -> Record? {
        try nextFields().map(record)
    }

    /// The next record with its bytes as they stand in the batch, for those who copy it.
    mutating func nextWithBytes() throws(RecordError) -> (record: Record, bytes: ByteBuffer)? {
        guard let fields = try nextFields() else { return nil }
        let bytes = payload.getSlice(at: payload.readerIndex + fields.start, length: fields.end - fields.start)!
        return (record(fields), bytes)
    }

    private func record(_ fields: Fields) -> Record {
        let start = payload.readerIndex
        return Record(
            offset: fields.offset, timestamp: fields.timestamp,
            key: fields.key.lowerBound < 0
                ? nil : payload.getSlice(at: start + fields.key.lowerBound, length: fields.key.count),
            value: fields.value.lowerBound < 0
                ? nil : payload.getSlice(at: start + fields.value.lowerBound, length: fields.value.count),
            headers: RecordHeaders(
                count: fields.headerCount,
                bytes: payload.getSlice(at: start + fields.headers.lowerBound, length: fields.headers.count)!))
    }

    /// A record whose bytes are lent for the time of one call.
    public struct Unsafe {
        public let offset: Offset
        public let timestamp: Timestamp
        public let key: UnsafeRawBufferPointer?
        public let value: UnsafeRawBufferPointer?
        public let headerCount: Int
        /// The headers as they stand in the record, after their count.
        public let headers: UnsafeRawBufferPointer
    }

    /// Hands every record that is left to `body` without touching a reference count: the fastest way through a batch. The
    /// pointers are valid during the call only.
    public mutating func forEachUnsafe(_ body: (Unsafe) throws(RecordError) -> Void) throws(RecordError) {
        var (place, left) = (position, left)
        defer { (position, self.left) = (place, left) }
        try payload.withUnsafeReadableBytes { (bytes) throws(RecordError) -> Void in
            while left > 0 {
                let fields = try Self.parse(bytes, at: place, header: header)
                try body(
                    Unsafe(
                        offset: fields.offset, timestamp: fields.timestamp, key: Self.part(bytes, fields.key),
                        value: Self.part(bytes, fields.value), headerCount: fields.headerCount,
                        headers: Self.part(bytes, fields.headers)!))
                place = fields.end
                left -= 1
            }
        }
        _ = try nextAtEnd(place)
    }

    private mutating func nextFields() throws(RecordError) -> Fields? {
        guard left > 0 else { return try nextAtEnd(position) }
        let place = position
        let fields = try payload.withUnsafeReadableBytes { (bytes) throws(RecordError) -> Fields in
            try Self.parse(bytes, at: place, header: header)
        }
        position = fields.end
        left -= 1
        return fields
    }

    private func nextAtEnd(_ place: Int) throws(RecordError) -> Fields? {
        guard place == payload.readableBytes else {
            throw RecordError(
                .corrupt,
                "the batch at \(header.baseOffset) states \(header.recordCount) records, "
                    + "\(payload.readableBytes - place) bytes follow the last")
        }
        return nil
    }

    struct Fields {
        var start: Int
        var end: Int
        var offset: Offset
        var timestamp: Timestamp
        var key: Range<Int>
        var value: Range<Int>
        var headerCount: Int
        var headers: Range<Int>
    }

    @inline(__always)
    private static func part(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer? {
        range.lowerBound < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    private static func parse(
        _ bytes: UnsafeRawBufferPointer, at start: Int, header: BatchHeader
    ) throws(RecordError) -> Fields {
        var reader = FieldReader(bytes, at: start)
        guard let length = reader.varint32(), length >= BatchLayout.recordBytesMin - 1, Int(length) <= reader.remaining
        else { throw corrupt("length", at: start, header) }
        let end = reader.position + Int(length)
        // Within the record from here on: a field may not reach into the next one.
        reader = FieldReader(UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: reader.position)
        guard reader.byte() != nil, let timestampDelta = reader.varint64() else {
            throw corrupt("timestamp", at: start, header)
        }
        guard let offsetDelta = reader.varint32(), offsetDelta >= 0, offsetDelta <= header.lastOffsetDelta else {
            throw corrupt("offset", at: start, header)
        }
        guard let key = reader.nullableField() else { throw corrupt("key length", at: start, header) }
        guard let value = reader.nullableField() else { throw corrupt("value length", at: start, header) }
        // A header takes at least two bytes: its name's length and its value's.
        guard let headerCount = reader.varint32(), headerCount >= 0, Int(headerCount) <= reader.remaining / 2,
            headerCount > 0 || reader.remaining == 0
        else { throw corrupt("header count", at: start, header) }
        let timestamp =
            switch header.timestampType {
            case .createTime: Timestamp(milliseconds: header.baseTimestamp.milliseconds &+ timestampDelta)
            case .logAppendTime: header.maxTimestamp
            }
        return Fields(
            start: start, end: end, offset: header.baseOffset + Int64(offsetDelta), timestamp: timestamp, key: key,
            value: value, headerCount: Int(headerCount), headers: reader.position..<end)
    }

    private static func corrupt(_ what: String, at position: Int, _ header: BatchHeader) -> RecordError {
        RecordError(
            .corrupt,
            "the batch at \(header.baseOffset) has a record with an impossible \(what), at byte \(position) of its records"
        )
    }
}
