import Base
import NIOCore
import Records

/// Who wrote the batches that are appended.
public enum AppendOrigin: Sendable {
    /// A producer: everything is checked, offsets are assigned.
    case client
    /// This broker's own coordinators: offsets are assigned, control batches are fine.
    case coordinator
    /// The leader of this partition: offsets and epochs are taken as they are.
    case replica
}

/// Where an append ended up.
public struct AppendResult: Sendable, Equatable {
    public var baseOffset: Offset
    public var lastOffset: Offset
    /// An ack may go out once `PartitionLog.ackOffset` has reached this.
    public var nextOffset: Offset
    /// The time that was written into the batches, or `.none` where they keep their own.
    public var logAppendTime: Timestamp
    public var logStartOffset: Offset
    /// The batch was in the log already; the offsets are those of the original.
    public var isDuplicate: Bool
}

extension PartitionLog {
    /// Checks and appends whole record batches (one or more, magic 2) and returns where they stand. What is written are the bytes as they
    /// came; only base offset and leader epoch are patched, and the time with a new CRC where the topic has `LogAppendTime`.
    ///
    /// When it returns the records are in the page cache, durable only once `ackOffset` reaches `nextOffset`. When it throws nothing of
    /// them is in the log. `now` is this broker's wall clock.
    public func append(
        _ batches: ByteBuffer, leaderEpoch: LeaderEpoch, origin: AppendOrigin, now: Timestamp
    ) throws(AppendError) -> AppendResult {
        let config = config
        let check = AppendCheck(
            config: config, origin: origin, now: now, decompressedMax: shared.settings.decompressedMax)
        let headers = try check.headers(in: batches)
        let markers = Self.markers(in: batches, headers)
        var staged = StagedBatches(batches, headers: headers)
        var appendTime = Timestamp.none
        if config.timestampType == .logAppendTime, origin != .replica {
            try staged.setTime(now)
            appendTime = now
        }
        let (result, advanced) = try state.withLock { state throws(AppendError) in
            try refuseWhileOffline(state)
            if origin == .client, let original = try duplicate(of: staged.headers, state) {
                let time = appendTime == .none ? .none : Timestamp(milliseconds: original.timestamp)
                return (
                    AppendResult(
                        baseOffset: Offset(original.baseOffset), lastOffset: Offset(original.lastOffset),
                        nextOffset: Offset(original.lastOffset + 1), logAppendTime: time,
                        logStartOffset: state.logStart, isDuplicate: true), false
                )
            }
            if origin == .coordinator {
                for (place, marker) in markers {
                    if case .refused(let error) = state.producers.verdict(on: marker, headers[place]) { throw error }
                }
            }
            if origin == .replica {
                try checkContinuation(staged.headers, state)
            } else {
                try staged.setOffsets(from: state.end.offset, leaderEpoch)
            }
            try write(staged, markers, &state, now: now)
            let result = AppendResult(
                baseOffset: staged.headers[0].baseOffset, lastOffset: state.end.offset + -1,
                nextOffset: state.end.offset, logAppendTime: appendTime, logStartOffset: state.logStart,
                isDuplicate: false)
            return (result, Self.followLog(&state))
        }
        if advanced { announce() }
        return result
    }

    /// The transaction markers among the batches, by their places.
    private static func markers(in bytes: ByteBuffer, _ headers: [BatchHeader]) -> [Int: TransactionMarker] {
        var markers: [Int: TransactionMarker] = [:]
        var at = bytes.readerIndex
        for (place, header) in headers.enumerated() {
            if header.isControl, let slice = bytes.getSlice(at: at, length: header.byteCount),
                let batch = try? RecordBatch(slice)
            {
                markers[place] = TransactionMarker(batch)
            }
            at += header.byteCount
        }
        return markers
    }

    /// An append is a check of its batch and a copy into the page cache, no more: no record is decoded, nobody waits for a flush.
    public var appendsArePrompt: Bool {
        state.withLock { state in
            state.config.durability == .pageCache && !state.config.compacts && !state.config.validatesRecords
        }
    }

    private func refuseWhileOffline(_ state: State) throws(AppendError) {
        if let reason = state.offlineReason ?? shared.health.reason {
            throw AppendError(.offline, "\(partition) is offline: \(reason)")
        }
        if state.isClosed { throw AppendError(.offline, "\(partition) is closed") }
        if shared.health.isFull { throw AppendError(.noSpace, "the disk of \(path) is full") }
    }

