import Base

/// What stands in a spool's segment. Numbers are little-endian.
///
///     segment   | magic 8 | spool id u64 | segment u64 | zero u32 | crc u32 |  frame …
///     frame     | marker u32 | length u32 | crc u32 | received ms i64 | senderBytes u8 | sender … | message … |
///
/// `length` counts from `received` on; the sum (CRC-32C) covers the length and all that it counts. The marker is the lower half of the spool's id, which no
/// sender knows: by it the next frame is found behind bytes that a disk has damaged.
enum SpoolFormat {
    static let magic: [UInt8] = Array("MILLSPL1".utf8)
    static let headerBytes = 32
    static let frameHeaderBytes = 12
    static let bodyHeaderBytes = 9
    static let senderBytesMax = 16
    /// The longest message that any input puts into a spool.
    static let messageBytesMax = ByteCount.mib(1)

    static var frameBytesMax: Int { frameHeaderBytes + bodyHeaderBytes + senderBytesMax + messageBytesMax.bytes }

    // MARK: - Segments

    static func header(spool: UInt64, segment: UInt64) -> [UInt8] {
        var bytes = magic
        append(spool, to: &bytes)
        append(segment, to: &bytes)
        append(UInt32(0), to: &bytes)
        append(CRC32C.checksum(bytes), to: &bytes)
        return bytes
    }

    /// The ids that a header names; nil where it is none.
    static func parse(header bytes: [UInt8]) -> (spool: UInt64, segment: UInt64)? {
        guard bytes.count >= headerBytes, Array(bytes[..<8]) == magic else { return nil }
        return bytes.withUnsafeBytes { bytes in
            let sum: UInt32 = number(bytes, at: headerBytes - 4)
            guard sum == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<(headerBytes - 4)])) else {
                return nil
            }
            return (number(bytes, at: 8), number(bytes, at: 16))
        }
    }

    // MARK: - Frames

    /// Puts one message behind what is to be written.
    static func append(
        received: Timestamp, sender: UnsafeRawBufferPointer, message: UnsafeRawBufferPointer, marker: UInt32,
        to bytes: inout [UInt8]
    ) {
        precondition(sender.count <= senderBytesMax && message.count <= messageBytesMax.bytes)
        let start = bytes.count
        append(marker, to: &bytes)
        append(UInt32(bodyHeaderBytes + sender.count + message.count), to: &bytes)
        append(UInt32(0), to: &bytes)
        append(received.milliseconds, to: &bytes)
        bytes.append(UInt8(sender.count))
        bytes.append(contentsOf: sender)
        bytes.append(contentsOf: message)
        bytes.withUnsafeMutableBytes { bytes in
            let sum = checksum(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            bytes.storeBytes(of: sum.littleEndian, toByteOffset: start + 8, as: UInt32.self)
        }
    }

    /// One message as it stands in a frame. The pointers are those of the bytes that were parsed.
    struct Frame {
        var received: Timestamp
        var sender: UnsafeRawBufferPointer
        var message: UnsafeRawBufferPointer
        var byteCount: Int
    }

    enum Parsed {
        case frame(Frame)
        /// It goes on beyond these bytes; so many are needed.
        case incomplete(bytesNeeded: Int)
        case damaged
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, marker: UInt32) -> Parsed {
        guard bytes.count >= 4 else { return .incomplete(bytesNeeded: frameHeaderBytes) }
        guard number(bytes, at: 0) == marker else { return .damaged }
        guard bytes.count >= frameHeaderBytes else { return .incomplete(bytesNeeded: frameHeaderBytes) }
        let length = Int(number(bytes, at: 4) as UInt32)
        let count = frameHeaderBytes + length
        guard length >= bodyHeaderBytes, count <= frameBytesMax else { return .damaged }
        guard bytes.count >= count else { return .incomplete(bytesNeeded: count) }
        let frame = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        guard number(frame, at: 8) == checksum(frame) else { return .damaged }
        let senderBytes = Int(frame[frameHeaderBytes + 8])
        let senderStart = frameHeaderBytes + bodyHeaderBytes
        guard senderBytes <= senderBytesMax, senderStart + senderBytes <= count else { return .damaged }
        return .frame(
            Frame(
                received: Timestamp(milliseconds: number(frame, at: frameHeaderBytes)),
                sender: UnsafeRawBufferPointer(rebasing: frame[senderStart..<(senderStart + senderBytes)]),
                message: UnsafeRawBufferPointer(rebasing: frame[(senderStart + senderBytes)...]), byteCount: count))
    }

    /// Where the next marker stands behind the first byte; nil where none does.
    static func nextMarker(in bytes: UnsafeRawBufferPointer, marker: UInt32) -> Int? {
        guard bytes.count > 4 else { return nil }
        return (1...(bytes.count - 4)).first { number(bytes, at: $0) == marker }
    }

    private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt32 {
        let length = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[4..<8]))
        return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[frameHeaderBytes...]), continuing: length)
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
    }
}

/// A place in a spool: behind a frame.
///
///     | kind u8 = 4 | version u8 = 1 | name u64 | spool id u64 | segment u64 | offset u64 |
struct SpoolPosition: Hashable, Comparable, Sendable {
    /// Hash of the spool's name in the configuration.
    var name: UInt64
    /// Which spool of that name: one that was deleted and made again is another.
    var spool: UInt64
    var segment: UInt64
    /// Bytes from the segment's beginning, its header included.
    var offset: Int64

    static func < (left: SpoolPosition, right: SpoolPosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }

    init(name: UInt64, spool: UInt64, segment: UInt64, offset: Int64) {
        (self.name, self.spool, self.segment, self.offset) = (name, spool, segment, offset)
    }

    var encoded: StreamPosition {
        var writer = PositionWriter(.spool, capacity: 34)
        writer.write(UInt8(1))
        writer.write(name)
        writer.write(spool)
        writer.write(segment)
        writer.write(offset)
        return StreamPosition(bytes: writer.bytes)
    }

    /// Nil where the bytes are not a spool's position of this version.
    init?(_ position: StreamPosition) {
        guard var reader = PositionReader(position, .spool), reader.read(UInt8.self) == 1,
            let name = reader.read(UInt64.self), let spool = reader.read(UInt64.self),
            let segment = reader.read(UInt64.self), let offset = reader.read(Int64.self)
        else { return nil }
        self.init(name: name, spool: spool, segment: segment, offset: offset)
    }
}
