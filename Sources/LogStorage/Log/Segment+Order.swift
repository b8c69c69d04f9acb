import Base
import Records

// A batch's CRC covers neither its offset nor its leader epoch. What was on the disk before this life is therefore looked at once, header by header, before it
// is served: each batch has to lie between its neighbours, and to be of the epoch that the log's epochs name.

/// Which bytes of a segment were looked at, and the offset after each run of them. Readers mostly go on where one ended, so the runs are few.
struct OrderedBatches: Sendable {
    struct Run: Sendable {
        var bytes: Range<Int64>
        var next: Offset
    }

    private static let runsMax = 64
    private(set) var runs: [Run] = []

    func run(holding position: Int64) -> Run? {
        runs.first { $0.bytes.contains(position) || $0.bytes.upperBound == position }
    }

    mutating func add(_ new: Run) {
        var new = new
        for run in runs where run.bytes.overlaps(new.bytes) || run.bytes.upperBound == new.bytes.lowerBound {
            if run.bytes.upperBound > new.bytes.upperBound { new.next = run.next }
            new.bytes =
                min(run.bytes.lowerBound, new.bytes.lowerBound)..<max(run.bytes.upperBound, new.bytes.upperBound)
        }
        runs.removeAll { new.bytes.contains($0.bytes.lowerBound) }
        runs.append(new)
        if runs.count > Self.runsMax { runs.removeFirst() }
    }
}

extension Segment {
    /// Up to where the batches of `range` stand in order: its end, but for rot.
    ///
    /// - Parameters:
    ///   - offset: what the range's first batch holds, if it was found by that.
    ///   - limit: the base of the next segment, or the log's end.
    func orderedEnd(
        of range: Range<Int64>, holding offset: Offset?, limit: Offset, epochs: LeaderEpochCache
    ) throws(FileError) -> Int64 {
        let (loaded, known) = state.withLock { ($0.loadedSize, $0.ordered.run(holding: range.lowerBound)) }
        let end = min(range.upperBound, loaded)
        if range.lowerBound >= loaded || known.map({ $0.bytes.upperBound >= end }) ?? false { return range.upperBound }
        let file = try file()
        let start: Int64
        if let known {
            start = known.bytes.upperBound
        } else if let offset {
            start = try self.start(of: offset, in: file, loaded)
        } else {
            start = try self.start(ofBatchAt: range.lowerBound, in: file, loaded)
        }
        var next = known?.next ?? baseOffset
        var scanner = BatchScanner(file, from: start, to: loaded, checkingCRC: false)
        while scanner.position < end {
            guard case .batch(let batch, let position) = try scanner.next() else {
                return min(scanner.position, range.upperBound)
            }
            // The index names the last offset of the batch at which the walk begins.
            let isAnchored = known == nil && position == start && start > 0
            if isAnchored { next = batch.baseOffset }
            let follower = try scanner.peek()
            let isPlaced =
                misplaced(batch, after: next, contiguousFrom: nil, limit: limit, follower: follower) == nil
                && (follower.map { $0.baseOffset >= batch.nextOffset } ?? true)
            // One without records stands where some were lost, perhaps over the beginning of an epoch.
            let epoch = batch.recordCount > 0 ? epochs.epoch(at: batch.baseOffset) : nil
            guard isPlaced, epoch == nil || epoch == batch.partitionLeaderEpoch else { return position }
            next = batch.nextOffset
        }
        let run = OrderedBatches.Run(bytes: (known?.bytes.lowerBound ?? start)..<scanner.position, next: next)
        state.withLock { $0.ordered.add(run) }
        return range.upperBound
    }
}
