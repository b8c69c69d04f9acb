import Base
import Records

@testable import Pipelines

/// Where a transaction of the log below ends in a failure.
enum WriteFailure: CaseIterable {
    case beforeCommit
    /// It is committed, but the answer is lost.
    case afterCommit
}

/// Records in memory, with the progress that was written with them.
final class MemoryLog: ProgressLog {
    final class Written {
        var records: [NewRecord] = []
        var progress: Progress?
        var writes = 0
    }

    struct Broken: Error {}

    let written: Written
    private let failure: (at: Int, WriteFailure)?

    /// - Parameter failure: at which write.
    init(_ written: Written, failure: (at: Int, WriteFailure)? = nil) {
        self.written = written
        self.failure = failure
    }

    func takeOver() async throws -> Progress? { written.progress }

    func write(_ records: [NewRecord], _ progress: Progress, leaderEpoch: LeaderEpoch) async throws {
        written.writes += 1
        let failing = failure.flatMap { $0.at == written.writes ? $0.1 : nil }
        if failing == .beforeCommit { throw Broken() }
        written.records += records
        written.progress = progress
        if failing == .afterCommit { throw Broken() }
    }
}
