/// What kind of position the bytes hold; their first byte.
enum PositionKind: UInt8 {
    case file = 1
    case journal = 2
    case pattern = 3
    case spool = 4
}

/// Writes a position's fields, little-endian.
struct PositionWriter {
    private(set) var bytes: [UInt8] = []

    init(_ kind: PositionKind, capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(kind.rawValue)
    }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(tail: some Sequence<UInt8>) { bytes.append(contentsOf: tail) }
}

/// Reads them back; nil where the bytes are too short.
struct PositionReader {
    private var bytes: ArraySlice<UInt8>

    /// Nil for a position of another kind.
    init?(_ position: StreamPosition, _ kind: PositionKind) {
        guard position.bytes.first == kind.rawValue else { return nil }
        bytes = position.bytes.dropFirst()
    }

    mutating func read<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        let size = MemoryLayout<Number>.size
        guard bytes.count >= size else { return nil }
        var number = Number.zero
        withUnsafeMutableBytes(of: &number) { $0.copyBytes(from: bytes.prefix(size)) }
        bytes = bytes.dropFirst(size)
        return Number(littleEndian: number)
    }

    var rest: ArraySlice<UInt8> { bytes }
}
