import Base
import Foundation
import Testing

/// Everything together in virtual time: see `History`. A failure prints its seed and how to run it again alone.
///
///     SWIFT_DETERMINISTIC_HASHING=1 MILLRACE_SEED=own:17 swift test --filter SimulationTests
///
/// `MILLRACE_MODE=own` runs that mode only, `MILLRACE_SEEDS=400` so many seeds; `MILLRACE_TRACE=1` prints what happened; `MILLRACE_TEST_FULL=1` runs many more seeds.
@Suite struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isFull = environment["MILLRACE_TEST_FULL"] != nil

    /// They showed faults once.
    private static let pinned: [Mode: [UInt64]] = [
        .own: [8829], .pageCache: [1341, 3575, 4095, 5707, 7072, 7147, 8527],
    ]

    /// The one that was asked for.
    private static let replay: (mode: Mode, seed: UInt64)? = {
        guard let text = environment["MILLRACE_SEED"] else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let mode = Mode(rawValue: String(parts[0])), let seed = UInt64(parts[1]) else {
            return nil
        }
        return (mode, seed)
    }()

    @Test(arguments: Mode.allCases)
    func everyLineOnceOrCounted(mode: Mode) {
        if let replay = Self.replay {
            if replay.mode == mode { Self.replay(mode, replay.seed) }
            return
        }
        if let only = Self.environment["MILLRACE_MODE"], only != mode.rawValue { return }
        let count = Self.environment["MILLRACE_SEEDS"].flatMap { UInt64($0) } ?? (Self.isFull ? 10_000 : 80)
        let clock = ContinuousClock()
        let start = clock.now
        var failures = 0
        var sum = Totals()
        for seed in Array(1...count) + Self.pinned[mode, default: []].filter({ $0 > count }) {
            let history = History(mode, seed: seed)
            if !history.run() {
                failures += 1
                Issue.record(
                    "\(mode.rawValue):\(seed) (MILLRACE_SEED=\(mode.rawValue):\(seed)): \(history.world.violations.prefix(4))"
                )
                if failures >= 5 { break }
            }
            sum.add(history)
        }
        print("\(mode.rawValue): \(count) histories in \(clock.now - start), \(sum)")
    }

    private static func replay(_ mode: Mode, _ seed: UInt64) {
        let history = History(mode, seed: seed, isTraced: environment["MILLRACE_TRACE"] != nil)
        let isGood = history.run()
        for line in history.world.trace ?? [] { print(line) }
        print("\(mode.rawValue):\(seed): \(isGood ? "good" : "\(history.world.violations)")")
        if !isGood { Issue.record("\(mode.rawValue):\(seed): \(history.world.violations)") }
    }
}

/// What many histories came to.
struct Totals: CustomStringConvertible {
    var lines = 0
    var events: UInt64 = 0
    var strikes = 0
    var notices: [String: Int] = [:]
    var time = Duration.zero

    mutating func add(_ history: History) {
        lines += history.ledger.written.count
        events += history.world.eventCount
        strikes += history.strikes
        time += history.world.now - .zero
        notices.merge(history.ledger.notices) { $0 + $1 }
    }

    var description: String {
        "\(lines) lines, \(events) events, \(strikes) faults, \(time) of virtual time, "
            + notices.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}
