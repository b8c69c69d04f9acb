public import Base

extension ExportStore {
    /// Records that an operator accepts the loss of every offset from the chain's end up to `to`; the pipeline goes on there.
    ///
    /// To be called while the pipeline stands still; a pipeline that runs is fenced by it, and goes on behind the gap too.
    /// - Throws: where there is no chain, where `to` lies within what was exported, or where an owner was faster.
    public func recordGap(
        of chain: ChainID, to end: Offset, note: String, attempt: AttemptID, wallTime: Timestamp
    ) async throws(ExportError) -> CommitRecord {
        guard let tail = try await tail(of: chain) else {
            throw ExportError(.damaged, "\(chain) has exported nothing yet: set 'start' instead of recording a gap")
        }
        guard end > tail.last.to else {
            throw ExportError(
                .damaged, "\(chain) has exported everything up to \(tail.last.to); a gap must end beyond it")
        }
        let record = CommitRecord(
            chain: chain, index: tail.last.index + 1, attempt: attempt, kind: .gap, from: tail.last.to, to: end,
            leaderEpoch: .none, lastCommitIndex: tail.lastCommit?.index ?? -1, madeAt: wallTime, note: note)
        guard try await append(record) else {
            throw ExportError(
                .fenced, "\(chain): a pipeline wrote record \(record.index) meanwhile; stop it and try again")
        }
        return record
    }
}
