import Base

/// `<base>.index`: where in the segment to start looking for an offset. One entry for about every 4,096 bytes of log.
///
/// ```
/// | relativeOffset u32 | position u32 |   8 bytes, big-endian, ascending
/// ```
///
/// `relativeOffset` is the *last* offset of the batch at `position`, less the segment's base offset, as Kafka writes it; so a search for
/// the greatest entry at or below an offset never lands behind it.
struct OffsetIndexEntry: IndexEntry {
    static let byteCount = 8

    var relativeOffset: UInt32
    var position: UInt32

    init(relativeOffset: UInt32, position: UInt32) {
        self.relativeOffset = relativeOffset
        self.position = position
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        relativeOffset = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
        position = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    }

    func write(to writer: inout BigEndianWriter) {
        writer.write(relativeOffset)
        writer.write(position)
    }
}

typealias OffsetIndex = SegmentIndex<OffsetIndexEntry>
