import Base
import TestKit

/// Virtual time, chance and the order of everything: one thread, one queue of events, one seed.
///
/// What happens in a history follows from the seed alone. Events of the same moment come in the order in which they were planned.
final class World: @unchecked Sendable {
    private struct Event {
        var at: Instant
        var number: UInt64
        var run: () -> Void

        static func < (left: Event, right: Event) -> Bool { (left.at, left.number) < (right.at, right.number) }
    }

    let seed: UInt64
    var random: SeededRandom
    let time = ManualTime()
    let executor = WorldExecutor()
    /// A binary heap, the next event first.
    private var events: [Event] = []
    private(set) var eventCount: UInt64 = 0
    /// Kept only where somebody wants to read it.
    var trace: [String]?
    var weather = NetworkWeather()
    var sabotage: Sabotage?
    /// What must not have happened; a history with one of these fails.
    var violations: [String] = []

    init(seed: UInt64, isTraced: Bool) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        trace = isTraced ? [] : nil
    }

    var now: Instant { time.now }

    func note(_ line: @autoclosure () -> String) {
        guard trace != nil else { return }
        let milliseconds = now.nanoseconds / 10_000
        trace!.append("\(Double(milliseconds) / 100) ms  \(line())")
    }

    func violated(_ what: String) {
        note("VIOLATED: \(what)")
        if violations.count < 20 { violations.append(what) }
    }

    // MARK: - Chance

    func oneIn(_ count: Int) -> Bool { random.oneIn(count) }
    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
    func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    func duration(_ range: ClosedRange<Duration>) -> Duration {
        .nanoseconds(
            Int64.random(in: range.lowerBound.nanoseconds...range.upperBound.nanoseconds, using: &random))
    }

    // MARK: - Events

    func after(_ delay: Duration, _ run: @escaping () -> Void) { at(now + max(delay, .zero), run) }

    func at(_ moment: Instant, _ run: @escaping () -> Void) {
        eventCount += 1
        events.append(Event(at: max(moment, now), number: eventCount, run: run))
        var child = events.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard events[child] < events[parent] else { break }
            events.swapAt(child, parent)
            child = parent
        }
    }

    private func next() -> Event? {
        guard let first = events.first else { return nil }
        let last = events.removeLast()
        if events.isEmpty { return first }
        events[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < events.count && events[child] < events[least] {
                least = child
            }
            if least == parent { return first }
            events.swapAt(parent, least)
            parent = least
        }
    }

    /// Forgets what was planned.
    func end() { events = [] }

    /// Runs events until `isDone` or until that moment. True where it was done.
    func run(until end: Instant, _ isDone: () -> Bool = { false }) -> Bool {
        executor.drain()
        while !isDone() {
            guard let first = events.first, first.at <= end, let event = next() else {
                if now < end { time.advance(by: end - now) }
                return isDone()
            }
            if event.at > now { time.advance(by: event.at - now) }
            event.run()
            executor.drain()
        }
        return true
    }
}

/// Runs asynchronous code on the world's thread, between events.
final class WorldExecutor: TaskExecutor, @unchecked Sendable {
    private var jobs: [UnownedJob] = []

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    func drain() {
        while !jobs.isEmpty {
            let waiting = jobs
            jobs = []
            for job in waiting { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}
