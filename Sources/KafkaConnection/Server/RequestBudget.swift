import Base
import DequeModule
import Synchronization
import Telemetry

/// The bytes that the requests of all connections together may take, each from the moment its length is known until it is answered.
///
/// A request gets its whole length at once or waits, so those that were begun can always be received to their end, and none waits for another that
/// waits. Whoever waits is not read from: that pushes back to the senders. First come, first served: a large request is not overtaken for ever.
/// One is always let in where nothing else is taken, however large.
///
/// What a connection has received before it is let in (at most `FrameAssembly.readBytesMax`) is not counted.
public final class RequestBudget: Sendable {
    /// Who waits for bytes; told at most once, from any thread, that it has them.
    protocol Claimant: AnyObject, Sendable {
        func bytesGranted()
    }

    private struct State {
        var taken = 0
        var waiting: Deque<(claimant: any Claimant, bytes: Int)> = []
    }

    public let bytesMax: ByteCount
    private let state = Mutex(State())
    private let takenGauge: GaugeHandle
    private let waits: CounterHandle
    private let whenExhausted: @Sendable () -> Void

    /// - Parameters:
    ///   - taken: shows the bytes that are taken now.
    ///   - waits: counts requests that had to wait.
    ///   - whenExhausted: called where a request has to wait and none did before; must not block.
    public init(
        bytesMax: ByteCount, taken: GaugeHandle, waits: CounterHandle, whenExhausted: @escaping @Sendable () -> Void
    ) {
        self.bytesMax = bytesMax
        takenGauge = taken
        self.waits = waits
        self.whenExhausted = whenExhausted
    }

    /// Bytes that are taken now, and how many requests wait.
    public var usage: (bytes: Int, waiting: Int) { state.withLock { ($0.taken, $0.waiting.count) } }

    /// True where the bytes are the claimant's now; else it waits for `bytesGranted`.
    func claim(_ bytes: Int, for claimant: any Claimant) -> Bool {
        let (isTaken, isFirstWait) = state.withLock { state in
            if state.waiting.isEmpty, fits(bytes, state) {
                take(bytes, &state)
                return (true, false)
            }
            state.waiting.append((claimant, bytes))
            return (false, state.waiting.count == 1)
        }
        guard !isTaken else { return true }
        waits.increment()
        if isFirstWait { whenExhausted() }
        return false
    }

    /// Gives bytes back, and grants them to who waited longest.
    func giveBack(_ bytes: Int) {
        guard bytes > 0 else { return }
        let granted = state.withLock { state in
            state.taken -= bytes
            return grant(&state)
        }
        for claimant in granted { claimant.bytesGranted() }
    }

    /// The claimant is gone. What it waited for, or was granted a moment ago without having heard of it, is given back.
    func withdraw(_ claimant: any Claimant, bytes: Int) {
        let wasWaiting = state.withLock { state in
            guard let place = state.waiting.firstIndex(where: { $0.claimant === claimant }) else { return false }
            state.waiting.remove(at: place)
            return true
        }
        // Whoever stood behind it may fit.
        if wasWaiting {
            for claimant in state.withLock({ grant(&$0) }) { claimant.bytesGranted() }
        } else {
            giveBack(bytes)
        }
    }

    private func fits(_ bytes: Int, _ state: State) -> Bool {
        state.taken == 0 || state.taken + bytes <= bytesMax.bytes
    }

    private func take(_ bytes: Int, _ state: inout State) {
        state.taken += bytes
        takenGauge.set(state.taken)
    }

    private func grant(_ state: inout State) -> [any Claimant] {
        var granted: [any Claimant] = []
        while let first = state.waiting.first, fits(first.bytes, state) {
            take(first.bytes, &state)
            state.waiting.removeFirst()
            granted.append(first.claimant)
        }
        takenGauge.set(state.taken)
        return granted
    }
}
