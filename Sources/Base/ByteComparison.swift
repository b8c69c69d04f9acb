#if canImport(Glibc)
    import Glibc
#endif

/// Bytes by their unsigned values: as UTF-8 sorts, and as Parquet compares strings.
public enum ByteComparison {
    public static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0, let one = left.baseAddress, let other = right.baseAddress else { return true }
        return memcmp(one, other, left.count) == 0
    }

    /// True where `left` sorts before `right`.
    public static func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let common = min(left.count, right.count)
        guard common > 0, let one = left.baseAddress, let other = right.baseAddress else {
            return left.count < right.count
        }
        let order = memcmp(one, other, common)
        return order == 0 ? left.count < right.count : order < 0
    }
}
