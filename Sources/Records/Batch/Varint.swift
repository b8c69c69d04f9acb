import NIOCore

/// Reads a record's fields: zig-zag varints as Protocol Buffers and Kafka write them, and lengths checked against what is there.
///
/// Nil stands for "too long, too large, or cut short"; the caller knows what it was reading.
struct FieldReader {
    private let base: UnsafeRawPointer
    private(set) var position: Int
    private var end: Int

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        // Nothing is read through it where there are no bytes.
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        self.position = position
        end = bytes.count
    }

    var remaining: Int { end - position }

    /// Nothing beyond the next `count` bytes, which must be there, can be read from here on.
    @inline(__always)
    mutating func limit(to count: Int) { end = position + count }

    @inline(__always)
    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        defer { position += 1 }
        return base.load(fromByteOffset: position, as: UInt8.self)
    }

    /// A varint of at most ten bytes that fits 64 bits. Most take one or two.
    @inline(__always)
    mutating func varint64() -> Int64? {
        guard position < end else { return nil }
        let first = base.load(fromByteOffset: position, as: UInt8.self)
        if first < 0x80 {
            position += 1
            return Self.unzigzag(UInt64(first))
        }
        if position + 1 < end, case let second = base.load(fromByteOffset: position + 1, as: UInt8.self), second < 0x80
        {
            position += 2
            return Self.unzigzag(UInt64(first & 0x7f) | UInt64(second) << 7)
        }
        return longVarint()
    }

    @inline(never)
    private mutating func longVarint() -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var place = position
        while place < end {
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            place += 1
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                position = place
                return Self.unzigzag(value)
            }
            shift += 7
        }
        return nil
    }

    /// A varint whose value fits 32 bits.
    @inline(__always)
    mutating func varint32() -> Int32? {
        guard let value = varint64() else { return nil }
        return Int32(exactly: value)
    }

    /// A key, a value or a part of a header: it may be null, and is otherwise there in full.
    @inline(__always)
    mutating func field() -> Field? {
        guard let length = varint32(), length >= -1 else { return nil }
        guard length >= 0 else { return .null }
        guard Int(length) <= remaining else { return nil }
        defer { position += Int(length) }
        return Field(start: position, length: Int(length))
    }

    @inline(__always)
    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

/// Where a field's bytes stand. Length −1 is null.
struct Field: Sendable {
    var start: Int
    var length: Int

    static let null = Field(start: 0, length: -1)

    @inline(__always)
    func slice(of bytes: ByteBuffer) -> ByteBuffer? {
        length < 0 ? nil : bytes.getSlice(at: bytes.readerIndex + start, length: length)
    }

    @inline(__always)
    func part(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        length < 0 ? nil : UnsafeRawBufferPointer(start: bytes.baseAddress! + start, count: length)
    }
}

/// Writes zig-zag varints; the caller has made sure of the room.
enum Varint {
    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    /// The bytes that `value` takes: one to ten.
    @inline(__always)
    static func byteCount(_ value: Int64) -> Int {
        // Seven bits a byte: ⌈bits / 7⌉, and one byte for zero.
        (70 - (zigzag(value) | 1).leadingZeroBitCount) / 7
    }

    /// Writes `value` at `place` and returns the place after it.
    @inline(__always)
    static func write(_ value: Int64, at place: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var rest = zigzag(value)
        var place = place
        while rest >= 0x80 {
            place.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            place += 1
            rest >>= 7
        }
        place.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        return place + 1
    }
}
