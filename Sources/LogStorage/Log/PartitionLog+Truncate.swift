import Base
import SystemPackage

extension PartitionLog {
    /// Cuts the log so that it ends at `offset`, or before it where a batch reaches over it; durable when it returns. For a follower whose
    /// leader has another history (KIP-101): the high watermark steps back with the log, if it must.
    ///
    /// - Throws: `.invalidOffset` below the log's start; what the disk throws, and then the log is offline.
    public func truncate(to offset: Offset) throws(LogError) {
        guard offset < logEndOffset else { return }
        let start = logStartOffset
        guard offset >= start else {
            throw LogError(.invalidOffset, "\(partition) starts at \(start), it can't be cut to \(offset)")
        }
        do throws(FileError) {
            // Neither point may promise what is about to go.
            let boundary = try batchBoundary(at: offset)
            try shared.lowerRecoveryPoint(of: self, to: boundary)
            try durablePoint.lower(to: boundary)
            try maintenance.withLock { _ throws(FileError) in
                try flushing.withLock { _ throws(FileError) in
                    try state.withLock { state throws(FileError) in try cut(&state, to: offset) }
                }
            }
        } catch {
            state.withLock { $0.offlineReason = "a truncation failed: \(error)" }
            throw LogError(error)
        }
        // The batch that held the log's start may have gone whole.
        if logEndOffset <= start { try shared.writeLogStarts() }
    }

    /// Where the batch that holds `offset` begins.
    private func batchBoundary(at offset: Offset) throws(FileError) -> Offset {
        let segments = state.withLock { $0.segments }
        let segment = segments[Self.segmentIndex(of: offset, in: segments)]
        guard case .batch(let batch, _) = try segment.find(offset, to: segment.size) else { return offset }
        return min(offset, batch.baseOffset)
    }

    private func cut(_ state: inout State, to offset: Offset) throws(FileError) {
        state.isSettled = false
        let kept = Self.segmentIndex(of: offset, in: state.segments)
        for segment in state.segments[(kept + 1)...].reversed() {
            for file in segment.files where try shared.fileSystem.exists(file) { try shared.fileSystem.unlink(file) }
        }
        state.segments.removeSubrange((kept + 1)...)
        let segment = state.segments[kept]
        let end = try segment.truncate(to: offset, indexInterval: state.config.indexInterval)
        let names = try shared.fileSystem.list(path).map(\.name)
        state.producers = try StoredBatches(
            partition: partition, folder: folder, shared: shared, segments: state.segments, end: end
        )
        .producers(names)
        try shared.fileSystem.syncDirectory(path)
        state.end = LogPosition(offset: end, segment: segment.baseOffset, position: segment.size)
        if state.durable.offset >= end { state.durable = state.end }
        if state.highWatermark.offset >= end {
            state.highWatermark = state.end
            state.highWatermarkIsPlaced = true
        }
        state.epochs.truncateEnd(to: end)
        state.deciding.removeAll { $0.last >= end }
        state.logStart = min(state.logStart, end)
        state.cleanedTo = min(state.cleanedTo, end)
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
