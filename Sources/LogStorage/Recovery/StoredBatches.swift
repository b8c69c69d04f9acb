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

    /// Hands over every batch that begins at or beyond `offset`, in order. Ends where a header is damaged: reads will say so.
    func each(from offset: Offset, _ body: (BatchHeader) -> Void) throws(FileError) {
        for segment in segments[PartitionLog.segmentIndex(of: offset, in: segments)...] {
            var position: Int64 = 0
            if offset > segment.baseOffset {
                switch try segment.find(offset, to: segment.size) {
                case .batch(_, let found): position = found
                case .none, .flaw: continue
                }
            }
            var scanner = BatchScanner(try segment.file(), from: position, to: segment.size, checkingCRC: false)
            while case .batch(let batch, _) = try scanner.next() {
                if batch.baseOffset >= offset { body(batch) }
            }
        }
    }

    /// The producers as of the log's end: from the newest sound snapshot at or below it, and the headers from there on.
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
        try each(from: from) { state.take($0, arrived: now) }
        state.expire(
            notSeenSince: now + (.zero - shared.settings.producerExpiration), countMax: shared.settings.producersMax)
        return state
    }
}
