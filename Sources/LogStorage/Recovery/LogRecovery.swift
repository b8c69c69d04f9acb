import Base
import NIOCore
import Records
import SystemPackage

/// What the log directory knows of a partition before its folder is read.
struct LogStart: Sendable {
    /// All files were flushed and written at the last shutdown.
    var isClean: Bool
    /// All below it was durable when the checkpoint was written.
    var recoveryPoint: Offset
    var logStart: Offset?
    var cleanedTo: Offset = .zero
    /// Read every segment, whatever is known of it.
    var checksAll = false
}

/// Opens one partition's folder, whatever a crash left in it.
///
/// 1. Leftovers of deletions and compactions go.
/// 2. Segments that end at or below the recovery point are taken as they are; wrong indexes are rebuilt.
/// 3. Later ones, after an unclean end, are read whole: every CRC, and every batch must begin where the last one ended. What does not is
///    set aside, an empty batch takes its offsets, and every sound batch behind it stays (`SegmentSurvey`). Below the *known durable point*
///    it is rot and told as an error; beyond it the disk may have written in any order, and a producer's resend of it is taken
///    (`ProducerState.holes`). Where nothing sound follows beyond that point, the log is cut: a torn tail.
/// 4. The cut, and all that was read, is made durable before anything is appended or answered.
/// 5. Leader epochs, producers and aborted transactions are brought up to the log's end from the batch headers.
struct LogRecovery {
    let partition: TopicPartition
    let topicID: TopicID
    let folder: Folder
    let shared: LogShared
    let config: LogConfig
    let start: LogStart
    private let progress: RecoveryProgress?

    private let durablePoint: DurablePoint
    /// All below it was on the disk.
    private var known = Offset.zero
    /// Where the log ended when it was shut down, as two files say that agree; nil where it was not, or somebody else wrote to it since.
    private var cleanEnd: Offset?
    private var segments: [Segment] = []
    private var end = Offset.zero
    private var epochs = LeaderEpochCache()
    private var scannedFrom: Int?
    private var bytesRead: Int64 = 0
    /// Nothing was rebuilt or repaired.
    private var isUntouched = true

    init(
        _ partition: TopicPartition, topicID: TopicID, path: FilePath, shared: LogShared, config: LogConfig,
        start: LogStart, progress: RecoveryProgress? = nil
    ) {
        self.partition = partition
        self.topicID = topicID
        folder = Folder(path)
        self.shared = shared
        self.config = config
        self.start = start
        self.progress = progress
        durablePoint = DurablePoint(folder, shared.fileSystem, topicID: topicID)
    }

    private var fileSystem: any FileSystem { shared.fileSystem }

    mutating func open() throws(LogError) -> PartitionLog {
        do throws(FileError) {
            known = start.recoveryPoint
            if let noted = try durablePoint.load() {
                if start.isClean, noted == start.recoveryPoint { cleanEnd = noted }
                distrustIfAbsurd(noted)
                known = max(known, noted)
            }
            try loadSegments(try bases(try tidy()))
            try loadEpochs()
            let producers = try StoredBatches(
                partition: partition, folder: folder, shared: shared, segments: segments, end: end
            )
            .producers(try fileSystem.list(folder.path).map(\.name))
            if scannedFrom != nil { try makeDurable() }
            return log(producers)
        } catch { throw LogError(error) }
    }

    /// Removes what a deletion or compaction left behind; gives the names that remain.
    private func tidy() throws(FileError) -> [String] {
        var names: [String] = []
        for entry in try fileSystem.list(folder.path) {
            if [".deleted", ".cleaned", ".tmp", SegmentRepair.suffix].contains(where: { entry.name.hasSuffix($0) }) {
                try fileSystem.unlink(folder.file(entry.name))
            } else {
                names.append(entry.name)
            }
        }
        return names
    }

    private func bases(_ names: [String]) throws(FileError) -> [Offset] {
        let bases = Folder.offsets(names, Segment.logSuffix)
        // An index whose log is gone is nobody's.
        for suffix in [Segment.indexSuffix, Segment.timeIndexSuffix, AbortedIndex.suffix] {
            for base in Folder.offsets(names, suffix) where !bases.contains(base) {
                try fileSystem.unlink(folder.segmentFile(base, suffix))
            }
        }
        return bases
    }

    // MARK: - Segments

    private mutating func loadSegments(_ bases: [Offset]) throws(FileError) {
        end = start.logStart ?? .zero
        var rest = bases[...]
        while let base = rest.popFirst() {
            let segment = Segment(baseOffset: base, folder: folder, fileSystem: fileSystem)
            let isKnownDurable = rest.first.map { $0 <= start.recoveryPoint } ?? false
            if !start.checksAll, start.isClean || isKnownDurable {
                try take(segment, next: rest.first)
            } else {
                scannedFrom = scannedFrom ?? segments.count
                try check(segment, &rest)
            }
        }
        try finishSegments()
    }

