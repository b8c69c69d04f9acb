import CMillrace

/// CRC-32C (Castagnoli, RFC 3720 §B.4), by the CPU's instruction where it has one. Record batches, intents and every
/// checkpoint that Millrace writes are summed with it.
public enum CRC32C {
    /// The sum of `bytes`, continuing from `seed`: `checksum(a + b) == checksum(b, continuing: checksum(a))`.
    @inlinable
    public static func checksum(_ bytes: UnsafeRawBufferPointer, continuing seed: UInt32 = 0) -> UInt32 {
        millrace_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// The sum of `a + b` from the sums of `a` and of `b`, without either: `joined(checksum(a), checksum(b), secondByteCount: b.count)`.
    public static func joined(_ first: UInt32, _ second: UInt32, secondByteCount: Int) -> UInt32 {
        millrace_crc32c_join(first, second, UInt64(secondByteCount))
    }

    @inlinable
    public static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.withContiguousStorageIfAvailable { checksum(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { checksum($0) }
    }
}
