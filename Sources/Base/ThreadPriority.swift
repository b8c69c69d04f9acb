import CMillrace

/// How the calling thread stands back behind others.
public enum ThreadPriority {
    /// Its reads and writes wait for those of everybody else, where the disk's scheduler heeds that (`ionice -c idle`). For the life of the thread.
    public static func readWhenIdle() { millrace_thread_idle_io() }
}
