import Base
import KafkaConnection
import NIOCore
import Synchronization

/// Runs the purgatory: wakes fetches on their event loops, and keeps one timer for all deadlines.
final class WaitingFetches: Sendable {
    /// What a fetch waits for: a partition, or the end of its own connection.
    private typealias Purgatory = FetchPurgatory<ObjectIdentifier, PendingFetch>
    typealias Ticket = UInt64

    private struct State {
        var purgatory: Purgatory
        /// When the timer that is set will ring.
        var armedFor: Instant?
    }

    private let state: Mutex<State>
    private let time: any TimeSource
    private let timerLoop: any EventLoop

    init(waitingMax: Int, time: any TimeSource, timerLoop: any EventLoop) {
        state = Mutex(State(purgatory: FetchPurgatory(waitersMax: waitingMax)))
        self.time = time
        self.timerLoop = timerLoop
    }

    var count: Int { state.withLock { $0.purgatory.waiterCount } }

    /// Nil where too many wait already.
    func park(_ fetch: PendingFetch, on partitions: [Partition], bytesMissing: Int, deadline: Instant) -> Ticket? {
        let keys = partitions.map { ObjectIdentifier($0) } + [ObjectIdentifier(fetch.connection)]
        let (ticket, alarm) = state.withLock { state -> (Ticket?, Instant?) in
            let ticket = state.purgatory.park(fetch, on: keys, bytesMissing: bytesMissing, deadline: deadline)
            return (ticket, ticket == nil ? nil : Self.arm(&state))
        }
        if let alarm { setTimer(alarm) }
        return ticket
    }

    /// The fetch takes care of itself; a ticket that was used up is fine.
    func cancel(_ ticket: Ticket) { _ = state.withLock { $0.purgatory.cancel(ticket) } }

    /// `bytes` more can be read from the partition.
    func advanced(_ partition: Partition, bytes: Int) {
        let fetches = state.withLock { $0.purgatory.advanced(ObjectIdentifier(partition), bytes: bytes) }
        for fetch in fetches { fetch.retry() }
    }

    /// The partition is gone.
    func interrupted(_ partition: Partition) {
        let fetches = state.withLock { $0.purgatory.interrupted(ObjectIdentifier(partition)) }
        for fetch in fetches { fetch.retry() }
    }

    func connectionClosed(_ connection: ServerConnection) {
        _ = state.withLock { $0.purgatory.interrupted(ObjectIdentifier(connection)) }
    }

    /// Drops every fetch unanswered: the connections are closed.
    func shutDown() { _ = state.withLock { $0.purgatory.cancelAll() } }

    private static func arm(_ state: inout State) -> Instant? {
        guard let next = state.purgatory.nextDeadline, state.armedFor.map({ next < $0 }) ?? true else { return nil }
        state.armedFor = next
        return next
    }

    private func setTimer(_ instant: Instant) {
        let delay = max(0, (instant - time.now).nanoseconds)
        timerLoop.scheduleTask(in: .nanoseconds(delay)) { self.timerRang(setFor: instant) }
    }

    private func timerRang(setFor instant: Instant) {
        let now = max(time.now, instant)
        let (fetches, alarm) = state.withLock { state in
            let fetches = state.purgatory.tick(now: now)
            // An earlier timer may have taken this one's place.
            if let armedFor = state.armedFor, armedFor <= now { state.armedFor = nil }
            return (fetches, Self.arm(&state))
        }
        if let alarm { setTimer(alarm) }
        for fetch in fetches { fetch.timeIsUp() }
    }
}
