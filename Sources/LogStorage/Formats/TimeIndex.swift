import Base

/// `<base>.timeindex`: from which offset on records may be as young as a timestamp.
///
/// ```
/// | timestamp i64 | relativeOffset u32 |   12 bytes, big-endian, ascending in both
/// ```
///
/// An entry says: no record before that offset (base offset + `relativeOffset`) and none in its batch is younger than `timestamp`.
/// The last entry of a sealed segment names its largest timestamp.
struct TimeIndexEntry: IndexEntry {
    static let byteCount = 12

    var timestamp: Int64
    var relativeOffset: UInt32

    init(timestamp: Int64, relativeOffset: UInt32) {
        self.timestamp = timestamp
        self.relativeOffset = relativeOffset
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        timestamp = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        relativeOffset = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }

    func write(to writer: inout BigEndianWriter) {
        writer.write(timestamp)
        writer.write(relativeOffset)
    }
}

typealias TimeIndex = SegmentIndex<TimeIndexEntry>
