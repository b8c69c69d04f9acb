import Base
import Synchronization

/// Events of many tasks for one that handles them, which also wakes when its time has come.
///
/// Unbounded, for what is put in is bounded by what its reader has started: answers, not data.
final class Mailbox<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var reader: CheckedContinuation<Void, Never>?
        /// Counts the waits, so that a late timer wakes no other wait than its own.
        var wait: UInt64 = 0
    }

    private let state = Mutex(State())
    private let time: any TimeSource

    init(time: any TimeSource) { self.time = time }

    func send(_ event: Event) {
        let reader = state.withLock { state in
            state.events.append(event)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// What has come, waiting for something until `deadline`; empty at the deadline.
    func next(until deadline: Instant) async -> [Event] {
        let timer = startTimer(deadline)
        defer { timer?.cancel() }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let wakeAtOnce = state.withLock { state in
                if !state.events.isEmpty || time.now >= deadline { return true }
                precondition(state.reader == nil, "a Mailbox has one reader at a time")
                state.reader = continuation
                return false
            }
            if wakeAtOnce { continuation.resume() }
        }
        return state.withLock { state in
            state.wait += 1
            defer { state.events = [] }
            return state.events
        }
    }

    private func startTimer(_ deadline: Instant) -> Task<Void, Never>? {
        guard deadline != .distantFuture else { return nil }
        let (wait, isNeeded) = state.withLock { ($0.wait, $0.events.isEmpty) }
        guard isNeeded else { return nil }
        let delay = deadline - time.now
        return Task {
            if delay > .zero { try? await Task.sleep(for: delay) }
            guard !Task.isCancelled else { return }
            let reader = self.state.withLock { state in
                guard state.wait == wait else { return nil as CheckedContinuation<Void, Never>? }
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume()
        }
    }
}