    /// The original of a batch that was sent again, or nil where all batches are new and in sequence.
    private func duplicate(
        of headers: [BatchHeader], _ state: State
    ) throws(AppendError) -> ProducerState.Batch? {
        var producers: ProducerState?
        for (place, header) in headers.enumerated() where header.producerID.rawValue >= 0 {
            switch (producers ?? state.producers).verdict(on: header) {
            case .next: break
            case .duplicate(let original) where headers.count == 1: return original
            case .duplicate:
                throw AppendError(
                    .outOfOrderSequence,
                    "batch \(place) of \(headers.count) in one append is in the log already: send batches one by one")
            case .refused(let error): throw AppendError(error.code, "\(partition): \(error.message)")
            }
            if headers.count > 1 {
                // The next one must continue this one.
                var ahead = producers ?? state.producers
                ahead.take(header, arrived: .none)
                producers = ahead
            }
        }
        return nil
    }

    private func checkContinuation(_ headers: [BatchHeader], _ state: State) throws(AppendError) {
        var next = state.end.offset
        for header in headers {
            guard header.baseOffset >= next else {
                throw AppendError(
                    .offsetsOutOfOrder, "\(partition) ends at \(next), the batch begins at \(header.baseOffset)")
            }
            next = header.nextOffset
        }
    }

    private func write(
        _ staged: StagedBatches, _ markers: [Int: TransactionMarker], _ state: inout State, now: Timestamp
    ) throws(AppendError) {
        do throws(FileError) {
            if mustRoll(before: staged, state, now: now) {
                try roll(&state, nextBase: staged.headers[0].baseOffset)
            }
        } catch { throw refused(error) }
        state.isSettled = false
        let segment = state.segments[state.segments.count - 1]
        do throws(FileError) { try staged.write(to: segment) } catch let failure {
            // A part of it may stand behind the end, where a later, shorter append would leave its rest to be found by recovery.
            do throws(FileError) { try segment.dropBytesBehindEnd() } catch {
                state.offlineReason = "an append failed (\(failure)) and could not be undone (\(error))"
            }
            throw refused(failure)
        }
        for (place, header) in staged.headers.enumerated() {
            segment.added(header, indexInterval: state.config.indexInterval, arrived: now)
            state.note(header, marker: markers[place], arrived: now)
            state.epochs.assign(header.partitionLeaderEpoch, at: header.baseOffset)
        }
        if state.producers.producers.count > shared.settings.producersMax {
            state.producers.expire(notSeenSince: .none, countMax: shared.settings.producersMax)
        }
        state.end = LogPosition(offset: staged.next, segment: segment.baseOffset, position: segment.size)
    }

    private func refused(_ error: FileError) -> AppendError {
        switch error.code {
        case .noSpace: return AppendError(.noSpace, error.description)
        case .tooManyOpenFiles: return AppendError(.offline, error.description)
        default:
            shared.health.fail("an append to \(partition) failed: \(error)")
            return AppendError(.offline, error.description)
        }
    }

    private func mustRoll(before staged: StagedBatches, _ state: State, now: Timestamp) -> Bool {
        let segment = state.segments[state.segments.count - 1]
        let size = segment.size
        guard size > 0 else { return false }
        if size + Int64(staged.byteCount) > Int64(state.config.segmentBytes.bytes) { return true }
        if staged.next - segment.baseOffset > Int64(Int32.max) { return true }
        guard let first = segment.firstArrival else { return false }
        return now - first >= state.config.segmentAge
    }

    /// Seals the last segment and begins another at the log's end. The new name is durable after the next flush.
    func roll(_ state: inout State, nextBase: Offset) throws(FileError) {
        let segment = try Segment.create(baseOffset: nextBase, folder: folder, fileSystem: shared.fileSystem)
        state.segments[state.segments.count - 1].seal()
        state.segments.append(segment)
        state.isSettled = false
        state.folderIsDirty = true
        // Named by the base of a segment, so that recovery finds one near the end. Summed, and never the only source: not synced.
        try? writeSnapshot(state.summedProducers, at: nextBase)
        state.end = LogPosition(offset: state.end.offset, segment: nextBase, position: 0)
    }

    func writeSnapshot(_ producers: ProducerState, at offset: Offset) throws(FileError) {
        let file = try shared.fileSystem.open(folder.segmentFile(offset, ProducerSnapshot.suffix), .create)
        if try file.status().size > 0 { try file.truncate(to: 0) }
        try file.write(ProducerSnapshot.bytes(producers), at: 0)
    }
}
