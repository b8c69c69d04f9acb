/// Reads a record's fields: zig-zag varints as Protocol Buffers and Kafka write them, and lengths checked against what is there.
///
/// Nil stands for "too long, too large, or cut short"; the caller knows what it was reading.
struct FieldReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    var remaining: Int { bytes.count - position }

    @inline(__always)
    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// A varint of at most ten bytes that fits 64 bits.
    @inline(__always)
    mutating func varint64() -> Int64? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        if first < 0x80 {
            position += 1
            return Self.unzigzag(UInt64(first))
        }
        return longVarint()
    }

    private mutating func longVarint() -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var place = position
        while place < bytes.count {
            let byte = bytes[place]
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
    mutating func varint32() -> Int32? { varint64().flatMap(Int32.init(exactly:)) }

    /// A length that may be −1 for "null" and is otherwise there in full; returns where the field begins, or `nullField`.
    @inline(__always)
    mutating func nullableField() -> Range<Int>? {
        guard let length = varint32(), length >= -1 else { return nil }
        guard length >= 0 else { return Self.nullField }
        guard Int(length) <= remaining else { return nil }
        defer { position += Int(length) }
        return position..<position + Int(length)
    }

    static let nullField = -1 ..< -1

    @inline(__always)
    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
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
