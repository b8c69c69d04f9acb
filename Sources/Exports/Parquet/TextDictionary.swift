import Base

/// The distinct texts of a column chunk, numbered as they come. Its bytes are the dictionary page's: `length u32 | text`, one after
/// the other.
struct TextDictionary {
    private(set) var plain: [UInt8] = []
    /// Where each text's length stands in `plain`.
    private var starts: [UInt32] = []
    private var hashes: [UInt64] = []
    /// Open addressing: number + 1, 0 for an empty slot.
    private var slots = [UInt32](repeating: 0, count: 256)

    var count: Int { starts.count }

    /// The memory that it takes.
    var byteCount: Int { plain.count + 12 * starts.count + 4 * slots.count }

    /// The text's number, and whether it is new.
    mutating func number(of text: UnsafeRawBufferPointer) -> (number: UInt32, isNew: Bool) {
        let hash = ByteHash.of(text)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let number = slots[slot] - 1
            if hashes[Int(number)] == hash, isText(number, text) { return (number, false) }
            slot = (slot + 1) & mask
        }
        slots[slot] = UInt32(starts.count) + 1
        starts.append(UInt32(plain.count))
        hashes.append(hash)
        PlainEncoding.append(text, to: &plain)
        if 2 * starts.count > slots.count { rehash() }
        return (UInt32(starts.count - 1), true)
    }

    func isText(_ number: UInt32, _ text: UnsafeRawBufferPointer) -> Bool {
        let start = Int(starts[Int(number)])
        return plain.withUnsafeBytes { bytes in
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
            guard length == text.count else { return false }
            return ByteComparison.areEqual(
                UnsafeRawBufferPointer(rebasing: bytes[start + 4..<start + 4 + length]), text)
        }
    }

    /// The text as it stands in PLAIN.
    func append(_ number: UInt32, to bytes: inout [UInt8]) {
        let start = Int(starts[Int(number)])
        let end = Int(number) + 1 < starts.count ? Int(starts[Int(number) + 1]) : plain.count
        plain.withUnsafeBytes { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }

    private mutating func rehash() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number) + 1
        }
    }
}
