import Base
import Synchronization

/// Tells, while segments are read after an unclean end, how many of their bytes were, and how long the rest will take at that pace. A start that is
/// over within `interval` says nothing.
final class RecoveryProgress: Sendable {
    static let interval = Duration.seconds(5)

    private struct State: Sendable {
        var opened = 0
        var bytesRead: Int64 = 0
        var nextReport: Instant
    }

    private let partitions: Int
    private let bytes: Int64
    private let shared: LogShared
    private let began: Instant
    private let state: Mutex<State>

    /// - Parameter bytes: of all segments that will be read.
    init(partitions: Int, bytes: Int64, shared: LogShared) {
        self.partitions = partitions
        self.bytes = bytes
        self.shared = shared
        began = shared.time.now
        state = Mutex(State(nextReport: began + Self.interval))
    }

    func opened() { note { $0.opened += 1 } }

    func read(_ count: Int64) { note { $0.bytesRead += count } }

    private func note(_ change: (inout State) -> Void) {
        let now = shared.time.now
        let fact: LogFact? = state.withLock { state in
            change(&state)
            guard now >= state.nextReport else { return nil }
            state.nextReport = now + Self.interval
            // What was repaired is read more than once.
            let read = min(state.bytesRead, bytes)
            let left = read > 0 ? (now - began) * (Double(bytes - read) / Double(read)) : nil
            return .recovering(
                shared.folder.path, opened: state.opened, partitions: partitions, bytesRead: ByteCount(Int(read)),
                bytes: ByteCount(Int(bytes)), left: left)
        }
        if let fact { shared.emit(fact) }
    }
}