    /// About how many bytes `open` will read of the segments in this folder; 0 where that can't be found out.
    static func bytesToRead(_ folder: Folder, _ start: LogStart, _ fileSystem: any FileSystem) -> Int64 {
        let bases = Folder.offsets((try? fileSystem.list(folder.path))?.map(\.name) ?? [], Segment.logSuffix)
        let read = bases.enumerated().filter { place, _ in
            start.checksAll || place + 1 == bases.count || bases[place + 1] > start.recoveryPoint
        }
        return read.reduce(0) { sum, segment in
            sum + ((try? fileSystem.status(folder.segmentFile(segment.element, Segment.logSuffix)))??.size ?? 0)
        }
    }

    private mutating func take(_ segment: Segment, next: Offset?) throws(FileError) {
        if let reason = try segment.load(indexInterval: config.indexInterval, isActive: next == nil) {
            shared.emit(.indexRebuilt(partition, file: segment.path, reason: reason))
            isUntouched = false
        }
        if let next {
            segments.append(segment)
            end = next
            segment.release()
        } else if let last = try segment.nextOffset(), last >= known, last == cleanEnd ?? last {
            segments.append(segment)
            end = last
            // A partition to which nobody writes holds no descriptor.
            segment.release()
        } else {
            scannedFrom = segments.count
            var none: ArraySlice<Offset> = []
            try check(segment, &none)
        }
    }

    /// Reads a segment whole, and repairs it where it is damaged or shorter than it was. `rest` are the bases behind it.
    private mutating func check(_ segment: Segment, _ rest: inout ArraySlice<Offset>) throws(FileError) {
        // What stands before these, compaction may have thinned out.
        let thinned = start.checksAll ? start.cleanedTo : max(start.recoveryPoint, start.cleanedTo)
        let contiguousFrom = max(thinned, segment.baseOffset)
        var untold: Int64 = 0
        func tell(_ count: Int64) {
            untold += count
            guard untold >= 16 << 20 else { return }
            progress?.read(untold)
            untold = 0
        }
        defer { progress?.read(untold) }
        var scan = try segment.rebuild(
            indexInterval: config.indexInterval, checkingCRC: true, contiguousFrom: contiguousFrom,
            limit: rest.first ?? cleanEnd
        ) { batch in tell(Int64(batch.byteCount)) }
        bytesRead += scan.size
        if scan.flaw == nil, rest.isEmpty, scan.next < known { distrustIfAbsurd(scan.next) }
        // Before the recovery point compaction may have taken the last batches of a segment.
        let isShort = rest.first.map { scan.next < $0 && scan.next >= contiguousFrom } ?? (scan.next < known)
        guard scan.flaw != nil || isShort else { return keep(segment, scan, next: rest.first) }

        try dropHollow(&rest, behind: scan)
        let survey = try SegmentSurvey(
            of: segment, known: known, limit: rest.first ?? cleanEnd, contiguousFrom: contiguousFrom)
        if survey.holes.isEmpty {
            if let cut = survey.cut {
                report(cut, of: segment)
                let file = try segment.file()
                try file.truncate(to: cut.position)
                try file.sync()
            }
            if survey.next != scan.next { scan = try reread(segment) }
            return keep(segment, scan, next: rest.first)
        }
        try SegmentRepair(partition: partition, folder: folder, shared: shared, known: known).rewrite(segment, survey)
        if let cut = survey.cut { report(cut, of: segment) }
        let repaired = Segment(baseOffset: segment.baseOffset, folder: folder, fileSystem: fileSystem)
        keep(repaired, try reread(repaired), next: rest.first)
    }

    private func reread(_ segment: Segment) throws(FileError) -> Segment.Scan {
        try segment.rebuild(indexInterval: config.indexInterval, checkingCRC: false, contiguousFrom: nil) { _ in }
    }

    /// Drops segments behind damage in which no sound batch stands, up to the first that holds one, or was known to be on the disk.
    private func dropHollow(_ rest: inout ArraySlice<Offset>, behind scan: Segment.Scan) throws(FileError) {
        var hollow: [Offset] = []
        while let base = rest.first, base >= known {
            let segment = Segment(baseOffset: base, folder: folder, fileSystem: fileSystem)
            if try SegmentSurvey.holdsBatch(segment, limit: rest.dropFirst().first) { break }
            hollow.append(base)
            rest.removeFirst()
        }
        let reason = scan.flaw ?? "the segment before them is cut short"
        try drop(hollow[...], "they hold no sound batch, and the log is damaged at offset \(scan.next): \(reason)")
    }

