public import Base
import Synchronization

/// The sign of life of one loop, thread or lane: it beats each time round, and is missed once it has been silent for longer than `silenceMax`.
///
/// A heart that has never beaten counts from when it was made. `/healthz` fails and the service manager's watchdog goes hungry while one is
/// missed, so a loop beats only where it really gets on.
public final class Heartbeat: Sendable {
    public let part: String
    public let silenceMax: Duration
    private let last: Atomic<Int64>

    init(part: String, silenceMax: Duration, now: Instant) {
        self.part = part
        self.silenceMax = silenceMax
        last = Atomic(now.nanoseconds)
    }

    public func beat(now: Instant) { last.store(now.nanoseconds, ordering: .relaxed) }

    /// How long it has been silent, where that is too long.
    public func missed(now: Instant) -> Duration? {
        let silence = now - Instant(nanoseconds: last.load(ordering: .relaxed))
        return silence > silenceMax ? silence : nil
    }
}
