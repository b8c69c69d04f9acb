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
        guard left > 0 else {
            try checkEnd(position)
            return nil
        }
        let place = position
        let fields = try payload.withUnsafeReadableBytes { (bytes) throws(RecordError) -> Fields in
            try Self.parse(bytes, at: place, header: header)
        }
        position = fields.end
        left -= 1
        return Record(
            offset: header.baseOffset + Int64(fields.offsetDelta), timestamp: timestamp(fields), fields: fields,
            payload: payload)
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
        /// All of it, its length before it.
        public let bytes: UnsafeRawBufferPointer
    }

    /// Hands every record that is left to `body` without touching a reference count: the fastest way through a batch. The
    /// pointers are valid during the call only.
    public mutating func forEachUnsafe(_ body: (Unsafe) throws(RecordError) -> Void) throws(RecordError) {
        var (place, left) = (position, left)
        defer { (position, self.left) = (place, left) }
        try payload.withUnsafeReadableBytes { (bytes) throws(RecordError) -> Void in
            while left > 0 {
                let fields = try Self.parse(bytes, at: place, header: header)
                place = fields.end
                left -= 1
                try body(
                    Unsafe(
                        offset: header.baseOffset + Int64(fields.offsetDelta), timestamp: timestamp(fields),
                        key: fields.key.part(of: bytes), value: fields.value.part(of: bytes),
                        headerCount: fields.headerCount, headers: fields.headers.part(of: bytes)!,
                        bytes: fields.record.part(of: bytes)!))
            }
        }
        try checkEnd(place)
    }

    private func checkEnd(_ place: Int) throws(RecordError) {
        guard place == payload.readableBytes else {
            throw RecordError(
                .corrupt,
                "the batch at \(header.baseOffset) states \(header.recordCount) records, "
                    + "\(payload.readableBytes - place) bytes follow the last")
        }
    }

    @inline(__always)
    private func timestamp(_ fields: Fields) -> Timestamp {
        switch header.timestampType {
        case .createTime: Timestamp(milliseconds: header.baseTimestamp.milliseconds &+ fields.timestampDelta)
        case .logAppendTime: header.maxTimestamp
        }
    }

    struct Fields: Sendable {
        var record: Field
        var timestampDelta: Int64
        var offsetDelta: Int32
        var key: Field
        var value: Field
        var headerCount: Int
        var headers: Field

        var end: Int { record.start + record.length }
    }

    @inline(__always)
    private static func parse(
        _ bytes: UnsafeRawBufferPointer, at start: Int, header: BatchHeader
    ) throws(RecordError) -> Fields {
        var reader = FieldReader(bytes, at: start)
        guard let length = reader.varint32(), length >= BatchLayout.recordBytesMin - 1, Int(length) <= reader.remaining
        else { throw corrupt("length", at: start, header) }
        // Within the record from here on: a field may not reach into the next one.
        reader.limit(to: Int(length))
        guard reader.byte() != nil, let timestampDelta = reader.varint64() else {
            throw corrupt("timestamp", at: start, header)
        }
        guard let offsetDelta = reader.varint32(), offsetDelta >= 0, offsetDelta <= header.lastOffsetDelta else {
            throw corrupt("offset", at: start, header)
        }
        guard let key = reader.field() else { throw corrupt("key length", at: start, header) }
        guard let value = reader.field() else { throw corrupt("value length", at: start, header) }
        // A header takes at least two bytes: its name's length and its value's.
        guard let headerCount = reader.varint32(), headerCount >= 0, Int(headerCount) <= reader.remaining / 2,
            headerCount > 0 || reader.remaining == 0
        else { throw corrupt("header count", at: start, header) }
        return Fields(
            record: Field(start: start, length: reader.position + reader.remaining - start),
            timestampDelta: timestampDelta, offsetDelta: offsetDelta, key: key, value: value,
            headerCount: Int(headerCount), headers: Field(start: reader.position, length: reader.remaining))
    }

    @inline(never)
    private static func corrupt(_ what: String, at position: Int, _ header: BatchHeader) -> RecordError {
        RecordError(
            .corrupt,
            "the batch at \(header.baseOffset) has a record with an impossible \(what), at byte \(position) of its records"
        )
    }
}
