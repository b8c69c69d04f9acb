import Base
import Telemetry

/// Whether lines really flow: what the agent tells `/readyz`, and whether it may tell the watchdog that it lives. Used by the agent's thread alone.
final class AgentCondition {
    /// The loop comes round at least every status interval; a disk that takes longer than this has stopped.
    static let loopSilenceMax = Duration.seconds(120)
    /// With batches on their way something is heard from the network far more often than this, if only that it failed. Otherwise the process
    /// itself hangs, and a new one helps.
    static let answerSilenceMax = Duration.seconds(300)
    /// A healthy broker acknowledges within this.
    static let acknowledgementMax = Duration.seconds(60)
    static let troubledMax = 256

    var lastError: String?
    private var troubled: [String: String] = [:]
    private var pending = 0
    private var isStalled = false
    /// When something was heard last while batches waited, or nothing waited.
    private var answeredAt: Instant
    private var acknowledgedAt: Instant

    init(now: Instant) {
        answeredAt = now
        acknowledgedAt = now
    }

    func answered(now: Instant) { answeredAt = now }

    func acknowledged(now: Instant) { acknowledgedAt = now }

    func told(_ event: InputEvent) {
        switch event {
        case .trouble(let source, let detail):
            if troubled.count < Self.troubledMax || troubled[source] != nil { troubled[source] = detail }
        case .recovered(let source): troubled[source] = nil
        case .retired, .positioned, .lineCut, .lineSkipped, .nulBytesSkipped, .lineUnterminated, .truncated, .gap,
            .relieved:
            break
        }
    }

    func turned(pending: Int, isStalled: Bool, now: Instant) {
        // From nothing to something: the wait for an answer begins now.
        if self.pending == 0 {
            answeredAt = now
            acknowledgedAt = now
        }
        self.pending = pending
        self.isStalled = isStalled
    }

    /// Whether anything moves, or nothing waits.
    func flows(now: Instant) -> Bool { pending == 0 || now - answeredAt <= Self.answerSilenceMax }

    /// - Parameter troubles: what the client tries again (`KafkaCluster.troubles`).
    func status(troubles: [String], now: Instant) -> Health.Status {
        let wait = now - acknowledgedAt
        if pending > 0, wait > Self.acknowledgementMax {
            return .notReady(
                "nothing was acknowledged for \(wait.nanoseconds / 1_000_000_000) s while \(pending) batches wait"
                    + ((troubles.first ?? lastError).map { ": \($0)" } ?? ""))
        }
        if !troubles.isEmpty { return .notReady(troubles.joined(separator: "; ")) }
        if isStalled { return .notReady("the intent log is full: \(pending) batches wait for the broker") }
        if let first = troubled.min(by: { $0.key < $1.key }) {
            return .notReady("\(troubled.count) sources can't be read, such as \(first.key): \(first.value)")
        }
        return .ready
    }
}
