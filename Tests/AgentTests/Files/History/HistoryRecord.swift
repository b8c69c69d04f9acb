import Base

@testable import Agent

/// When the agent lived, when it could take nothing, and what it told: what decides whether a loss can be blamed on it.
final class HistoryRecord {
    private(set) var starts: [Instant] = []
    private(set) var ends: [Instant] = []
    private var stalls: [(from: Instant, to: Instant)] = []
    private var stalledSince: Instant?
    private(set) var events: [(at: Instant, event: InputEvent)] = []

    func started(at now: Instant) { starts.append(now) }

    func ended(at now: Instant) {
        ends.append(now)
        stalled(false, at: now)
    }

    func stalled(_ isStalled: Bool, at now: Instant) {
        if isStalled, stalledSince == nil { stalledSince = now }
        if !isStalled, let since = stalledSince {
            stalls.append((since, now))
            stalledSince = nil
        }
    }

    func heard(_ event: InputEvent, at now: Instant) { events.append((now, event)) }

    /// The start of the life that was under way; nil where there was none.
    func aliveSince(_ moment: Instant) -> Instant? {
        guard let start = starts.last(where: { $0 <= moment }) else { return nil }
        return ends.contains { $0 >= start && $0 <= moment } ? nil : start
    }

    func endedBetween(_ from: Instant, _ to: Instant) -> Bool { ends.contains { $0 >= from && $0 <= to } }

    func stalledBetween(_ from: Instant, _ to: Instant) -> Bool {
        stalls.contains { $0.from <= to && $0.to >= from } || (stalledSince.map { $0 <= to } ?? false)
    }

    /// `slack` after `from`, not counting time in which nothing could be taken.
    func settled(after from: Instant, slack: Duration) -> Instant {
        var until = from + slack
        for stall in stalls.sorted(by: { $0.from < $1.from }) where stall.from <= until && stall.to >= from {
            until = max(until, stall.to + slack)
        }
        return until
    }
}
