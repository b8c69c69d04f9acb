import Base

/// Whether a system elsewhere is asked just now: what the partitions of a sink share, so that one that is dead costs a process one try at a time, not one for
/// each partition.
final class DeliveryGate {
    enum State {
        case open
        case closed(until: Instant, tries: Int, reason: String)
    }

    private(set) var state = State.open

    /// Why it isn't asked; nil where nothing is the matter.
    var reason: String? {
        if case .closed(_, _, let reason) = state { return reason }
        return nil
    }

    /// True where it may be asked: it worked the last time, or it is time for another try.
    func isOpen(now: Instant) -> Bool {
        if case .closed(let until, _, _) = state { return now >= until }
        return true
    }

    /// A try failed in a way that passes. The next one is made later each time.
    /// - Returns: true where it is the first of a trouble.
    func failed(_ failure: DeliveryFailure, now: Instant) -> Bool {
        var tries = 0
        if case .closed(_, let before, _) = state { tries = before }
        let pause = failure.pause ?? DeliverySettings.pause * (1 << min(tries, 7))
        state = .closed(
            until: now + min(pause, DeliverySettings.pauseMax), tries: tries + 1, reason: failure.description)
        return tries == 0
    }

    /// - Returns: how many tries had failed before.
    func worked() -> Int {
        defer { state = .open }
        if case .closed(_, let tries, _) = state { return tries }
        return 0
    }
}
