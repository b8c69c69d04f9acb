import ArgumentParser
import Base
import Foundation
import LogStorage
import Records
import SystemPackage

/// What the log engine costs, beside the bare system calls over the same bytes, on the same disk, in the same run.
@main struct LogBenchmark: ParsableCommand {
    enum Case: String, CaseIterable, ExpressibleByArgument {
        case append, group, recovery, start, compaction, headers, flush
    }

    static let configuration = CommandConfiguration(
        commandName: "LogBenchmark",
        abstract: "Measures the log engine against bare system calls. Build with -c release.",
        discussion: Case.allCases.map { "  \($0.rawValue): \($0.purpose)" }.joined(separator: "\n"))

    @Argument(help: "What to measure; all of it where nothing is named.") var cases: [Case] = []
    @Option(help: "Where to work; a folder in it is made and removed.") var folder = "/tmp"
    @Option(help: "How often each side is run, in turns.") var rounds = 5

    @Option(help: .hidden) var opening: String?

    func run() throws {
        if let opening { return try Bench(place: FilePath(opening), rounds: 1).opening() }
        let place = FilePath("\(folder)/millrace-log-benchmark-\(getpid())")
        defer { try? FileManager.default.removeItem(atPath: place.string) }
        let bench = Bench(place: place, rounds: rounds)
        for one in cases.isEmpty ? Case.allCases : cases {
            try bench.clear()
            switch one {
            case .append: try bench.append()
            case .group: try bench.groupCommit()
            case .recovery: try bench.recovery()
            case .start: try bench.start()
            case .compaction: try bench.compaction()
            case .headers: try bench.headers()
            case .flush: try bench.flushes()
            }
        }
    }
}

extension LogBenchmark.Case {
    var purpose: String {
        switch self {
        case .append: "batches of 64 KiB and 1 KiB at page-cache, against a pwrite loop"
        case .group: "64 appenders and a flush of 5 ms, against one flush for each append"
        case .recovery: "the scan after a crash, from the page cache"
        case .start: "a clean start with 10,000 partitions, and what one costs in memory"
        case .compaction: "input a second, uncompressed and lz4"
        case .headers: "the first look at headers of an earlier life, against reading without it"
        case .flush: "making 1, 100 and 3,000 partitions durable: fdatasync in turn, in parallel, syncfs, one journal"
        }
    }
}
