import Base
import Dispatch
import Foundation
import Testing

/// Histories of log files: see `FileHistory`. A failure prints its seed, and how to see it alone:
///
///     SWIFT_DETERMINISTIC_HASHING=1 MILLRACE_FILE_SEED=17 MILLRACE_TRACE=1 swift test --filter AgentTests.FileHistoryTests
///
/// `MILLRACE_FILE_SEEDS=500-900` runs those; `MILLRACE_TEST_FULL=1` many more than usual.
@Suite struct FileHistoryTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// Beyond the first thousand: each once showed a fault.
    private static let pinned: [UInt64] = [
        2591, 2648, 4164, 4432, 4484, 4801, 5412, 5950, 5954, 6270, 7768, 8263, 9440, 9798, 10741, 10900, 10944, 11467,
        11571,
        12311, 12433, 12696, 13191, 14075, 14119, 14558, 15291, 15405, 15798, 17197, 17616, 17875, 18289, 18676, 19087,
        19542, 19852, 19872, 15858,
    ]

    private static var seeds: [UInt64] {
        if let seed = environment["MILLRACE_FILE_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        if let bounds = environment["MILLRACE_FILE_SEEDS"]?.split(separator: "-").compactMap({ UInt64($0) }),
            bounds.count == 2
        {
            return Array(bounds[0]...bounds[1])
        }
        return environment["MILLRACE_TEST_FULL"] != nil ? Array(1...20_000) : Array(1...1_000) + pinned
    }

    @Test func eachLineOnceAndInOrderOrToldOf() {
        let isTraced = Self.environment["MILLRACE_TRACE"] != nil
        let seeds = Self.seeds
        let clock = ContinuousClock()
        let start = clock.now
        let failed = FailedSeeds()
        let lanes = 2
        DispatchQueue.concurrentPerform(iterations: lanes) { lane in
            for seed in seeds where seed % UInt64(lanes) == UInt64(lane) && failed.count < 20 {
                let history = FileHistory(seed: seed, isTraced: isTraced)
                if history.run() {
                    failed.note(
                        lines: history.broker.lines.values.reduce(0) { $0 + $1.count }, lives: history.agent.lives)
                } else {
                    failed.add(seed, history)
                }
            }
        }
        print(
            "\(seeds.count) histories in \(clock.now - start): \(failed.lines) lines, \(failed.lives) lives of agents")
        for (seed, text) in failed.all { Issue.record("MILLRACE_FILE_SEED=\(seed) \(text)") }
    }

    /// What is wrong must show.
    @Test(arguments: FileSabotage.allCases) func sabotageIsFound(_ sabotage: FileSabotage) {
        let found = (1...60 as ClosedRange<UInt64>).contains { !FileHistory(seed: $0, sabotage: sabotage).run() }
        #expect(found, "no history finds that the tailer \(sabotage.rawValue)")
    }
}

private final class FailedSeeds: @unchecked Sendable {
    private let lock = NSLock()
    private var failures: [(seed: UInt64, text: String)] = []
    private(set) var lines = 0
    private(set) var lives = 0

    var count: Int { lock.withLock { failures.count } }
    var all: [(seed: UInt64, text: String)] { failures.sorted { $0.seed < $1.seed } }

    func note(lines: Int, lives: Int) {
        lock.withLock {
            self.lines += lines
            self.lives += lives
        }
    }

    func add(_ seed: UInt64, _ history: FileHistory) {
        lock.withLock {
            failures.append((seed, "\(history.violations.prefix(4)) of \(history.violations.count)"))
            for line in history.trace { print(line) }
        }
    }
}
