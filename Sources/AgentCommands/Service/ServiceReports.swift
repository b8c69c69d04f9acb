import Base

/// What the service manager is told and when: a machine of its own, so that tests can walk through a service's life.
///
/// Started → `READY=1`. While it starts, `EXTEND_TIMEOUT_USEC=`: recovering large logs takes its time. While every heart beats, `WATCHDOG=1`; with
/// one missed the manager hears nothing more, kills the process and starts it anew. A status is sent when its text changes.
struct ServiceReports {
    private enum Phase: Equatable { case starting, running, reloading, stopping }

    private var phase = Phase.starting
    private var status = ""
    private var isHungrySaid = false

    /// How much longer a start may take than now, each time it is asked for.
    static let startExtension = Duration.seconds(60)

    struct Now {
        var isStarted: Bool
        var missed: [String]
        var summary: String
        var monotonic: Instant
    }

    /// Called some times within each watchdog interval; returns the lines to send, and what to log.
    mutating func ticked(_ now: Now) -> (lines: [String], alarm: String?) {
        var lines: [String] = []
        switch phase {
        case .starting where now.isStarted:
            phase = .running
            lines.append("READY=1")
        case .starting: lines.append("EXTEND_TIMEOUT_USEC=\(Self.startExtension.nanoseconds / 1000)")
        case .running, .reloading, .stopping: break
        }
        if now.missed.isEmpty {
            lines.append("WATCHDOG=1")
        }
        if now.summary != status, phase != .stopping {
            status = now.summary
            lines.append(ServiceManager.status(status))
        }
        var alarm: String?
        if !now.missed.isEmpty, !isHungrySaid { alarm = now.missed.joined(separator: "; ") }
        isHungrySaid = !now.missed.isEmpty
        return (lines, alarm)
    }

    /// The configuration is read again (`MONOTONIC_USEC` is what systemd 253 and later want beside it).
    mutating func reloadBegan(monotonic: Instant) -> [String] {
        guard phase == .running else { return [] }
        phase = .reloading
        return ["RELOADING=1", "MONOTONIC_USEC=\(monotonic.nanoseconds / 1000)"]
    }

    mutating func reloadEnded() -> [String] {
        guard phase == .reloading else { return [] }
        phase = .running
        return ["READY=1"]
    }

    mutating func stopBegan() -> [String] {
        guard phase != .stopping else { return [] }
        phase = .stopping
        return ["STOPPING=1", ServiceManager.status("stopping")]
    }
}
