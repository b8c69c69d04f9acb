import Base
import NIOCore
import Records

extension PartitionLog {
    /// What a reader needs of the state, taken at one moment.
    private struct View {
        var segments: ArraySlice<Segment>
        var limit: Offset
        /// Where `limit` stands, if that is known.
        var place: LogPosition?
        /// The log's end.
        var end: Offset
        var epochs: LeaderEpochCache
        /// Aborted transactions are told.
        var tellsAborted = false
        var slice: LogSlice
    }

    /// Reads from the batch that holds `offset` up to `limit`, at most `bytesMax` bytes. With `atLeastOneBatch` the first batch comes whole
    /// even where it alone is larger. Nothing beyond `limit` is ever returned, nor a byte that a later append may still change.
    ///
    /// - Throws: `.offsetOutOfRange` below the log's start and beyond its end; `.corrupt` where the batch is damaged.
    public func read(
        from offset: Offset, bytesMax: ByteCount, atLeastOneBatch: Bool, upTo limit: ReadLimit
    ) throws(ReadError) -> LogSlice {
        let view = try state.withLock { state throws(ReadError) in try Self.view(state, from: offset, limit, self) }
        guard offset < view.limit else { return view.slice }
        do throws(FileError) {
            var slice = try regions(view, from: offset, bytesMax: bytesMax, atLeastOneBatch: atLeastOneBatch)
            if view.tellsAborted { try tellAborted(in: &slice, view, from: offset) }
            return slice
        } catch { throw ReadError(error) }
    }

    private static func view(
        _ state: State, from offset: Offset, _ limit: ReadLimit, _ log: PartitionLog
    ) throws(ReadError) -> View {
        if let reason = state.offlineReason { throw ReadError(.offline, "\(log.partition) is offline: \(reason)") }
        guard !state.isClosed else { throw ReadError(.offline, "\(log.partition) is closed") }
        guard offset >= state.logStart, offset <= state.end.offset else {
            throw ReadError(
                .offsetOutOfRange,
                "\(log.partition) holds offsets \(state.logStart) to \(state.end.offset), \(offset) was asked for")
        }
        let visible = state.highWatermark
        let stable = state.lastStable
        let slice = LogSlice(
            regions: [], highWatermark: visible.offset, lastStableOffset: stable, logStartOffset: state.logStart)
        let segments = state.segments[segmentIndex(of: offset, in: state.segments)...]
        switch limit {
        case .logEnd:
            return View(
                segments: segments, limit: state.end.offset, place: state.end, end: state.end.offset,
                epochs: state.epochs, slice: slice)
        case .highWatermark, .lastStableOffset:
            let isCommittedOnly = limit == .lastStableOffset
            let end = isCommittedOnly ? stable : visible.offset
            let place = state.highWatermarkIsPlaced && end == visible.offset ? visible : nil
            return View(
                segments: segments, limit: end, place: place, end: state.end.offset, epochs: state.epochs,
                tellsAborted: isCommittedOnly && state.hasAborted, slice: slice)
        }
    }

    /// The last segment whose base is at or below the offset.
    static func segmentIndex(of offset: Offset, in segments: [Segment]) -> Int {
        var low = 0
        var high = segments.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].baseOffset <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private func regions(
        _ view: View, from offset: Offset, bytesMax: ByteCount, atLeastOneBatch: Bool
    ) throws(FileError) -> LogSlice {
        var slice = view.slice
        var room = bytesMax.bytes
        for (index, segment) in zip(view.segments.indices, view.segments) {
            if segment.baseOffset >= view.limit { break }
            let end = try visibleEnd(of: segment, view)
            var start: Int64 = 0
            if slice.isEmpty {
                switch try segment.find(offset, to: end) {
                case .none: continue
                case .flaw(let position, let reason):
                    throw FileError(
                        .damaged, .read, segment.path, detail: "damaged at byte \(position): \(reason)")
                case .batch(let batch, let position):
                    start = position
                    if batch.byteCount > room {
                        guard atLeastOneBatch else { return slice }
                        room = batch.byteCount
                    }
                }
            }
            var count = Int(min(Int64(room), end - start))
            if count <= 0 { continue }
            let next = view.segments.index(after: index)
            let ordered = try segment.orderedEnd(
                of: start..<start + Int64(count), holding: slice.isEmpty ? offset : segment.baseOffset,
                limit: next < view.segments.endIndex ? view.segments[next].baseOffset : view.end, epochs: view.epochs)
            let isWhole = ordered == start + Int64(count)
            count = Int(ordered - start)
            if count <= 0 {
                // What stands before it is served; who goes on from there is told.
                if !slice.isEmpty { return slice }
                throw FileError(
                    .damaged, .read, segment.path,
                    detail:
                        "the batch at byte \(ordered) does not belong there: its offset or its leader epoch is wrong")
            }
            slice.regions.append(FileRegion(file: try segment.file(), position: start, byteCount: count))
            slice.segmentsRead = index - view.segments.startIndex + 1
            room -= count
            if room <= 0 || !isWhole { break }
        }
        return slice
    }

