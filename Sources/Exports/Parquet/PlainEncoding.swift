/// Parquet's PLAIN: numbers in little-endian order, texts after their length.
enum PlainEncoding {
    static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text)
    }

    @inline(__always)
    static func append(_ bits: UInt64, width: Int, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: bits.littleEndian) {
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<width]))
        }
    }
}

/// Booleans in PLAIN: a bit each, the lowest first.
struct BitEncoding {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    mutating func append(_ bit: Bool) {
        if count & 7 == 0 { bytes.append(0) }
        if bit { bytes[count >> 3] |= 1 << UInt8(count & 7) }
        count += 1
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
    }
}
