#if canImport(Glibc)
    import Glibc
#endif

/// A descriptor that one thread makes readable and another waits for.
final class WakePipe: Sendable {
    /// Readable after `signal`, until `quiet`.
    let descriptor: CInt
    private let writeEnd: CInt

    init() {
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe can be made: error \(errno)")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (descriptor, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writeEnd)
    }

    /// A pipe that is full is readable already.
    func signal() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    func quiet() {
        var bytes = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        while read(descriptor, &bytes, 64) > 0 {}
    }

    /// Until it is readable, or so long.
    func wait(_ duration: Duration? = nil) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = duration.map { CInt(clamping: max($0.nanoseconds + 999_999, 0) / 1_000_000) } ?? -1
        while poll(&polled, 1, milliseconds) < 0, errno == EINTR {}
    }
}
