import CMillrace

/// What a process keeps of the memory that it once used.
public enum ProcessMemory {
    /// Sets the allocator up for a small process. To be called before threads are started.
    public static func keepSmall() { millrace_memory_keep_small() }

    /// Gives free memory of the heap back, and the pages of program code that only starting needed: what is run again comes from the page
    /// cache, a hundred or so page faults (0.1 ms).
    public static func giveBack() { millrace_memory_give_back() }
}
