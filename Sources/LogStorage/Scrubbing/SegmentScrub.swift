import Base
import Records

/// One segment read from its beginning up to what is durable of it, in steps.
struct SegmentScrub: Sendable {
    enum Outcome: Equatable {
        case more
        /// Read to its end, or gone meanwhile.
        case done
        case flaw(position: Int64, reason: String)
    }

    let log: PartitionLog
    let segment: Segment
    /// The base of the next segment, or the log's durable offset.
    private let limit: Offset
    /// The bytes up to there.
    private let size: Int64
    /// Before it compaction may have left gaps.
    private let contiguousFrom: Offset
    private let epochs: LeaderEpochCache
    private let file: (any File)?
    private var position: Int64 = 0
    private var next: Offset

    /// The first segment of the log whose base is `from` or above, or nil where there is none of which anything is durable.
    init?(of log: PartitionLog, from: Offset) {
        let found = log.state.withLock { state -> (Segment, Offset, Int64, Offset, LeaderEpochCache)? in
            guard !state.isClosed,
                let place = state.segments.firstIndex(where: { $0.baseOffset >= from })
            else { return nil }
            let segment = state.segments[place]
            guard segment.baseOffset <= state.durable.segment else { return nil }
            let isSealed = segment.baseOffset < state.durable.segment
            let limit = isSealed ? state.segments[place + 1].baseOffset : state.durable.offset
            return (segment, limit, isSealed ? segment.size : state.durable.position, state.cleanedTo, state.epochs)
        }
        guard let (segment, limit, size, cleanedTo, epochs) = found else { return nil }
        self.log = log
        self.segment = segment
        self.limit = limit
        self.size = size
        self.epochs = epochs
        contiguousFrom = max(cleanedTo, segment.baseOffset)
        next = segment.baseOffset
        // One of its own, closed when this goes: not every segment's file is to stay open. Retention may have been faster.
        file = try? log.shared.fileSystem.open(segment.path, .read)
    }

    /// Whether both look for the same offsets in the same bytes.
    func expectsTheSame(as other: SegmentScrub) -> Bool {
        contiguousFrom == other.contiguousFrom && limit == other.limit && size == other.size
    }

    /// Reads about so much more; gives what came of it, and how many bytes were read.
    mutating func read(bytesMax: Int64) -> (Outcome, bytes: Int64) {
        guard let file else { return (.done, 0) }
        let begin = position
        let wasCached = PageCache.holds(file, position: begin, byteCount: Int(min(bytesMax, size - begin)))
        let outcome: Outcome
        do throws(FileError) { outcome = try advance(file, to: min(size, begin + bytesMax)) } catch {
            log.shared.emit(.scrubFailed(log.partition, file: segment.path, reason: "\(error)"))
            return (.done, position - begin)
        }
        if !wasCached { PageCache.drop(file, position: begin, byteCount: position - begin) }
        return (outcome, position - begin)
    }

    private mutating func advance(_ file: any File, to stop: Int64) throws(FileError) -> Outcome {
        var scanner = BatchScanner(file, from: position, to: size, checkingCRC: true)
        while position < stop {
            switch try scanner.next() {
            case .end: break
            case .flaw(let position, let reason): return .flaw(position: position, reason: reason)
            case .batch(let batch, let at):
                if let reason = fault(in: batch, follower: try scanner.peek()) {
                    return .flaw(position: at, reason: reason)
                }
                next = batch.nextOffset
            }
            position = scanner.position
        }
        guard position >= size else { return .more }
        if next < limit, next >= contiguousFrom {
            return .flaw(position: size, reason: "the segment ends at offset \(next), \(limit) expected")
        }
        return .done
    }

    private func fault(in batch: BatchHeader, follower: BatchHeader?) -> String? {
        if let reason = segment.misplaced(
            batch, after: next, contiguousFrom: contiguousFrom, limit: limit, follower: follower)
        {
            return reason
        }
        // One without records stands where some were lost, perhaps over the beginning of an epoch.
        guard batch.recordCount > 0, let epoch = epochs.epoch(at: batch.baseOffset),
            epoch != batch.partitionLeaderEpoch
        else { return nil }
        return "batch at offset \(batch.baseOffset) is of leader epoch \(batch.partitionLeaderEpoch), "
            + "\(LeaderEpochCache.fileName) says \(epoch)"
    }
}
