import Synchronization

/// Runs changes one after another, in the order they were asked for, so that none sees another half done.
final class ChangeQueue: Sendable {
    private struct State {
        var last: Task<Void, Never>?
        var waiting = 0
    }

    private let state = Mutex(State())
    let waitingMax: Int

    init(waitingMax: Int = 1000) { self.waitingMax = waitingMax }

    /// The change's result; nil, and nothing happens, where too many wait.
    func run<Value: Sendable>(_ change: @escaping @Sendable () async -> Value) async -> Value? {
        let task = state.withLock { state -> Task<Value, Never>? in
            guard state.waiting < waitingMax else { return nil }
            state.waiting += 1
            let previous = state.last
            let task = Task {
                await previous?.value
                return await change()
            }
            state.last = Task { _ = await task.value }
            return task
        }
        guard let task else { return nil }
        let value = await task.value
        state.withLock { $0.waiting -= 1 }
        return value
    }
}