    private mutating func keep(_ segment: Segment, _ scan: Segment.Scan, next: Offset?) {
        segments.append(segment)
        end = scan.next
        if next != nil { segment.seal() }
    }

    private func report(_ cut: (position: Int64, size: Int64, reason: String), of segment: Segment) {
        shared.emit(
            .tailCut(
                partition, file: segment.path, position: cut.position, bytesCut: cut.size - cut.position,
                reason: cut.reason))
    }

    /// A point so far beyond the log's end, or its noted durable point, is no point: a checkpoint is damaged.
    private mutating func distrustIfAbsurd(_ end: Offset) {
        guard known - end > SegmentRepair.emptyOffsetsMax else { return }
        shared.emit(
            .checkpointIgnored(
                file: shared.folder.file(OffsetCheckpoint.recoveryPoint),
                reason: "it says that \(partition) was on disk up to offset \(known), it went to \(end)"))
        known = end
    }

    private func drop(_ bases: ArraySlice<Offset>, _ reason: String) throws(FileError) {
        guard let first = bases.first else { return }
        for base in bases.reversed() {
            let files = Segment(baseOffset: base, folder: folder, fileSystem: fileSystem).files
            for file in files where try fileSystem.exists(file) { try fileSystem.unlink(file) }
        }
        // Before anything is appended: a name that came back would stand where new records belong.
        try fileSystem.syncDirectory(folder.path)
        shared.emit(.segmentsDropped(partition, count: bases.count, from: first, reason: reason))
    }

    private mutating func finishSegments() throws(FileError) {
        if let logStart = start.logStart, logStart > end {
            // Records were deleted beyond what survived: the log goes on where its readers are.
            try drop(segments.map(\.baseOffset)[...], "all lie below the log's start \(logStart)")
            segments = []
            end = logStart
        }
        if segments.isEmpty {
            if end < known {
                distrustIfAbsurd(end)
                if end < known {
                    shared.emit(
                        .batchesQuarantined(
                            partition, from: end, to: known, file: nil, reason: "no segment is left in \(folder.path)"))
                }
                end = known
            }
            segments = [try Segment.create(baseOffset: end, folder: folder, fileSystem: fileSystem)]
            scannedFrom = 0
        }
        segments[segments.count - 1].unseal()
    }

    private func makeDurable() throws(FileError) {
        // Read from the page cache is not yet on disk: the process may have been killed, not the machine.
        for segment in segments[(scannedFrom ?? 0)...] { try segment.sync() }
        // Made before the folder is synced, and raised when all that it says is true.
        durablePoint.raise(to: .zero)
        try fileSystem.syncDirectory(folder.path)
        durablePoint.raise(to: end)
        if !start.isClean {
            shared.emit(
                .recovered(
                    partition, segments: segments.count - (scannedFrom ?? 0), bytesRead: ByteCount(Int(bytesRead)),
                    end: end))
        }
    }

    // MARK: - Epochs and producers

    private mutating func loadEpochs() throws(FileError) {
        let file = folder.file(LeaderEpochCache.fileName)
        var from = scannedFrom.map { segments[$0].baseOffset }
        if let text = try fileSystem.contents(of: file, bytesMax: .mib(16)) {
            if let cache = LeaderEpochCache(text: text) {
                epochs = cache
            } else {
                shared.emit(.checkpointIgnored(file: file, reason: "damaged; epochs are read from the batches"))
                from = segments[0].baseOffset
            }
        } else {
            from = segments[0].baseOffset
        }
        guard let from else { return }
        let batches = StoredBatches(partition: partition, folder: folder, shared: shared, segments: segments, end: end)
        if start.checksAll, !epochs.entries.isEmpty {
            try EpochRepair(
                partition: partition, shared: shared, batches: batches, epochs: epochs, isCurrent: cleanEnd == end
            ).run()
        }
        epochs.truncateEnd(to: from)
        var cache = epochs
        try batches.each(from: from) { cache.assign($0.header.partitionLeaderEpoch, at: $0.header.baseOffset) }
        epochs = cache
        epochs.isDirty = true
    }

    private func log(_ producers: ProducerState) -> PartitionLog {
        let active = segments[segments.count - 1]
        let place = LogPosition(offset: end, segment: active.baseOffset, position: active.size)
        var state = PartitionLog.State(
            config: config, segments: segments, logStart: max(start.logStart ?? .zero, segments[0].baseOffset),
            end: place, durable: place, highWatermark: place, producers: producers, epochs: epochs,
            cleanedTo: start.cleanedTo, isSettled: start.isClean && isUntouched && scannedFrom == nil,
            lastFlush: shared.time.wallTime)
        state.hasAborted = segments.contains { $0.abortedSum.count > 0 }
        return PartitionLog(
            partition, topicID: topicID, folder: folder, shared: shared, durablePoint: durablePoint, state: state)
    }
}
