import Base
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Who makes appends durable: threads in production, the caller itself in a simulation.
public protocol Flusher: Sendable {
    /// Flushes `log`, after every append to it that has returned by now, then calls `then` with the offset below which all is durable. The call
    /// may come on any thread, also before this returns.
    func requestFlush(_ log: PartitionLog, then: @escaping @Sendable (Result<Offset, FileError>) -> Void)
}

/// Flushes on the calling thread, at once.
public struct InlineFlusher: Flusher {
    public init() {}

    public func requestFlush(_ log: PartitionLog, then: @escaping @Sendable (Result<Offset, FileError>) -> Void) {
        then(log.flushed())
    }
}

extension PartitionLog {
    func flushed() -> Result<Offset, FileError> {
        do throws(FileError) { return .success(try flush()) } catch { return .failure(error) }
    }
}

/// Group commit: a few threads that flush the logs for which somebody waits. One flush serves everybody who asked before it began, and while
/// it runs the next group gathers.
public final class FlushGroup: Flusher {
    private typealias Waiter = @Sendable (Result<Offset, FileError>) -> Void

    private struct State {
        /// Logs that somebody waits for and nobody flushes, oldest wish first.
        var queue: [ObjectIdentifier] = []
        var logs: [ObjectIdentifier: PartitionLog] = [:]
        var waiters: [ObjectIdentifier: [Waiter]] = [:]
        /// Logs being flushed now.
        var running: Set<ObjectIdentifier> = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakeups = ThreadSemaphore()
    private let ended = ThreadSemaphore()
    private let threadCount: Int

    /// So many flushes of different logs wait for the disk at the same time (docs/decisions/0015-group-commit-of-many-partitions.md).
    public static let threadsUsual = 8

    /// Starts the threads; they end with `close()`.
    public init(threads: Int = threadsUsual) {
        threadCount = max(1, threads)
        for _ in 0..<threadCount { startThread { [self] in run() } }
    }

    public func requestFlush(_ log: PartitionLog, then: @escaping @Sendable (Result<Offset, FileError>) -> Void) {
        let key = ObjectIdentifier(log)
        let (wakes, isClosed) = state.withLock { state in
            if state.isClosed { return (false, true) }
            state.waiters[key, default: []].append(then)
            state.logs[key] = log
            // Already queued, or queued again when its running flush ends.
            guard state.waiters[key]!.count == 1, !state.running.contains(key) else { return (false, false) }
            state.queue.append(key)
            return (true, false)
        }
        if isClosed { return then(log.flushed()) }
        if wakes { wakeups.signal() }
    }

    /// Lets the waiting flushes finish and ends the threads; later requests are served on the calling thread.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        for _ in 0..<threadCount { wakeups.signal() }
        for _ in 0..<threadCount { ended.wait() }
    }

    private func run() {
        while true {
            wakeups.wait()
            while let (log, waiters) = begin() {
                let result = log.flushed()
                finished(log)
                for waiter in waiters { waiter(result) }
            }
            if state.withLock({ $0.isClosed && $0.queue.isEmpty && $0.running.isEmpty }) {
                // Another thread may still have been busy when it was woken.
                wakeups.signal()
                ended.signal()
                return
            }
        }
    }

    private func begin() -> (PartitionLog, [Waiter])? {
        state.withLock { state in
            guard !state.queue.isEmpty else { return nil }
            let key = state.queue.removeFirst()
            guard let log = state.logs[key], let waiters = state.waiters.removeValue(forKey: key) else { return nil }
            state.running.insert(key)
            return (log, waiters)
        }
    }

    private func finished(_ log: PartitionLog) {
        let key = ObjectIdentifier(log)
        let wakes = state.withLock { state in
            state.running.remove(key)
            if state.waiters[key] == nil {
                state.logs[key] = nil
                return state.isClosed
            }
            state.queue.append(key)
            return true
        }
        if wakes { wakeups.signal() }
    }
}
