import Base
import NIOCore
import Records

extension Segment {
    /// Where a search ended.
    enum Found: Sendable {
        case batch(BatchHeader, position: Int64)
        case none
        /// The search met bytes that are no batch: damage, for nothing is searched beyond the segment's end.
        case flaw(position: Int64, reason: String)
    }

    /// The first batch before `limit` whose last offset is at or beyond `offset`.
    ///
    /// An index that leads astray is found out (its entry must name the batch that stands there) and not followed.
    func find(_ offset: Offset, to limit: Int64) throws(FileError) -> Found {
        let file = try file()
        return try scan(file, from: start(of: offset, in: file, limit), to: limit) { $0.lastOffset >= offset }
    }

    /// Where to start looking for an offset: a batch that the index names rightly, or the segment's first.
    func start(of offset: Offset, in file: any File, _ limit: Int64) throws(FileError) -> Int64 {
        let wanted = UInt32(clamping: offset - baseOffset)
        let entry = try state.withLock { state throws(FileError) in
            try state.offsets.last(fileSystem) { $0.relativeOffset <= wanted }
        }
        if let entry, Int64(entry.position) < limit, try entryIsTrue(entry, in: file, limit) {
            return Int64(entry.position)
        }
        return 0
    }

    /// Where to start looking at headers so that the batch at a position is met: at or before it.
    func start(ofBatchAt position: Int64, in file: any File, _ limit: Int64) throws(FileError) -> Int64 {
        let entry = try state.withLock { state throws(FileError) in
            try state.offsets.last(fileSystem) { Int64($0.position) <= position }
        }
        if let entry, Int64(entry.position) < limit, try entryIsTrue(entry, in: file, limit) {
            return Int64(entry.position)
        }
        return 0
    }

    /// The first batch before `limit` that holds a record of `timestamp` or younger.
    func find(timestamp: Timestamp, to limit: Int64) throws(FileError) -> Found {
        let file = try file()
        let start = try state.withLock { state throws(FileError) -> OffsetIndexEntry? in
            guard let time = try state.times.last(fileSystem, where: { $0.timestamp < timestamp.milliseconds }) else {
                return nil
            }
            return try state.offsets.last(fileSystem) { $0.relativeOffset <= time.relativeOffset }
        }
        var from: Int64 = 0
        if let start, Int64(start.position) < limit, try entryIsTrue(start, in: file, limit) {
            from = Int64(start.position)
        }
        return try scan(file, from: from, to: limit) { $0.maxTimestamp >= timestamp }
    }

    private func entryIsTrue(_ entry: OffsetIndexEntry, in file: any File, _ limit: Int64) throws(FileError) -> Bool {
        var scanner = BatchScanner(
            file, from: Int64(entry.position), to: limit, checkingCRC: false, window: .bytes(128))
        guard case .batch(let batch, _) = try scanner.next() else { return false }
        return batch.lastOffset - baseOffset == Int64(entry.relativeOffset)
    }

    func scan(
        _ file: any File, from start: Int64, to limit: Int64, until isWanted: (BatchHeader) -> Bool
    ) throws(FileError) -> Found {
        var scanner = BatchScanner(file, from: start, to: limit, checkingCRC: false)
        while true {
            switch try scanner.next() {
            case .batch(let batch, let position):
                if isWanted(batch) { return .batch(batch, position: position) }
            case .flaw(let position, let reason): return .flaw(position: position, reason: reason)
            case .end: return .none
            }
        }
    }

    /// The offset after the last batch that begins before a position, at most the segment's end.
    func nextOffset(at limit: Int64) throws(FileError) -> Offset {
        let file = try file()
        let entry = try state.withLock { state throws(FileError) in
            try state.offsets.last(fileSystem) { Int64($0.position) < limit }
        }
        var start: Int64 = 0
        if let entry, try entryIsTrue(entry, in: file, size) { start = Int64(entry.position) }
        var next = baseOffset
        var scanner = BatchScanner(file, from: start, to: size, checkingCRC: false)
        while scanner.position < limit, case .batch(let batch, _) = try scanner.next() { next = batch.nextOffset }
        return next
    }

    /// The transaction marker in a control batch, or nil.
    func marker(in batch: BatchHeader, at position: Int64) throws(FileError) -> TransactionMarker? {
        guard batch.isControl, batch.byteCount <= TransactionMarker.batchBytesMax else { return nil }
        return (try? RecordBatch(bytes(of: batch, at: position))).flatMap { TransactionMarker($0) }
    }

    /// The bytes of one batch.
    func bytes(of batch: BatchHeader, at position: Int64) throws(FileError) -> ByteBuffer {
        try file().bytes(at: position, count: batch.byteCount)
    }
}

extension Segment {
    /// The first batch from a position on that holds a record of `timestamp` or younger.
    func find(timestamp: Timestamp, from position: Int64) throws(FileError) -> Found {
        try scan(file(), from: position, to: size) { $0.maxTimestamp >= timestamp }
    }
}
