import Base
import Records

/// The batches of a log by their headers, read after a start or a cut to learn what the memory forgot.
struct StoredBatches {
    let partition: TopicPartition
    let folder: Folder
    let shared: LogShared
    let segments: [Segment]
    /// The log's end.
    let end: Offset

    struct Stored {
        var header: BatchHeader
        var position: Int64
        var segment: Segment
    }

    /// Hands over every batch that begins at or beyond `offset`, in order. Ends where a header is damaged: reads will say so.
    func each(from offset: Offset, _ body: (Stored) throws(FileError) -> Void) throws(FileError) {
        for segment in segments[PartitionLog.segmentIndex(of: offset, in: segments)...] {
            var position: Int64 = 0
            if offset > segment.baseOffset {
                switch try segment.find(offset, to: segment.size) {
                case .batch(_, let found): position = found
                case .none, .flaw: continue
                }
            }
            var scanner = BatchScanner(try segment.file(), from: position, to: segment.size, checkingCRC: false)
            while case .batch(let batch, let position) = try scanner.next() {
                if batch.baseOffset >= offset {
                    try body(Stored(header: batch, position: position, segment: segment))
                }
            }
        }
    }

    /// The producers as of the log's end: from the newest sound snapshot at or below it, and the headers from there on. On the way the segments'
    /// aborted transactions are brought up to the end as well.
    ///
    /// Snapshots beyond the end know of batches that are gone; they are removed, durably, before anything is appended. Of the others those stay
    /// that belong to a segment, and the newest. `names` are the names in the partition's folder.
    func producers(_ names: [String]) throws(FileError) -> ProducerState {
        let fileSystem = shared.fileSystem
        var state = ProducerState()
        var from = segments[0].baseOffset
        var isFound = false
        var mustSync = false
        let bases = Set(segments.map(\.baseOffset))
        for offset in Folder.offsets(names, ProducerSnapshot.suffix).reversed() {
            let file = folder.segmentFile(offset, ProducerSnapshot.suffix)
            if offset > end || (isFound && !bases.contains(offset)) {
                try fileSystem.unlink(file)
                mustSync = mustSync || offset > end
                continue
            }
            if isFound { continue }
            guard let bytes = try fileSystem.contents(of: file, bytesMax: .mib(256)),
                let snapshot = ProducerSnapshot.state(bytes)
            else {
                shared.emit(.snapshotIgnored(partition, file: file, reason: "damaged; an older one is used"))
                continue
            }
            state = snapshot
            from = offset
            isFound = true
        }
        if mustSync { try fileSystem.syncDirectory(folder.path) }
        let now = shared.time.wallTime
        try loadAborted(names, as: isFound ? state.abortedSums : [:], from: from)
        state.abortedSums = nil
        try each(from: from) { stored throws(FileError) in
            if let entry = try take(stored, into: &state, now)?.abortedEntry { stored.segment.added(entry) }
        }
        for segment in segments { try segment.keepAborted() }
        state.expire(
            notSeenSince: now + (.zero - shared.settings.producerExpiration), countMax: shared.settings.producersMax)
        return state
    }

    private func take(
        _ stored: Stored, into state: inout ProducerState, _ now: Timestamp
    ) throws(FileError) -> ProducerState.Completed? {
        let marker = try stored.segment.marker(in: stored.header, at: stored.position)
        return state.take(stored.header, marker: marker, arrived: now)
    }

    // MARK: - Aborted transactions

    /// Holds each `.txnindex` against its sum as of offset `from`; nil where the snapshot knows none. What is not as it was is derived again.
    private func loadAborted(
        _ names: [String], as sums: [Int64: AbortedSum]?, from: Offset
    ) throws(FileError) {
        let there = Set(Folder.offsets(names, AbortedIndex.suffix))
        var damaged: Set<Offset> = []
        for (place, segment) in segments.enumerated() {
            let base = segment.baseOffset
            guard there.contains(base) || sums?[base.rawValue] != nil else { continue }
            let next = place + 1 < segments.count ? segments[place + 1].baseOffset : end
            let isWhole = try segment.loadAborted(sums.map { $0[base.rawValue] ?? AbortedSum() }, end: next)
            if isWhole { continue }
            damaged.insert(base)
            shared.emit(
                .indexRebuilt(partition, file: segment.abortedFile, reason: "it is not what its snapshot says"))
        }
        guard let first = damaged.min() else { return }
        var state = ProducerState()
        var start = segments[0].baseOffset
        for offset in Folder.offsets(names, ProducerSnapshot.suffix).reversed() where offset <= first {
            let file = folder.segmentFile(offset, ProducerSnapshot.suffix)
            guard let bytes = try shared.fileSystem.contents(of: file, bytesMax: .mib(256)),
                let snapshot = ProducerSnapshot.state(bytes)
            else { continue }
            (state, start) = (snapshot, offset)
            break
        }
        let now = shared.time.wallTime
        try each(from: start) { stored throws(FileError) in
            // What stands behind is read in any case.
            guard stored.header.baseOffset < from else { return }
            let completed = try take(stored, into: &state, now)
            if let entry = completed?.abortedEntry, damaged.contains(stored.segment.baseOffset) {
                stored.segment.added(entry)
            }
        }
    }
}

extension Segment {
    /// Makes what was derived again durable, for nobody does it later for a segment that is sealed.
    fileprivate func keepAborted() throws(FileError) {
        do throws(FileError) {
            try state.withLock { state throws(FileError) in
                if state.aborted.hasUnwritten { try state.aborted.seal(fileSystem) }
            }
        } catch  where error.code == .noSpace {}
    }

    /// Takes the `.txnindex` as far as its sum tells, or where there is none as far as it can be true. False where it is not what the sum says.
    fileprivate func loadAborted(_ sum: AbortedSum?, end: Offset) throws(FileError) -> Bool {
        try state.withLock { state throws(FileError) in
            if let sum { return try state.aborted.load(sum, fileSystem) }
            try state.aborted.loadUnsummed(base: baseOffset, end: end, fileSystem)
            return true
        }
    }
}
