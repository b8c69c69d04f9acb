import Base
import SystemPackage

// Deleting what is too old, too much, or below the log's start.
//
// A segment is deleted in three steps: it leaves the log and its readers; its files get the suffix `.deleted`; after
// `file.delete.delay.ms` they are unlinked. The renames go from old to new, each durable before the next, so that a crash never leaves a
// hole in the log. What a step could not do is tried again at the next tick.
extension PartitionLog {
    /// One round of retention and of the deletions that are due. `now` is the wall clock.
    func applyRetention(now: Timestamp) throws(FileError) {
        try maintenance.withLock { _ throws(FileError) in
            let (count, bytes, start, reason) = try state.withLock { state throws(FileError) in
                try condemn(&state, now: now)
            }
            if count > 0 {
                shared.emit(
                    .segmentsDeleted(partition, count: count, bytes: ByteCount(bytes), start: start, reason: reason))
            }
            try retire(now: now)
        }
    }

    private func condemn(
        _ state: inout State, now: Timestamp
    ) throws(FileError) -> (count: Int, bytes: Int, start: Offset, reason: String) {
        guard !state.isClosed, state.offlineReason == nil else { return (0, 0, state.logStart, "") }
        var reason = ""
        var count = 0
        var bytes = 0
        var total = state.segments.reduce(Int64(0)) { $0 + $1.size }
        while let oldest = state.segments.first, let cause = expired(oldest, state, total, now) {
            // The last segment goes like any other; an empty one takes its place.
            if state.segments.count == 1 { try roll(&state, nextBase: state.end.offset) }
            total -= oldest.size
            bytes += Int(oldest.size)
            count += 1
            reason = cause
            state.condemned.append(state.segments.removeFirst())
            state.logStart = max(state.logStart, state.segments[0].baseOffset)
        }
        if count > 0 {
            state.epochs.truncateStart(to: state.logStart)
            Self.moveToEnd(&state)
        }
        return (count, bytes, state.logStart, reason)
    }

    /// After the segment that a position stands in has gone, the position is where the next begins.
    private static func moveToEnd(_ state: inout State) {
        if state.durable.segment < state.segments[0].baseOffset {
            state.durable = LogPosition(
                offset: state.durable.offset, segment: state.segments[0].baseOffset, position: 0)
        }
        if state.highWatermark.segment < state.segments[0].baseOffset {
            state.highWatermark = LogPosition(
                offset: state.highWatermark.offset, segment: state.segments[0].baseOffset, position: 0)
        }
    }

    /// Why the oldest segment may go, or nil. Only what consumers could have read goes.
    private func expired(_ segment: Segment, _ state: State, _ total: Int64, _ now: Timestamp) -> String? {
        let next = state.segments.count > 1 ? state.segments[1].baseOffset : state.end.offset
        guard segment.size > 0 || state.segments.count > 1, next <= state.highWatermark.offset else { return nil }
        if next <= state.logStart { return "its records were deleted" }
        guard state.config.deletes else { return nil }
        if let age = state.config.retentionAge {
            // A time from the future, or none at all, must not keep a segment for ever: then its arrival counts.
            let claimed = segment.maxTimestamp
            let isCredible = claimed.milliseconds >= 0 && claimed <= now
            let youngest = isCredible ? claimed : min(segment.lastArrival, now)
            if now - youngest > age { return "older than retention.ms" }
        }
        if let limit = state.config.retentionBytes, state.segments.count > 1,
            total - segment.size >= Int64(limit.bytes)
        {
            return "the log is larger than retention.bytes"
        }
        return nil
    }

    /// Makes sure that the producers' last batches are known without the segments that go: by the snapshot that stands at the new first segment, or a new
    /// one at the log's end. Its name is not yet durable.
    private func keepProducers() throws(FileError) {
        let (first, producers, end) = state.withLock {
            ($0.segments[0].baseOffset, $0.summedProducers, $0.end.offset)
        }
        if producers.producers.isEmpty { return }
        let file = folder.segmentFile(first, ProducerSnapshot.suffix)
        let bytes = try shared.fileSystem.contents(of: file, bytesMax: .mib(256))
        if let bytes, ProducerSnapshot.state(bytes) != nil {
            return try shared.fileSystem.open(file, .readWrite).sync()
        }
        _ = try flush()
        try shared.fileSystem.replace(
            Folder.segmentFileName(end, ProducerSnapshot.suffix), in: folder, with: ProducerSnapshot.bytes(producers))
    }

    /// Renames what was condemned, oldest first, and unlinks what waited long enough.
    private func retire(now: Timestamp) throws(FileError) {
        let delay = config.fileDeleteDelay
        if state.withLock({ !$0.condemned.isEmpty }) {
            try keepProducers()
            // The name of the segment that takes over must not be younger than the last trace of those that go.
            try shared.fileSystem.syncDirectory(path)
        }
        while let segment = state.withLock({ $0.condemned.first }) {
            // Readers may hold the segment and not have opened its file yet.
            _ = try? segment.file()
            let target = FilePath(segment.path.string + ".deleted")
            if try shared.fileSystem.exists(segment.path) {
                try shared.fileSystem.rename(segment.path, to: target)
                try shared.fileSystem.syncDirectory(path)
            }
            state.withLock { state in
                state.condemned.removeFirst()
                state.deleted.append(([target] + segment.files.dropFirst(), now + delay))
            }
        }
        while let due = state.withLock({ $0.deleted.first }), due.after <= now {
            for file in due.paths where try shared.fileSystem.exists(file) { try shared.fileSystem.unlink(file) }
            state.withLock { _ = $0.deleted.removeFirst() }
        }
    }
}
