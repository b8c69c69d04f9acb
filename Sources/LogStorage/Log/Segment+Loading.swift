import Base
import Records

extension Segment {
    /// What a scan found.
    struct Scan: Equatable, Sendable {
        /// Bytes of sound batches from the beginning of the file.
        var size: Int64 = 0
        /// The offset after the last sound batch.
        var next: Offset
        var flaw: String?
    }

    /// Takes the file as it is, with its indexes where they are plausible; else they are rebuilt from the batch headers.
    /// Returns why they were rebuilt, or nil.
    func load(indexInterval: ByteCount, isActive: Bool) throws(FileError) -> String? {
        guard let status = try fileSystem.status(path) else { throw FileError(.noSuchFile, .open, path) }
        let counts = try indexCounts()
        let flaw: String? = try state.withLock { state throws(FileError) in
            state.size = status.size
            state.loadedSize = status.size
            state.isSealed = !isActive
            state.indexesAreDurable = !isActive
            guard status.size > 0 else { return nil }
            state.firstArrival = status.modified
            state.lastArrival = status.modified
            guard let counts else { return "an index is missing or has a broken length" }
            state.offsets = OffsetIndex(state.offsets.path, fileCount: counts.offsets)
            state.times = TimeIndex(state.times.path, fileCount: counts.times)
            if let last = try state.offsets.last(fileSystem, where: { _ in true }),
                Int64(last.position) >= status.size
            {
                return "its last entry points behind the log's end"
            }
            guard let youngest = try state.times.last(fileSystem, where: { _ in true }) else {
                return "the time index is empty"
            }
            state.maxTimestamp = Timestamp(milliseconds: youngest.timestamp)
            state.lastTimeEntry = state.maxTimestamp
            state.maxTimestampOffset = baseOffset + Int64(youngest.relativeOffset)
            return nil
        }
        guard let flaw else { return nil }
        _ = try rebuild(indexInterval: indexInterval, checkingCRC: false, contiguousFrom: nil) { _ in }
        if !isActive { seal() }
        return flaw
    }

    private func indexCounts() throws(FileError) -> (offsets: Int, times: Int)? {
        let files = indexFiles
        guard let offsets = try fileSystem.status(files[0]), let times = try fileSystem.status(files[1]),
            offsets.size % Int64(OffsetIndexEntry.byteCount) == 0, times.size % Int64(TimeIndexEntry.byteCount) == 0
        else { return nil }
        return (
            Int(offsets.size) / OffsetIndexEntry.byteCount, Int(times.size) / TimeIndexEntry.byteCount
        )
    }

    /// Reads the file from its beginning, builds both indexes anew, and calls `body` for every sound batch. The state's size becomes that of
    /// the sound batches; the file is not cut. From offset `contiguousFrom` on each batch must begin where the last one ended; before it
    /// compaction may have left gaps. No batch may reach over `limit`, the next segment's base.
    func rebuild(
        indexInterval: ByteCount, checkingCRC: Bool, contiguousFrom: Offset?, limit: Offset? = nil,
        _ body: (BatchHeader) -> Void
    ) throws(FileError) -> Scan {
        guard let status = try fileSystem.status(path) else { throw FileError(.noSuchFile, .open, path) }
        let file = try file()
        var scan = Scan(next: baseOffset)
        try state.withLock { state throws(FileError) in
            state.size = 0
            state.maxTimestamp = .none
            state.maxTimestampOffset = .none
            state.lastTimeEntry = .none
            state.bytesSinceEntry = 0
            state.firstArrival = nil
            state.indexesAreDurable = false
            state.loadedSize = 0
            try state.offsets.reset(fileSystem)
            try state.times.reset(fileSystem)
        }
        var scanner = BatchScanner(file, from: 0, to: status.size, checkingCRC: checkingCRC)
        while true {
            switch try scanner.next() {
            case .end: return scan
            case .flaw(_, let reason):
                scan.flaw = reason
                return scan
            case .batch(let batch, _):
                var follower: BatchHeader?
                if batch.baseOffset > scan.next { follower = try scanner.peek() }
                if let flaw = misplaced(
                    batch, after: scan.next, contiguousFrom: contiguousFrom, limit: limit, follower: follower)
                {
                    scan.flaw = flaw
                    return scan
                }
                added(batch, indexInterval: indexInterval, arrived: status.modified)
                body(batch)
                scan.size += Int64(batch.byteCount)
                scan.next = batch.nextOffset
            }
        }
    }

    /// Why a batch can't stand where it does, or nil. Its CRC does not cover its offset; the batch that follows tells.
    func misplaced(
        _ batch: BatchHeader, after next: Offset, contiguousFrom: Offset?, limit: Offset?, follower: BatchHeader?
    ) -> String? {
        if batch.baseOffset < next { return "batch at offset \(batch.baseOffset) stands after \(next)" }
        if batch.lastOffset - baseOffset > Int64(UInt32.max) {
            return "batch at offset \(batch.baseOffset) is out of reach of the segment's base \(baseOffset)"
        }
        if let from = contiguousFrom, batch.baseOffset != next, batch.baseOffset >= from {
            return "batch at offset \(batch.baseOffset), \(next) expected"
        }
        if let limit, batch.nextOffset > limit {
            return "batch at offset \(batch.baseOffset) reaches over \(limit), where the next segment begins"
        }
        if batch.baseOffset > next, let follower, follower.baseOffset < batch.nextOffset {
            return "batch at offset \(batch.baseOffset) is followed by \(follower.baseOffset)"
        }
        return nil
    }

    /// The offset after the last batch, from the last index entry on; nil where a header there is not sound.
    func nextOffset() throws(FileError) -> Offset? {
        let file = try file()
        let (start, size) = try state.withLock { state throws(FileError) in
            (try state.offsets.last(fileSystem, where: { _ in true })?.position ?? 0, state.size)
        }
        var next = baseOffset
        var sinceEntry = 0
        var scanner = BatchScanner(file, from: Int64(start), to: size, checkingCRC: false)
        while true {
            switch try scanner.next() {
            case .flaw: return nil
            case .end:
                state.withLock { $0.bytesSinceEntry = sinceEntry }
                return next
            case .batch(let batch, _):
                guard batch.baseOffset >= next else { return nil }
                next = batch.nextOffset
                sinceEntry += batch.byteCount
                state.withLock { state in
                    if batch.maxTimestamp > state.maxTimestamp {
                        state.maxTimestamp = batch.maxTimestamp
                        state.maxTimestampOffset = batch.lastOffset
                    }
                }
            }
        }
    }

    /// Cuts the segment so that it ends with the last batch wholly below `end`; durable when it returns. Gives the new end.
    func truncate(to end: Offset, indexInterval: ByteCount) throws(FileError) -> Offset {
        let file = try file()
        let size: Int64 =
            switch try find(end, to: size) {
            case .batch(_, let position), .flaw(let position, _): position
            case .none: size
            }
        try file.truncate(to: size)
        try file.sync()
        let scan = try rebuild(indexInterval: indexInterval, checkingCRC: false, contiguousFrom: nil) { _ in }
        try state.withLock { state throws(FileError) in try state.aborted.truncate(to: scan.next, fileSystem) }
        unseal()
        return scan.next
    }
}
