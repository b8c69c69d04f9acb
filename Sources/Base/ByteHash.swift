/// A hash of bytes for tables in memory: quick, and seeded anew in every process, so that whoever writes the bytes can't aim at one
/// slot. Never stored, and nothing that is written depends on it.
public enum ByteHash {
    @usableFromInline static let seed = UInt64.random(in: .min ... .max)

    @inlinable
    public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        guard let base = bytes.baseAddress else { return folded(hash, 0x9e37_79b9_7f4a_7c15) }
        var place = 0
        while place + 8 <= bytes.count {
            hash = folded(hash ^ base.loadUnaligned(fromByteOffset: place, as: UInt64.self), 0x9e37_79b9_7f4a_7c15)
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 | UInt64(base.load(fromByteOffset: place, as: UInt8.self))
            place += 1
        }
        return folded(hash ^ rest, 0xbf58_476d_1ce4_e5b9)
    }

    @inlinable
    public static func of(_ number: UInt64) -> UInt64 { folded(number ^ seed, 0x9e37_79b9_7f4a_7c15) }

    /// Both halves of the product, as wyhash mixes.
    @inlinable
    static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
    }
}
