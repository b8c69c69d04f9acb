import Base

/// The latest offset of each key, for one compaction: an open hash table of fixed entries that holds no keys, only 128 bits of a hash of each whose own
/// key is drawn anew for every process. No two keys of a log are taken for one another by chance, and nobody can choose two that are.
///
/// A table of millions lies far outside the CPU's caches: whoever asks for many keys takes all their hashes first, which sets the memory on its way.
final class CompactionKeys {
    struct Hash {
        fileprivate var low: UInt64
        fileprivate var high: UInt64
    }

    private struct Slot {
        var low: UInt64 = 0
        /// 0 where the slot is free.
        var high: UInt64 = 0
        var offset: Int64 = 0
    }

    private var slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: 1 << 12)
    private(set) var count = 0

    init() { slots.initialize(repeating: Slot()) }

    deinit { slots.deallocate() }

    /// What the table takes, as far as it is filled: at most half of it is.
    var byteCount: Int { 2 * count * MemoryLayout<Slot>.stride }

    func hash(_ key: UnsafeRawBufferPointer) -> Hash {
        var first = Hasher()
        first.combine(bytes: key)
        var second = Hasher()
        second.combine(UInt8(1))
        second.combine(bytes: key)
        let hash = Hash(
            low: UInt64(truncatingIfNeeded: first.finalize()), high: UInt64(truncatingIfNeeded: second.finalize()) | 1)
        CacheLine.prefetch(slots.baseAddress! + place(hash))
        return hash
    }

    /// Notes that the key with this hash was last written at an offset.
    func note(_ hash: Hash, at offset: Offset) {
        if 2 * count >= slots.count { grow() }
        let place = find(hash)
        if slots[place].high == 0 { count += 1 }
        slots[place] = Slot(low: hash.low, high: hash.high, offset: offset.rawValue)
    }

    /// Where the key with this hash was last written, or nil where it was never noted.
    func latest(_ hash: Hash) -> Offset? {
        let slot = slots[find(hash)]
        return slot.high == 0 ? nil : Offset(slot.offset)
    }

    private func place(_ hash: Hash) -> Int { Int(truncatingIfNeeded: hash.low) & (slots.count - 1) }

    /// The slot of the key, or the free one where it belongs.
    private func find(_ hash: Hash) -> Int {
        var place = place(hash)
        while slots[place].high != 0, slots[place].low != hash.low || slots[place].high != hash.high {
            place = (place + 1) & (slots.count - 1)
        }
        return place
    }

    private func grow() {
        let old = slots
        slots = .allocate(capacity: old.count * 4)
        slots.initialize(repeating: Slot())
        for slot in old where slot.high != 0 { slots[find(Hash(low: slot.low, high: slot.high))] = slot }
        old.deallocate()
    }
}
