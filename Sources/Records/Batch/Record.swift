import Base
import NIOCore

/// One record; its key, value and headers are slices of the batch that it came from, and keep that alive.
public struct Record: Sendable {
    public var offset: Offset
    public var timestamp: Timestamp
    public var key: ByteBuffer?
    public var value: ByteBuffer?
    public var headers: RecordHeaders
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
            let fields = rest.withUnsafeReadableBytes { bytes -> (name: Range<Int>, value: Range<Int>, end: Int)? in
                var reader = FieldReader(bytes, at: 0)
                guard let name = reader.nullableField(), name.lowerBound >= 0, let value = reader.nullableField()
                else { return nil }
                return (name, value, reader.position)
            }
            guard let fields else { throw RecordError(.corrupt, "a record's header has a length that can't be true") }
            let start = rest.readerIndex
            let name = rest.getString(at: start + fields.name.lowerBound, length: fields.name.count)!
            let value =
                fields.value.lowerBound < 0
                ? nil : rest.getSlice(at: start + fields.value.lowerBound, length: fields.value.count)
            rest.moveReaderIndex(forwardBy: fields.end)
            left -= 1
            return Header(name: name, value: value)
        }
    }
}
