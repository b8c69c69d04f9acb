import Base
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A thread of its own for work that blocks on disks; ends when the work does.
enum LoopThread {
    static func start(_ body: sending @escaping () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        precondition(result == 0, "no thread can be made: error \(result)")
        pthread_detach(thread)
    }

    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
}

/// What other threads leave for the loop, and the pipe that wakes it. Bounded by what the loop itself has asked for.
final class LoopMailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let readEnd: CInt
    private let writeEnd: CInt

    init() {
        var ends: [CInt] = [0, 0]
        precondition(pipe(&ends) == 0, "no pipe can be made: error \(errno)")
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func post(_ message: Message) {
        let isFirst = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        guard isFirst else { return }
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits for a message, one of the descriptors, or the time; returns the messages.
    func wait(for duration: Duration, or descriptors: [CInt]) -> [Message] {
        let milliseconds = CInt(clamping: min(max((duration.nanoseconds + 999_999) / 1_000_000, 0), 3_600_000))
        var polled = ([readEnd] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&polled, nfds_t(polled.count), milliseconds)
        return take()
    }

    func take() -> [Message] {
        // The pipe is emptied under the lock: a byte that comes later belongs to a message that comes later.
        messages.withLock { messages in
            var bytes: UInt64 = 0
            while read(readEnd, &bytes, 8) > 0 {}
            defer { messages = [] }
            return messages
        }
    }
}
