public import Base
import Synchronization

/// A clock that moves only when the test says so.
public final class ManualTime: TimeSource {
    private struct State {
        var now: Instant
        var wallTime: Timestamp
    }

    private let state: Mutex<State>

    public init(now: Instant = .zero, wallTime: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(now: now, wallTime: wallTime))
    }

    public var now: Instant { state.withLock { $0.now } }
    public var wallTime: Timestamp { state.withLock { $0.wallTime } }

    public func advance(by duration: Duration) {
        state.withLock { state in
            state.now = state.now + duration
            state.wallTime = state.wallTime + duration
        }
    }
}
