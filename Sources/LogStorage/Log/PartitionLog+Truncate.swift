import Base
import SystemPackage

extension PartitionLog {
    /// Cuts the log so that it ends at `offset`, or before it where a batch reaches over it; durable when it returns. For a follower whose
    /// leader has another history (KIP-101): the high watermark steps back with the log, if it must.
    ///
    /// - Throws: `.invalidOffset` below the log's start; what the disk throws, and then the log is offline.
    public func truncate(to offset: Offset) throws(LogError) {
        guard offset < logEndOffset else { return }
        guard offset >= logStartOffset else {
            throw LogError(.invalidOffset, "\(partition) starts at \(logStartOffset), it can't be cut to \(offset)")
        }
        // The recovery point must not promise what is about to go.
        try shared.lowerRecoveryPoint(of: self, to: offset)
        do throws(FileError) {
            try flushing.withLock { _ throws(FileError) in
                try state.withLock { state throws(FileError) in try cut(&state, to: offset) }
            }
        } catch {
            state.withLock { $0.offlineReason = "a truncation failed: \(error)" }
            throw LogError(error)
        }
    }

    private func cut(_ state: inout State, to offset: Offset) throws(FileError) {
        let kept = Self.segmentIndex(of: offset, in: state.segments)
        for segment in state.segments[(kept + 1)...].reversed() {
            for file in segment.files where try shared.fileSystem.exists(file) { try shared.fileSystem.unlink(file) }
        }
        state.segments.removeSubrange((kept + 1)...)
        let segment = state.segments[kept]
        let end = try segment.truncate(to: offset, indexInterval: state.config.indexInterval)
        try removeSnapshots(beyond: end)
        try shared.fileSystem.syncDirectory(path)
        state.end = LogPosition(offset: end, segment: segment.baseOffset, position: segment.size)
        if state.durable.offset >= end { state.durable = state.end }
        if state.highWatermark.offset >= end {
            state.highWatermark = state.end
            state.highWatermarkIsPlaced = true
        }
        state.epochs.truncateEnd(to: end)
        state.producers.truncate(to: end)
    }

    /// Snapshots that know of batches which are gone.
    private func removeSnapshots(beyond end: Offset) throws(FileError) {
        for entry in try shared.fileSystem.list(path) where entry.name.hasSuffix(ProducerSnapshot.suffix) {
            let name = entry.name.dropLast(ProducerSnapshot.suffix.count)
            if let offset = Int64(name), offset > end.rawValue {
                try shared.fileSystem.unlink(path.appending(entry.name))
            }
        }
    }

    /// Moves the log's start up to `offset` (DeleteRecords); `.none` is the high watermark. Segments that lie wholly below it are deleted by the
    /// next `LogDirectory.tick`. Gives the new start, durable when it returns.
    ///
    /// - Throws: `.invalidOffset` beyond the high watermark.
    public func deleteRecords(before offset: Offset) throws(LogError) -> Offset {
        let start = try state.withLock { state throws(LogError) in
            let target = offset == .none ? state.highWatermark.offset : offset
            guard target <= state.highWatermark.offset, target.rawValue >= 0 else {
                throw LogError(
                    .invalidOffset, "\(partition) is visible up to \(state.highWatermark.offset), not \(target)")
            }
            if target > state.logStart {
                state.logStart = target
                state.epochs.truncateStart(to: target)
            }
            return state.logStart
        }
        try shared.writeLogStarts()
        return start
    }
}
