import Base
import SystemPackage

extension PartitionLog {
    /// Reads a segment again, from the disk, and takes what is damaged out of it as a start after a crash would, while readers go on.
    ///
    /// - Returns: false where the segment is sound at this second look, or no longer this log's.
    func mendIfDamaged(_ scrub: SegmentScrub, found reason: String, at position: Int64) throws(FileError) -> Bool {
        let segment = scrub.segment
        return try maintenance.withLock { _ throws(FileError) in
            // Compaction and retention stand still now.
            guard try isStillDamaged(scrub, reason, position) else { return false }
            shared.emit(.rotFound(partition, file: segment.path, position: position, reason: reason))
            // The segment that is written is sealed first, and on the disk before anything of it is moved.
            try state.withLock { state throws(FileError) in
                if state.segments.last === segment { try roll(&state, nextBase: state.end.offset) }
            }
            _ = try flush()
            return try flushing.withLock { _ throws(FileError) in
                try mend(segment)
                return true
            }
        }
    }

    private func isStillDamaged(_ first: SegmentScrub, _ reason: String, _ position: Int64) throws(FileError) -> Bool {
        let segment = first.segment
        guard state.withLock({ state in !state.isClosed && state.segments.contains { $0 === segment } }) else {
            return false
        }
        PageCache.drop(try segment.file(), position: 0, byteCount: segment.size)
        guard var scrub = SegmentScrub(of: self, from: segment.baseOffset), scrub.segment === segment else {
            return false
        }
        while true {
            switch scrub.read(bytesMax: 1 << 20).0 {
            case .more: continue
            case .flaw: return true
            case .done:
                // Where compaction or a cut changed what belongs there, the first look was at fault.
                if scrub.expectsTheSame(as: first) {
                    shared.emit(.readsDiffer(partition, file: segment.path, position: position, reason: reason))
                }
                return false
            }
        }
    }

    /// Called with `maintenance` and `flushing` held.
    private func mend(_ old: Segment) throws(FileError) {
        let fileSystem = shared.fileSystem
        let (known, next, contiguousFrom) = state.withLock { state in
            let place = state.segments.firstIndex { $0 === old }!
            return (state.durable.offset, state.segments[place + 1].baseOffset, max(state.cleanedTo, old.baseOffset))
        }
        let survey = try SegmentSurvey(of: old, known: known, limit: next, contiguousFrom: contiguousFrom)
        // A wrong epoch is told, and not served; its records are sound.
        guard !survey.holes.isEmpty else { return }
        // Readers that hold the old segment go on reading the old file; no index of the old one may ever stand beside the new.
        _ = try old.file()
        for file in old.indexFiles where try fileSystem.exists(file) { try fileSystem.unlink(file) }
        try fileSystem.syncDirectory(path)
        try SegmentRepair(partition: partition, folder: folder, shared: shared, known: known).rewrite(old, survey)
        let segment = Segment(baseOffset: old.baseOffset, folder: folder, fileSystem: fileSystem)
        let interval = config.indexInterval
        _ = try segment.load(indexInterval: interval, isActive: false)
        segment.takeAborted(of: old)
        state.withLock { state in
            guard let place = state.segments.firstIndex(where: { $0 === old }) else { return }
            state.segments[place] = segment
            if state.highWatermark.segment == old.baseOffset { state.highWatermarkIsPlaced = false }
            // Producers are remembered as they were: they were told that their records are kept, and go on behind them.
        }
    }
}
