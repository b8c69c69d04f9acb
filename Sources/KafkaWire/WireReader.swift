import Base
import NIOCore

/// Reads the primitives of the Kafka protocol from bytes that a peer sent, and believes none of them.
///
/// Every length is checked against the bytes that remain before anything is allocated. An array's count is checked against
/// the least bytes that so many elements take in that version, and the memory that elements will take is drawn from
/// `heapBytesMax`, so a small request can't grow into a large one: all arrays of a message together take at most 16 times
/// its bytes, or 1 MiB; strings, which stand in them or beside them, at most four times theirs.
///
/// `bytes` and `records` are slices: they share, and keep alive, the memory of the buffer that was read.
public struct WireReader: Sendable {
    /// What memory a message's arrays may take, per byte of it. Full messages of short strings need at most nine.
    public static let heapBytesPerWireByte = 16
    /// What any message may take, however short.
    public static let heapBytesFloor = 1 << 20

    public private(set) var buffer: ByteBuffer
    private var heapBytesLeft: Int

    /// - Parameter heapBytesMax: limits the memory of arrays that are decoded; by default it follows from the bytes' count.
    public init(_ buffer: ByteBuffer, heapBytesMax: Int? = nil) {
        self.buffer = buffer
        heapBytesLeft =
            heapBytesMax ?? max(Self.heapBytesFloor, Self.heapBytesPerWireByte * buffer.readableBytes)
    }

    /// Bytes not read yet.
    @inlinable public var remaining: Int { buffer.readableBytes }
    @inlinable public var isAtEnd: Bool { buffer.readableBytes == 0 }
    /// The index of the next byte in `buffer`.
    @inlinable public var position: Int { buffer.readerIndex }

    // MARK: Numbers

    private mutating func readInteger<Number: FixedWidthInteger>(_: Number.Type) throws(WireError) -> Number {
        guard let value = buffer.readInteger(as: Number.self) else { throw truncated(MemoryLayout<Number>.size) }
        return value
    }

    public mutating func readInt8() throws(WireError) -> Int8 { try readInteger(Int8.self) }
    public mutating func readInt16() throws(WireError) -> Int16 { try readInteger(Int16.self) }
    public mutating func readInt32() throws(WireError) -> Int32 { try readInteger(Int32.self) }
    public mutating func readInt64() throws(WireError) -> Int64 { try readInteger(Int64.self) }
    public mutating func readUInt16() throws(WireError) -> UInt16 { try readInteger(UInt16.self) }
    public mutating func readUInt32() throws(WireError) -> UInt32 { try readInteger(UInt32.self) }
    /// Any byte but zero is true, as in Kafka.
    public mutating func readBool() throws(WireError) -> Bool { try readInteger(UInt8.self) != 0 }
    public mutating func readFloat64() throws(WireError) -> Double {
        Double(bitPattern: try readInteger(UInt64.self))
    }
    public mutating func readErrorCode() throws(WireError) -> ErrorCode {
        ErrorCode(rawValue: try readInteger(Int16.self))
    }
    public mutating func readUUID() throws(WireError) -> KafkaUUID {
        let high = try readInteger(UInt64.self)
        return KafkaUUID(high: high, low: try readInteger(UInt64.self))
    }

