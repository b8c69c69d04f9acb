import Base

/// The distinct numbers of a column chunk by their bits, numbered as they come.
struct NumberDictionary {
    private(set) var values: [UInt64] = []
    /// Open addressing: number + 1, 0 for an empty slot.
    private var slots = [UInt32](repeating: 0, count: 256)

    var count: Int { values.count }

    /// The memory that it takes.
    var byteCount: Int { 8 * values.count + 4 * slots.count }

    /// The number's number.
    mutating func number(of value: UInt64) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.of(value)) & mask
        while slots[slot] != 0 {
            if values[Int(slots[slot] - 1)] == value { return slots[slot] - 1 }
            slot = (slot + 1) & mask
        }
        values.append(value)
        slots[slot] = UInt32(values.count)
        if 2 * values.count > slots.count { rehash() }
        return UInt32(values.count - 1)
    }

    private mutating func rehash() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, value) in values.enumerated() {
            var slot = Int(truncatingIfNeeded: ByteHash.of(value)) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number) + 1
        }
    }
}
