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
}

/// Opens one partition's folder, whatever a crash left in it.
///
/// 1. Leftovers of deletions and compactions go.
/// 2. Segments that end at or below the recovery point are taken as they are; wrong indexes are rebuilt.
/// 3. Later ones, after an unclean end, are read whole: every CRC, and every batch must begin where the last one ended. At the first that
///    does not, the log is cut, and what follows is dropped: nothing of it was ever acknowledged, for flushes go from old to new.
///    A flaw *below* the recovery point is not the crash's doing: the partition stays offline rather than lose what follows.
/// 4. The cut, and all that was read, is made durable before anything is appended or answered.
/// 5. Leader epochs and producers are brought up to the log's end from the batch headers.
struct LogRecovery {
    let partition: TopicPartition
    let topicID: TopicID
    let folder: Folder
    let shared: LogShared
    let config: LogConfig
    let start: LogStart

    private var segments: [Segment] = []
    private var end = Offset.zero
    private var epochs = LeaderEpochCache()
    private var scannedFrom: Int?
    private var bytesRead: Int64 = 0

    init(
        _ partition: TopicPartition, topicID: TopicID, path: FilePath, shared: LogShared, config: LogConfig,
        start: LogStart
    ) {
        self.partition = partition
        self.topicID = topicID
        folder = Folder(path)
        self.shared = shared
        self.config = config
        self.start = start
    }

    private var fileSystem: any FileSystem { shared.fileSystem }

    mutating func open() throws(LogError) -> PartitionLog {
        do throws(FileError) {
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

    private func rot(_ reason: String) -> FileError {
        FileError(.damaged, .read, folder.path, detail: reason)
    }

    /// Removes what a deletion or compaction left behind; gives the names that remain.
    private func tidy() throws(FileError) -> [String] {
        var names: [String] = []
        for entry in try fileSystem.list(folder.path) {
            if [".deleted", ".cleaned", ".tmp"].contains(where: { entry.name.hasSuffix($0) }) {
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
        for suffix in [Segment.indexSuffix, Segment.timeIndexSuffix] {
            for base in Folder.offsets(names, suffix) where !bases.contains(base) {
                try fileSystem.unlink(folder.segmentFile(base, suffix))
            }
        }
        return bases
    }

    // MARK: - Segments

    private mutating func loadSegments(_ bases: [Offset]) throws(FileError) {
        end = start.logStart ?? .zero
        for (place, base) in bases.enumerated() {
            let next = place + 1 < bases.count ? bases[place + 1] : nil
            let segment = Segment(baseOffset: base, folder: folder, fileSystem: fileSystem)
            let isKnownDurable = next.map { $0 <= start.recoveryPoint } ?? false
            if start.isClean || isKnownDurable {
                try take(segment, next: next)
                continue
            }
            if place > 0, base != end, base >= start.recoveryPoint || end >= start.recoveryPoint {
                try drop(bases[place...], "segment \(base) does not continue the log, which ends at \(end)")
                break
            }
            scannedFrom = scannedFrom ?? segments.count
            if try check(segment, isLast: next == nil) == false {
                try drop(bases[(place + 1)...], "the segment before was cut")
                break
            }
        }
        try finishSegments()
    }

    private mutating func take(_ segment: Segment, next: Offset?) throws(FileError) {
        if let reason = try segment.load(indexInterval: config.indexInterval, isActive: next == nil) {
            shared.emit(.indexRebuilt(partition, file: segment.path, reason: reason))
        }
        if let next {
            segments.append(segment)
            end = next
        } else if let last = try segment.nextOffset() {
            segments.append(segment)
            end = last
        } else {
            scannedFrom = segments.count
            _ = try check(segment, isLast: true)
        }
    }

    /// Reads a segment whole and cuts it at its first flaw. False where it was cut.
    private mutating func check(_ segment: Segment, isLast: Bool) throws(FileError) -> Bool {
        let scan = try segment.rebuild(
            indexInterval: config.indexInterval, checkingCRC: true,
            contiguousFrom: max(start.recoveryPoint, segment.baseOffset)
        ) { _ in }
        bytesRead += scan.size
        segments.append(segment)
        end = scan.next
        guard let reason = scan.flaw else {
            if !isLast { segment.seal() }
            return true
        }
        let known = start.recoveryPoint
        guard scan.next >= known else {
            throw rot(
                "\(segment.path) is damaged at byte \(scan.size), offset \(scan.next): \(reason). Records up to "
                    + "\(known) were safely on disk, so this is no torn write; restore the file from a copy, or remove "
                    + "\(partition.topic) \(partition.partition) from \(OffsetCheckpoint.recoveryPoint) to have the log cut here"
            )
        }
        let file = try segment.file()
        let size = try file.status().size
        try file.truncate(to: scan.size)
        try file.sync()
        shared.emit(
            .tailCut(
                partition, file: segment.path, position: scan.size, bytesCut: size - scan.size, reason: reason))
        return false
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
        let known = start.recoveryPoint
        guard end >= known else {
            throw rot("the log ends at offset \(end), though records up to \(known) were safely on disk")
        }
        if let logStart = start.logStart, logStart > end {
            // Records were deleted beyond what survived: the log goes on where its readers are.
            try drop(segments.map(\.baseOffset)[...], "all lie below the log's start \(logStart)")
            segments = []
            end = logStart
        }
        if segments.isEmpty {
            segments = [try Segment.create(baseOffset: end, folder: folder, fileSystem: fileSystem)]
            scannedFrom = 0
        }
        segments[segments.count - 1].unseal()
    }

    private func makeDurable() throws(FileError) {
        // Read from the page cache is not yet on disk: the process may have been killed, not the machine.
        for segment in segments[(scannedFrom ?? 0)...] { try segment.sync() }
        try fileSystem.syncDirectory(folder.path)
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
        epochs.truncateEnd(to: from)
        var cache = epochs
        let batches = StoredBatches(partition: partition, folder: folder, shared: shared, segments: segments, end: end)
        try batches.each(from: from) { cache.assign($0.partitionLeaderEpoch, at: $0.baseOffset) }
        epochs = cache
        epochs.isDirty = true
    }

    private func log(_ producers: ProducerState) -> PartitionLog {
        let active = segments[segments.count - 1]
        let place = LogPosition(offset: end, segment: active.baseOffset, position: active.size)
        let state = PartitionLog.State(
            config: config, segments: segments, logStart: max(start.logStart ?? .zero, segments[0].baseOffset),
            end: place, durable: place, highWatermark: place, producers: producers, epochs: epochs,
            cleanedTo: start.cleanedTo, lastFlush: shared.time.wallTime)
        return PartitionLog(partition, topicID: topicID, folder: folder, shared: shared, state: state)
    }
}