    /// Adds the aborted transactions that concern what was read.
    private func tellAborted(in slice: inout LogSlice, _ view: View, from offset: Offset) throws(FileError) {
        guard let last = slice.regions.last else { return }
        let place = view.segments.index(view.segments.startIndex, offsetBy: slice.segmentsRead - 1)
        let end = try view.segments[place].nextOffset(at: last.position + Int64(last.byteCount))
        for segment in view.segments {
            if try segment.collectAborted(from: offset, to: end, into: &slice.abortedTransactions) { return }
        }
    }

    /// Bytes of the segment that lie below the view's limit.
    private func visibleEnd(of segment: Segment, _ view: View) throws(FileError) -> Int64 {
        if let place = view.place {
            if segment.baseOffset == place.segment { return place.position }
            return segment.size
        }
        switch try segment.find(view.limit, to: segment.size) {
        case .none: return segment.size
        // A batch that begins below the limit and ends beyond it stays hidden.
        case .batch(_, let position), .flaw(let position, _): return position
        }
    }

    /// Finds an offset by what it stands for. Nil where no visible record answers.
    public func offset(
        for query: OffsetQuery, upTo limit: ReadLimit = .highWatermark
    ) throws(ReadError) -> FoundOffset? {
        let (all, start, visible) = state.withLock { state in
            let visible =
                switch limit {
                case .highWatermark: state.highWatermark.offset
                case .lastStableOffset: state.lastStable
                case .logEnd: state.end.offset
                }
            return (
                Searched(segments: state.segments, end: state.end.offset, epochs: state.epochs), state.logStart, visible
            )
        }
        let epochs = all.epochs
        let limits = start..<max(start, visible)
        switch query {
        case .earliest: return FoundOffset(offset: start, timestamp: .none, epoch: epochs.epoch(at: start))
        case .latest: return FoundOffset(offset: visible, timestamp: .none, epoch: epochs.latest)
        case .timestamp(let timestamp):
            for place in all.segments.indices where all.segments[place].maxTimestamp >= timestamp {
                if let found = try first(in: place, of: all, atOrAfter: timestamp, within: limits) {
                    return FoundOffset(
                        offset: found.offset, timestamp: found.time, epoch: epochs.epoch(at: found.offset))
                }
            }
            return nil
        case .maxTimestamp:
            guard let found = try youngest(all, within: limits) else { return nil }
            return FoundOffset(offset: found.offset, timestamp: found.time, epoch: epochs.epoch(at: found.offset))
        }
    }

    /// What a search by time needs of the state, taken at one moment.
    private struct Searched {
        var segments: [Segment]
        /// The log's end.
        var end: Offset
        var epochs: LeaderEpochCache

        func nextBase(_ place: Int) -> Offset? { place + 1 < segments.count ? segments[place + 1].baseOffset : nil }
    }

