/// Which rows of a page hold a value: definition levels of a flat column, a bit each.
struct DefinitionLevels {
    private var bits: [UInt64] = []
    private(set) var count = 0
    private(set) var nullCount = 0

    mutating func appendValue() {
        if count & 63 == 0 { bits.append(0) }
        bits[count >> 6] |= 1 << UInt64(count & 63)
        count += 1
    }

    mutating func appendNull() {
        if count & 63 == 0 { bits.append(0) }
        count += 1
        nullCount += 1
    }

    /// As a v1 data page begins: `length u32 | hybrid`.
    func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        if nullCount == 0 || nullCount == count {
            HybridEncoding.appendRun(of: nullCount == 0 ? 1 : 0, length: count, width: 1, to: &bytes)
        } else {
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { levels in
                for row in 0..<count {
                    levels[row] = UInt32(truncatingIfNeeded: bits[row >> 6] >> UInt64(row & 63)) & 1
                }
                HybridEncoding.append(UnsafeBufferPointer(levels), width: 1, to: &bytes)
            }
        }
        let length = UInt32(bytes.count - start - 4)
        for byte in 0..<4 { bytes[start + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte)) }
    }

    mutating func removeAll() {
        bits.removeAll(keepingCapacity: true)
        count = 0
        nullCount = 0
    }
}
