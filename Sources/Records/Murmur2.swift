/// The hash by which Kafka's Java client, and so everybody, finds a keyed record's partition (`Utils.murmur2`).
public enum Murmur2 {
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        let mix: UInt32 = 0x5bd1_e995
        var hash = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
        let words = bytes.count & ~3
        for place in stride(from: 0, to: words, by: 4) {
            var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            word &*= mix
            word ^= word >> 24
            word &*= mix
            hash = (hash &* mix) ^ word
        }
        if bytes.count > words {
            for place in words..<bytes.count { hash ^= UInt32(bytes[place]) << (8 * UInt32(place - words)) }
            hash &*= mix
        }
        hash ^= hash >> 13
        hash &*= mix
        hash ^= hash >> 15
        return Int32(bitPattern: hash)
    }

    /// The partition of `count` that a record with this key goes to. `count` must be at least 1.
    public static func partition(key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
        precondition(count > 0, "a topic has at least one partition, not \(count)")
        return (hash(key) & .max) % count
    }

    public static func partition(key: some Collection<UInt8>, count: Int32) -> Int32 {
        key.withContiguousStorageIfAvailable { partition(key: UnsafeRawBufferPointer($0), count: count) }
            ?? Array(key).withUnsafeBytes { partition(key: $0, count: count) }
    }
}
