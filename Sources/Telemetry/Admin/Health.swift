import Synchronization

/// Whether a process is well, as its parts report it. `/healthz` answers 200 while no part is failed; `/readyz` while every part is ready.
public final class Health: Sendable {
    public enum Status: Sendable, Equatable {
        case ready
        /// Alive, yet not serving (loading, catching up), with the reason.
        case notReady(String)
        /// Needs a person, with what to do.
        case failed(String)
    }

    private let parts = Mutex<[String: Status]>([:])

    public init() {}

    public func report(_ part: String, _ status: Status) { parts.withLock { $0[part] = status } }

    public var isHealthy: Bool {
        parts.withLock { parts in
            parts.values.allSatisfy { status in
                if case .failed = status { false } else { true }
            }
        }
    }

    public var isReady: Bool { parts.withLock { parts in parts.values.allSatisfy { $0 == .ready } } }

    /// A line a part: `broker: ready`.
    public var text: String {
        parts.withLock { $0 }.sorted { $0.key < $1.key }
            .map { part, status in
                switch status {
                case .ready: "\(part): ready\n"
                case .notReady(let reason): "\(part): not ready: \(reason)\n"
                case .failed(let reason): "\(part): failed: \(reason)\n"
                }
            }
            .joined()
    }
}
