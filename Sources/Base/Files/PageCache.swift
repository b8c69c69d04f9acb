import CMillrace

/// Whether the kernel holds bytes of a file in memory, so that reading or sending them waits for no disk.
public enum PageCache {
    /// Memory is taken back by pages, but read ahead by far more; one look at each such stretch finds what matters.
    static let stretchBytes = 128 << 10

    /// False where a look found a byte that would have to be read from the disk. True also where it can't be told: a file without a descriptor, a file
    /// system or kernel that knows no such look. It costs a system call for every 128 KiB and one more.
    public static func holds(_ file: any File, position: Int64, byteCount: Int) -> Bool {
        guard byteCount > 0, let descriptor = file.descriptor else { return true }
        var offset = 0
        while offset < byteCount {
            guard holdsByte(descriptor, at: position + Int64(offset)) else { return false }
            offset += stretchBytes
        }
        return holdsByte(descriptor, at: position + Int64(byteCount - 1))
    }

    /// Lets the kernel forget clean bytes of a file, so that the next read of them asks the disk, and reading through a file once does not push out
    /// what others need. A hint: pages that are mapped or not yet written stay.
    public static func drop(_ file: any File, position: Int64, byteCount: Int64) {
        guard byteCount > 0, let descriptor = file.descriptor else { return }
        millrace_drop_from_cache(descriptor, position, byteCount)
    }

    private static func holdsByte(_ descriptor: CInt, at position: Int64) -> Bool {
        millrace_byte_is_cached(descriptor, position) != 0
    }
}
