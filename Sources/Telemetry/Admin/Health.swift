public import Base
import Synchronization

/// Whether a process is well, as its parts report it.
///
/// `/healthz` answers 200 while no part is failed and no heartbeat is missed: else the process needs a person, or a restart. `/readyz` answers
/// 200 while besides every part is ready: it does its work now.
public final class Health: Sendable {
    public enum Status: Sendable, Equatable {
        case ready
        /// Alive, yet not doing its work (loading, waiting for another), with the reason.
        case notReady(String)
        /// Needs a person, with what to do.
        case failed(String)
    }

    private struct State {
        var parts: [String: Status] = [:]
        var hearts: [ObjectIdentifier: Heartbeat] = [:]
        var isStarted = false
    }

    private let state = Mutex(State())
    private let time: any TimeSource

    public init(time: any TimeSource = SystemTime()) { self.time = time }

    public func report(_ part: String, _ status: Status) { state.withLock { $0.parts[part] = status } }

    /// Forgets a part, when what it stood for has ended as it should.
    public func forget(_ part: String) { state.withLock { $0.parts[part] = nil } }

    /// A new heart that is watched from now on.
    public func heartbeat(_ part: String, silenceMax: Duration) -> Heartbeat {
        let heart = Heartbeat(part: part, silenceMax: silenceMax, now: time.now)
        state.withLock { $0.hearts[ObjectIdentifier(heart)] = heart }
        return heart
    }

    /// Forgets a heart whose loop has ended as it should.
    public func stopWatching(_ heart: Heartbeat) { state.withLock { $0.hearts[ObjectIdentifier(heart)] = nil } }

    /// The process has everything that it needs of its own (configuration, locks, recovered logs, listeners), though it may still wait for others.
    /// What `READY=1` tells the service manager: a host whose broker is down must be able to finish booting.
    public func started() { state.withLock { $0.isStarted = true } }

    public var isStarted: Bool { state.withLock { $0.isStarted } }

    /// Hearts that are missed, in words; empty where all beat.
    public var missed: [String] {
        let now = time.now
        return state.withLock { Array($0.hearts.values) }
            .compactMap { heart in
                heart.missed(now: now).map { "\(heart.part) has not moved for \($0.nanoseconds / 1_000_000_000) s" }
            }
            .sorted()
    }

    public var isHealthy: Bool {
        let isFailed = state.withLock { state in
            state.parts.values.contains { status in
                if case .failed = status { true } else { false }
            }
        }
        return !isFailed && missed.isEmpty
    }

    public var isReady: Bool {
        state.withLock { state in state.parts.values.allSatisfy { $0 == .ready } } && missed.isEmpty
    }

    /// A line a part: `broker: ready`.
    public var text: String {
        let lines = state.withLock { $0.parts }.sorted { $0.key < $1.key }
            .map { part, status in
                switch status {
                case .ready: "\(part): ready\n"
                case .notReady(let reason): "\(part): not ready: \(reason)\n"
                case .failed(let reason): "\(part): failed: \(reason)\n"
                }
            }
        return (lines + missed.map { "stuck: \($0)\n" }).joined()
    }

    /// One line for the service manager's status: `ready`, or what stands in the way.
    public var summary: String {
        let parts = state.withLock { $0.parts }.sorted { $0.key < $1.key }
        let troubles = parts.compactMap { part, status -> String? in
            switch status {
            case .ready: nil
            case .notReady(let reason): "\(part): \(reason)"
            case .failed(let reason): "\(part) failed: \(reason)"
            }
        }
        let all = missed + troubles
        return all.isEmpty ? "ready" : String(all.joined(separator: "; ").prefix(400))
    }
}