    /// Seven bits a byte, the lowest first; at most five bytes.
    public mutating func readUnsignedVarint() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: 0 as UInt32, through: 28, by: 7) {
            let byte = try readInteger(UInt8.self)
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard shift < 28 || byte <= 0x0f else { break }
                return value
            }
        }
        throw WireError.malformed("a varint that exceeds bits:", 32, at: position)
    }

    // MARK: Lengths

    /// A length that is followed by so many bytes; nil is null.
    private mutating func readByteLength(_ flexible: Bool, short: Bool) throws(WireError) -> Int? {
        let length: Int
        if flexible {
            length = Int(try readUnsignedVarint()) - 1
        } else if short {
            length = Int(try readInteger(Int16.self))
        } else {
            length = Int(try readInteger(Int32.self))
        }
        if length < 0 {
            guard length == -1 else { throw WireError.malformed("negative length", length, at: position) }
            return nil
        }
        guard length <= remaining else { throw truncated(length) }
        // A compact string could say more than a plain one; Kafka refuses that too.
        guard !short || length <= Int(Int16.max) else {
            throw WireError.malformed("a string of more than 32767 bytes:", length, at: position)
        }
        return length
    }

    /// A count of elements that each take at least `elementBytesMin` bytes; nil is null.
    mutating func readArrayCount(_ flexible: Bool, elementBytesMin: Int, stride: Int) throws(WireError) -> Int? {
        let count = flexible ? Int(try readUnsignedVarint()) - 1 : Int(try readInteger(Int32.self))
        if count <= 0 {
            guard count >= -1 else { throw WireError.malformed("negative count", count, at: position) }
            return count == 0 ? 0 : nil
        }
        guard count <= remaining / elementBytesMin else { throw truncated(count * elementBytesMin) }
        // An array's own header takes memory too.
        let heapBytes = 32 + count * stride
        guard heapBytes <= heapBytesLeft else { throw heapLimit(heapBytes) }
        heapBytesLeft -= heapBytes
        return count
    }

    // MARK: Strings and bytes

    /// Invalid UTF-8 is repaired with U+FFFD, as Kafka does.
    public mutating func readString(_ flexible: Bool) throws(WireError) -> String {
        guard let length = try readByteLength(flexible, short: true) else { throw unexpectedNull() }
        return takeString(length)
    }

    public mutating func readNullableString(_ flexible: Bool, nullable: Bool = true) throws(WireError) -> String? {
        guard let length = try readByteLength(flexible, short: true) else {
            if nullable { return nil }
            throw unexpectedNull()
        }
        return takeString(length)
    }

    private mutating func takeString(_ length: Int) -> String {
        guard let text = buffer.readString(length: length) else { preconditionFailure("length was checked") }
        return text
    }

    public mutating func readBytes(_ flexible: Bool) throws(WireError) -> ByteBuffer {
        guard let length = try readByteLength(flexible, short: false) else { throw unexpectedNull() }
        return takeSlice(length)
    }

    public mutating func readNullableBytes(_ flexible: Bool, nullable: Bool = true) throws(WireError) -> ByteBuffer? {
        guard let length = try readByteLength(flexible, short: false) else {
            if nullable { return nil }
            throw unexpectedNull()
        }
        return takeSlice(length)
    }

    /// Records as they may come back in a response: always at hand.
    public mutating func readRecords(_ flexible: Bool, nullable: Bool = true) throws(WireError) -> WireRecords? {
        guard let bytes = try readNullableBytes(flexible, nullable: nullable) else { return nil }
        return .bytes(bytes)
    }

    private mutating func takeSlice(_ length: Int) -> ByteBuffer {
        guard let slice = buffer.readSlice(length: length) else { preconditionFailure("length was checked") }
        return slice
    }

    /// The next `length` bytes as they are.
    public mutating func readSlice(length: Int) throws(WireError) -> ByteBuffer {
        guard length >= 0, let slice = buffer.readSlice(length: length) else { throw truncated(length) }
        return slice
    }

    // MARK: Errors

    @inline(never)
    private func truncated(_ needed: Int) -> WireError {
        WireError.truncated(needed: needed, remaining: remaining, at: position)
    }

    @inline(never)
    private func unexpectedNull() -> WireError { WireError.unexpectedNull(at: position) }

    @inline(never)
    private func heapLimit(_ heapBytes: Int) -> WireError {
        WireError(
            .heapLimit,
            "at byte \(position): an array that takes \(heapBytes) bytes, of which \(heapBytesLeft) are left")
    }
}