    /// The record with the largest timestamp; of equal ones the first.
    private func youngest(
        _ all: Searched, within limits: Range<Offset>
    ) throws(ReadError) -> (offset: Offset, time: Timestamp)? {
        var best: (offset: Offset, time: Timestamp)?
        for (place, segment) in all.segments.enumerated() where segment.maxTimestamp > best?.time ?? .none {
            let next = all.nextBase(place) ?? Offset(.max)
            var found: (offset: Offset, time: Timestamp)?
            if segment.baseOffset >= limits.lowerBound, next <= limits.upperBound {
                found = try first(in: place, of: all, atOrAfter: segment.maxTimestamp, within: limits)
            } else {
                // Partly out of sight, and its youngest record perhaps as well.
                found = try youngest(in: place, of: all, within: limits)
            }
            if let found, found.time > best?.time ?? .none { best = found }
        }
        return best
    }

    private func youngest(
        in place: Int, of all: Searched, within limits: Range<Offset>
    ) throws(ReadError) -> (offset: Offset, time: Timestamp)? {
        let segment = all.segments[place]
        var best: (offset: Offset, time: Timestamp)?
        do throws(FileError) {
            var scanner = BatchScanner(try segment.file(), from: 0, to: segment.size, checkingCRC: false)
            while case .batch(let batch, let position) = try scanner.next(), batch.baseOffset < limits.upperBound {
                guard batch.lastOffset >= limits.lowerBound, batch.maxTimestamp > best?.time ?? .none else { continue }
                let bytes = try checkedBytes(of: batch, at: position, in: place, of: all)
                var least = Timestamp(milliseconds: (best?.time.milliseconds ?? -1) + 1)
                while let record = try record(in: bytes, atOrAfter: least, within: limits) {
                    best = record
                    least = Timestamp(milliseconds: record.time.milliseconds + 1)
                }
            }
        } catch { throw ReadError(error) }
        return best
    }

    private func first(
        in place: Int, of all: Searched, atOrAfter timestamp: Timestamp, within limits: Range<Offset>
    ) throws(ReadError) -> (offset: Offset, time: Timestamp)? {
        let segment = all.segments[place]
        do throws(FileError) {
            var found = try segment.find(timestamp: timestamp, to: segment.size)
            while case .batch(let batch, let position) = found {
                let bytes = try checkedBytes(of: batch, at: position, in: place, of: all)
                guard batch.baseOffset < limits.upperBound else { return nil }
                if let record = try record(in: bytes, atOrAfter: timestamp, within: limits) { return record }
                found = try segment.find(timestamp: timestamp, from: position + Int64(batch.byteCount))
            }
            // What stands behind it might be the answer.
            if case .flaw(let position, let reason) = found {
                throw FileError(.damaged, .read, segment.path, detail: "damaged at byte \(position): \(reason)")
            }
            return nil
        } catch { throw ReadError(error) }
    }

    /// A batch that a search by time answers from: it stands where it says, as reads ask of it (see `Segment.orderedEnd`).
    private func checkedBytes(
        of batch: BatchHeader, at position: Int64, in place: Int, of all: Searched
    ) throws(FileError) -> ByteBuffer {
        let segment = all.segments[place]
        let range = position..<position + Int64(batch.byteCount)
        let ordered = try segment.orderedEnd(
            of: range, holding: nil, limit: all.nextBase(place) ?? all.end, epochs: all.epochs)
        guard ordered == range.upperBound else {
            throw FileError(
                .damaged, .read, segment.path,
                detail:
                    "the batch at byte \(ordered) does not belong there: its offset or its leader epoch is wrong")
        }
        return try segment.bytes(of: batch, at: position)
    }

    private func record(
        in bytes: ByteBuffer, atOrAfter timestamp: Timestamp, within limits: Range<Offset>
    ) throws(FileError) -> (offset: Offset, time: Timestamp)? {
        do throws(RecordError) {
            var records = try RecordBatch(bytes).records(decompressedMax: shared.settings.decompressedMax)
            while let record = try records.next() {
                if record.timestamp >= timestamp, limits.contains(record.offset) {
                    return (record.offset, record.timestamp)
                }
            }
            return nil
        } catch { throw FileError(.damaged, .read, path, detail: error.message) }
    }
}
