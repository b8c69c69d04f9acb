import CMillrace

/// A hint to the CPU.
public enum CacheLine {
    /// Sets the memory at an address on its way, for a read that comes soon: so that many reads of a large table wait at the same time.
    public static func prefetch(_ address: UnsafeRawPointer) { millrace_prefetch(address) }
}
