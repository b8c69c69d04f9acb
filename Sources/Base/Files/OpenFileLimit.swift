#if canImport(Glibc)
    import Glibc
#endif

/// How many files and sockets this process may have open at a time (`RLIMIT_NOFILE`).
public enum OpenFileLimit {
    /// Raises the limit as far as the process may itself, which a shell or an old init often leaves at 1,024, and returns what it is then.
    @discardableResult
    public static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
