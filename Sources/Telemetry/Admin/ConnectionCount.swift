import Synchronization

/// How many connections are open, held below a limit.
final class ConnectionCount: Sendable {
    private let count = Mutex(0)

    func enter(atMost limit: Int) -> Bool {
        count.withLock { count in
            if count >= limit { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
