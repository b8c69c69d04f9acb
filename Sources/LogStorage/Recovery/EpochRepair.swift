import Base
import Records
import SystemPackage

/// Mends rot in the leader epoch of a batch's header, which no CRC covers. Only for a log that is read whole: see `LogDirectory.open(checksAll:)`.
///
/// Epochs only grow. A batch is mended where it breaks that order and what the epochs' file names at its offset does not; and where the file names the
/// epoch of the batch before or behind it, and knows of none like its own. Its epoch then becomes that one, in place. Where the two can't be told apart
/// the batches are believed, for the epochs' file has no sum.
struct EpochRepair {
    let partition: TopicPartition
    let shared: LogShared
    let batches: StoredBatches
    /// What the file says.
    let epochs: LeaderEpochCache
    /// The file was written when the log ended where it does: no younger epoch is missing from it.
    let isCurrent: Bool

    /// Batches of one epoch that follow each other.
    private struct Run {
        var epoch: LeaderEpoch
        var first: StoredBatches.Stored
        var count = 1
    }

    func run() throws(FileError) {
        // Three runs at a time are enough, however often the epoch changes.
        var before: Run?
        var middle: Run?
        var last: Run?
        guard let start = batches.segments.first?.baseOffset else { return }
        try batches.each(from: start) { stored throws(FileError) in
            // One without records stands where some were lost.
            guard stored.header.recordCount > 0 else { return }
            let epoch = stored.header.partitionLeaderEpoch
            if last?.epoch == epoch {
                last?.count += 1
                return
            }
            if let run = middle, let right = try mend(run, before: before, behind: last) {
                middle?.epoch = right
            }
            (before, middle, last) = (middle, last, Run(epoch: epoch, first: stored))
        }
        if let run = middle, let right = try mend(run, before: before, behind: last) { middle?.epoch = right }
        if let run = last { _ = try mend(run, before: middle, behind: nil) }
    }

    /// The epoch that the run's one batch has now; nil where it keeps its own.
    private func mend(_ run: Run, before: Run?, behind: Run?) throws(FileError) -> LeaderEpoch? {
        guard run.count == 1, let right = epochs.epoch(at: run.first.header.baseOffset), right != run.epoch else {
            return nil
        }
        let fitting = (before?.epoch ?? .none)...max(before?.epoch ?? .none, behind?.epoch ?? LeaderEpoch(.max))
        guard fitting.contains(right) else { return nil }
        // Epochs that are younger than all that the file knows may well be younger than the file.
        let isDenied =
            (isCurrent || epochs.latest.map { run.epoch < $0 } ?? false)
            && (before?.epoch == right || behind?.epoch == right)
            && !epochs.entries.contains { $0.epoch == run.epoch }
        guard isDenied || !fitting.contains(run.epoch) else { return nil }
        let (segment, position) = (run.first.segment, run.first.position)
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: right.rawValue >> (24 - 8 * $0)) }
        try segment.file().write(bytes, at: position + Int64(BatchLayout.partitionLeaderEpoch))
        try segment.sync()
        shared.emit(
            .epochMended(partition, offset: run.first.header.baseOffset, file: segment.path, was: run.epoch, now: right)
        )
        return right
    }
}
