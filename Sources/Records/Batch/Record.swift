import Base
import NIOCore

/// One record. Its key, value and headers are slices of the batch that it came from, and keep that alive; they are cut when asked
/// for.
public struct Record: Sendable {
    public let offset: Offset
    public let timestamp: Timestamp
    private let payload: ByteBuffer
    private let fields: RecordSequence.Fields

    @inline(__always)
    init(offset: Offset, timestamp: Timestamp, fields: RecordSequence.Fields, payload: ByteBuffer) {
        self.offset = offset
        self.timestamp = timestamp
        self.fields = fields
        self.payload = payload
    }

    public var key: ByteBuffer? { fields.key.slice(of: payload) }
    public var value: ByteBuffer? { fields.value.slice(of: payload) }
    public var headers: RecordHeaders {
        RecordHeaders(count: fields.headerCount, bytes: fields.headers.slice(of: payload)!)
    }
    /// The record as it stands in the batch.
    var bytes: ByteBuffer { fields.record.slice(of: payload)! }
}

/// A record's headers, decoded as they are iterated.
public struct RecordHeaders: Sendable {
    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: ByteBuffer?

        public init(name: String, value: ByteBuffer?) {
            self.name = name
            self.value = value
        }
    }

    public let count: Int
    private let bytes: ByteBuffer

    init(count: Int, bytes: ByteBuffer) {
        self.count = count
        self.bytes = bytes
    }

    public var isEmpty: Bool { count == 0 }

    public func makeIterator() -> Iterator { Iterator(rest: bytes, left: count) }

    /// All headers, in order.
    ///
    /// - Throws: `.corrupt` where they are not what the record's length and count say.
    public func all() throws(RecordError) -> [Header] {
        var (headers, iterator) = ([Header](), makeIterator())
        while let header = try iterator.next() { headers.append(header) }
        return headers
    }

    /// The value of the last header of that name, as Kafka's `lastHeader`; nil where there is none or its value is null.
    public func value(named name: String) throws(RecordError) -> ByteBuffer? {
        var (value, iterator) = (ByteBuffer?.none, makeIterator())
        while let header = try iterator.next() {
            if header.name == name { value = header.value }
        }
        return value
    }

    public struct Iterator: Sendable {
        private var rest: ByteBuffer
        private var left: Int

        init(rest: ByteBuffer, left: Int) {
            self.rest = rest
            self.left = left
        }

        public mutating func next() throws(RecordError) -> Header? {
            guard left > 0 else {
                guard rest.readableBytes == 0 else {
                    throw RecordError(.corrupt, "\(rest.readableBytes) bytes follow a record's last header")
                }
                return nil
            }
            let fields = rest.withUnsafeReadableBytes { bytes -> (name: Field, value: Field, end: Int)? in
                var reader = FieldReader(bytes, at: 0)
                guard let name = reader.field(), name.length >= 0, let value = reader.field() else { return nil }
                return (name, value, reader.position)
            }
            guard let fields else { throw RecordError(.corrupt, "a record's header has a length that can't be true") }
            let name = rest.getString(at: rest.readerIndex + fields.name.start, length: fields.name.length)!
            let value = fields.value.slice(of: rest)
            rest.moveReaderIndex(forwardBy: fields.end)
            left -= 1
            return Header(name: name, value: value)
        }
    }
}
