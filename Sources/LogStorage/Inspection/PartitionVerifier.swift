import Base
import Records
import SystemPackage

/// Checks one partition's folder: see `LogVerifier`.
struct PartitionVerifier {
    let folder: Folder
    let names: [String]
    let fileSystem: any FileSystem
    let isInUse: Bool
    /// Below it compaction may have left gaps.
    let cleanedTo: Offset
    /// As its checkpoint says.
    let logStart: Offset?
    /// What the log's epochs are said to be.
    private var cache: LeaderEpochCache?

    /// The producers as of `end`, and whether nothing that came before is unknown.
    private var producers = ProducerState()
    private var knowsProducers = true

    /// The offset after the last batch.
    private(set) var end = Offset.zero
    /// Where each leader epoch's first batch stands, as the batches say.
    private var epochs: [(epoch: LeaderEpoch, start: Offset)] = []

    init(
        folder: Folder, names: [String], fileSystem: any FileSystem, isInUse: Bool, cleanedTo: Offset, logStart: Offset?
    ) {
        self.folder = folder
        self.names = names
        self.fileSystem = fileSystem
        self.isInUse = isInUse
        self.cleanedTo = cleanedTo
        self.logStart = logStart
    }

    mutating func run(_ report: inout LogReport, progress: (Int64) -> Void) {
        report.partitionCount += 1
        let bases = Folder.offsets(names, Segment.logSuffix)
        end = bases.first ?? .zero
        loadEpochs(&report)
        loadProducers()
        for (place, base) in bases.enumerated() {
            report.segmentCount += 1
            let next = place + 1 < bases.count ? bases[place + 1] : nil
            reading(folder.segmentFile(base, Segment.logSuffix), &report) { (path, report) throws(FileError) in
                try checkSegment(path, base: base, next: next, &report, progress)
            }
        }
        checkEpochs(&report)
        checkIdentity(&report)
        for offset in Folder.offsets(names, ProducerSnapshot.suffix) {
            reading(folder.segmentFile(offset, ProducerSnapshot.suffix), &report) { (path, report) throws(FileError) in
                let bytes = try fileSystem.contents(of: path, bytesMax: .mib(256)) ?? []
                // One that is being written has no sum yet.
                if ProducerSnapshot.state(bytes) == nil, !(isInUse && bytes.isEmpty) {
                    report.add(LogFinding(kind: .snapshot, path: path, message: "its CRC or its lengths are wrong"))
                }
            }
        }
        checkNames(bases, &report)
    }

    private func reading(
        _ path: FilePath, _ report: inout LogReport, _ body: (FilePath, inout LogReport) throws(FileError) -> Void
    ) {
        do throws(FileError) { try body(path, &report) } catch {
            // What a running broker deletes may be gone by now.
            if isInUse, error.code == .noSuchFile { return }
            report.add(LogFinding(kind: .unreadable, path: path, message: "\(error)"))
        }
    }

    // MARK: - Segments

    /// What the indexes of a segment have to agree with.
    private struct Landmarks {
        var batches: [(position: Int64, last: Offset, youngest: Timestamp)] = []
        var aborted: [AbortedEntry] = []
        var maxTimestamp = Timestamp.none

        mutating func add(_ batch: BatchHeader, at position: Int64) {
            batches.append((position, batch.lastOffset, batch.maxTimestamp))
            maxTimestamp = max(maxTimestamp, batch.maxTimestamp)
        }
    }

    private mutating func checkSegment(
        _ path: FilePath, base: Offset, next: Offset?, _ report: inout LogReport, _ progress: (Int64) -> Void
    ) throws(FileError) {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.status().size
        var landmarks = Landmarks()
        if base != end, base < end || base >= cleanedTo {
            report.add(
                LogFinding(kind: .batch, path: path, message: "begins at \(base), the segment before ends at \(end)"))
        }
        end = max(end, base)
        var scanner = BatchScanner(file, from: 0, to: size, checkingCRC: true)
        let readBefore = report.bytesRead
        scan: while true {
            switch try scanner.next() {
            case .end: break scan
            case .flaw(let position, let reason):
                // The last batch of a growing segment may not be whole yet.
                if isInUse, next == nil { break scan }
                report.add(LogFinding(kind: .batch, path: path, position: position, message: reason))
                // Where its length still leads to the batch that has to follow, the check goes on there.
                guard let damaged = try? BatchHeader(file.bytes(at: position, count: BatchLayout.headerBytes)),
                    damaged.baseOffset == end, position + Int64(damaged.byteCount) <= size
                else { break scan }
                end = damaged.nextOffset
                landmarks.add(damaged, at: position)
                scanner = BatchScanner(file, from: position + Int64(damaged.byteCount), to: size, checkingCRC: true)
            case .batch(let batch, let position):
                note(batch, at: position, in: path, base: base, next: next, &report)
                landmarks.add(batch, at: position)
                var marker: TransactionMarker?
                if batch.isControl, batch.byteCount <= TransactionMarker.batchBytesMax {
                    let bytes = try file.bytes(at: position, count: batch.byteCount)
                    marker = (try? RecordBatch(bytes)).flatMap { TransactionMarker($0) }
                }
                if let entry = producers.take(batch, marker: marker, arrived: .none)?.abortedEntry {
                    landmarks.aborted.append(entry)
                }
                report.batchCount += 1
                report.recordCount += Int64(batch.recordCount)
                report.bytesRead = readBefore + position + Int64(batch.byteCount)
                progress(report.bytesRead)
            }
        }
        report.bytesRead = readBefore + size
        if let next, end < next, next >= cleanedTo, end >= cleanedTo {
            report.add(LogFinding(kind: .batch, path: path, message: "ends at \(end), the next begins at \(next)"))
        }
        reading(folder.segmentFile(base, Segment.indexSuffix), &report) { (path, report) throws(FileError) in
            try checkOffsets(path, base: base, landmarks, isSealed: next != nil, &report)
        }
        reading(folder.segmentFile(base, Segment.timeIndexSuffix), &report) { (path, report) throws(FileError) in
            try checkTimes(path, base: base, landmarks, isSealed: next != nil, &report)
        }
        reading(folder.segmentFile(base, AbortedIndex.suffix), &report) { (path, report) throws(FileError) in
            try checkAborted(path, base: base, landmarks, isSealed: next != nil, &report)
        }
    }

    private mutating func note(
        _ batch: BatchHeader, at position: Int64, in path: FilePath, base: Offset, next: Offset?,
        _ report: inout LogReport
    ) {
        let first = batch.baseOffset
        var fault: String?
        if first < end || (first > end && first >= cleanedTo) { fault = "batch at offset \(first), \(end) expected" }
        if let next, batch.nextOffset > next {
            fault = "batch at offset \(first) reaches over the next segment, \(next)"
        }
        if batch.lastOffset - base > Int64(UInt32.max) || batch.lastOffsetDelta < 0 {
            fault = "batch at offset \(first) reaches to \(batch.lastOffset), out of the segment's reach"
        }
        if let fault { report.add(LogFinding(kind: .batch, path: path, position: position, message: fault)) }
        end = max(end, batch.nextOffset)
        let epoch = batch.partitionLeaderEpoch
        // One without records stands where some were lost, perhaps over the beginning of an epoch.
        if batch.recordCount > 0, let expected = cache?.epoch(at: first), expected != epoch {
            report.add(
                LogFinding(
                    kind: .epoch, path: path, position: position,
                    message: "batch at offset \(first) is of leader epoch \(epoch), "
                        + "\(LeaderEpochCache.fileName) says \(expected)"))
        }
        if epochs.last.map({ $0.epoch < epoch }) ?? true { epochs.append((epoch, first)) }
    }

    // MARK: - Indexes

    private func entries<Entry: IndexEntry>(
        _ path: FilePath, isSealed: Bool, _ report: inout LogReport
    ) throws(FileError) -> [Entry]? {
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .mib(256)) else {
            if isSealed { report.add(LogFinding(kind: .index, path: path, message: "is missing")) }
            return nil
        }
        if bytes.count % Entry.byteCount != 0 {
            report.add(
                LogFinding(
                    kind: .index, path: path, message: "\(bytes.count) bytes are no multiple of \(Entry.byteCount)"))
        }
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, through: bytes.count - Entry.byteCount, by: Entry.byteCount).map {
                Entry(UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + Entry.byteCount]))
            }
        }
    }

    private func checkOffsets(
        _ path: FilePath, base: Offset, _ landmarks: Landmarks, isSealed: Bool, _ report: inout LogReport
    ) throws(FileError) {
        guard let entries: [OffsetIndexEntry] = try entries(path, isSealed: isSealed, &report) else { return }
        var place = 0
        var last: Int64 = -1
        for (number, entry) in entries.enumerated() {
            let wanted = Int64(entry.position)
            while place < landmarks.batches.count, landmarks.batches[place].position < wanted { place += 1 }
            let isThere = place < landmarks.batches.count && landmarks.batches[place].position == wanted
            if isThere, wanted > last, landmarks.batches[place].last == base + Int64(entry.relativeOffset) {
                last = wanted
                continue
            }
            // What was appended while the segment was read.
            if isInUse, !isSealed, wanted > landmarks.batches.last?.position ?? -1 { return }
            report.add(
                LogFinding(
                    kind: .index, path: path, position: Int64(number * OffsetIndexEntry.byteCount),
                    message: "no batch that ends with offset \(base + Int64(entry.relativeOffset)) stands at \(wanted)")
            )
            return
        }
    }

    private func checkTimes(
        _ path: FilePath, base: Offset, _ landmarks: Landmarks, isSealed: Bool, _ report: inout LogReport
    ) throws(FileError) {
        guard let entries: [TimeIndexEntry] = try entries(path, isSealed: isSealed, &report) else { return }
        var place = 0
        var youngest = Timestamp.none
        for (number, entry) in entries.enumerated() {
            let last = base + Int64(entry.relativeOffset)
            let before = youngest
            while place < landmarks.batches.count, landmarks.batches[place].last <= last {
                youngest = max(youngest, landmarks.batches[place].youngest)
                place += 1
            }
            let batch = place > 0 ? landmarks.batches[place - 1] : nil
            if let batch, batch.last == last, batch.youngest.milliseconds == entry.timestamp,
                youngest == batch.youngest, youngest > before
            {
                continue
            }
            if isInUse, !isSealed, last > landmarks.batches.last?.last ?? base { return }
            report.add(
                LogFinding(
                    kind: .index, path: path, position: Int64(number * TimeIndexEntry.byteCount),
                    message: "no batch that ends with offset \(last) is the first with a record at \(entry.timestamp)"))
            return
        }
        if isSealed, youngest != landmarks.maxTimestamp {
            report.add(
                LogFinding(kind: .index, path: path, message: "its last entry is not the segment's youngest record"))
        }
    }

    // MARK: - Aborted transactions

    /// What stood before the first segment, as the snapshot at its beginning says.
    private mutating func loadProducers() {
        guard end > .zero else { return }
        let bytes = try? fileSystem.contents(of: folder.segmentFile(end, ProducerSnapshot.suffix), bytesMax: .mib(256))
        if let state = bytes.flatMap({ ProducerSnapshot.state($0) }) {
            producers = state
        } else {
            knowsProducers = false
        }
    }

    private func checkAborted(
        _ path: FilePath, base: Offset, _ landmarks: Landmarks, isSealed: Bool, _ report: inout LogReport
    ) throws(FileError) {
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .gib(1)) else {
            // Compaction may have removed markers, but takes none from the index; a transaction may have begun before what is known.
            if isSealed, !isInUse, !landmarks.aborted.isEmpty {
                report.add(LogFinding(kind: .index, path: path, message: "is missing"))
            }
            return
        }
        var entries: [AbortedEntry] = []
        bytes.withUnsafeBytes { bytes in
            for place in stride(from: 0, through: bytes.count - AbortedEntry.byteCount, by: AbortedEntry.byteCount) {
                entries.append(
                    AbortedEntry(UnsafeRawBufferPointer(rebasing: bytes[place..<place + AbortedEntry.byteCount])))
            }
        }
        if bytes.count % AbortedEntry.byteCount != 0, !isInUse {
            report.add(
                LogFinding(
                    kind: .index, path: path,
                    message: "\(bytes.count) bytes are no multiple of \(AbortedEntry.byteCount)"))
        }
        var last: Int64 = -1
        var due = landmarks.aborted[...]
        for (number, entry) in entries.enumerated() {
            defer { last = entry.lastOffset }
            let isThere = due.first.map { $0 == entry } ?? false
            if isThere { due.removeFirst() }
            let isBeyond = isInUse && !isSealed && entry.lastOffset >= end.rawValue
            let end = isBeyond ? Offset(.max) : end
            // What compaction left of a transaction, and one that began before what is known, tells no more than this.
            let isUntold = entry.firstOffset < cleanedTo.rawValue || !knowsProducers
            let isPlausible = entry.isPlausible(after: last, base: base, end: end)
            if isThere || ((isUntold || isBeyond) && isPlausible) {
                if isUntold, !isThere { due = due.drop { $0.lastOffset <= entry.lastOffset } }
                continue
            }
            report.add(
                LogFinding(
                    kind: .index, path: path, position: Int64(number * AbortedEntry.byteCount),
                    message:
                        "no transaction of producer \(entry.producerID) from offset \(entry.firstOffset) was aborted at "
                        + "\(entry.lastOffset)"))
            return
        }
        if let missing = due.first, isSealed, !isInUse {
            report.add(
                LogFinding(
                    kind: .index, path: path,
                    message: "misses the transaction that was aborted at offset \(missing.lastOffset)"))
        }
    }

    // MARK: - What stands beside the segments

    private mutating func loadEpochs(_ report: inout LogReport) {
        var cache: LeaderEpochCache?
        reading(folder.file(LeaderEpochCache.fileName), &report) { (path, report) throws(FileError) in
            guard let text = try fileSystem.contents(of: path, bytesMax: .mib(4)) else { return }
            cache = LeaderEpochCache(text: text)
            if cache == nil { report.add(LogFinding(kind: .epoch, path: path, message: "is not whole")) }
        }
        self.cache = cache
    }

    /// The other way round: each epoch has to begin with a batch, the oldest perhaps with the log's start.
    private func checkEpochs(_ report: inout LogReport) {
        guard let cache else { return }
        for entry in cache.entries where !isInUse || entry.start < end {
            let isFound = epochs.contains { $0.epoch == entry.epoch && $0.start == entry.start }
            // Compaction may have taken all that an epoch wrote.
            if isFound || entry.start < cleanedTo || (entry == cache.entries[0] && entry.start == logStart) { continue }
            report.add(
                LogFinding(
                    kind: .epoch, path: folder.file(LeaderEpochCache.fileName),
                    message: "no batch of leader epoch \(entry.epoch) begins at \(entry.start)"))
        }
    }

    private func checkIdentity(_ report: inout LogReport) {
        var named: TopicID?
        reading(folder.file(PartitionMetadata.fileName), &report) { (path, report) throws(FileError) in
            // Kafka wrote logs without it before topics had ids.
            guard let text = try fileSystem.contents(of: path, bytesMax: .kib(64)) else { return }
            named = PartitionMetadata(text: text)?.topicID
            if named == nil {
                report.add(
                    LogFinding(kind: .metadata, path: path, message: "expected a version line and a topic_id line"))
            }
        }
        reading(folder.file(DurablePoint.fileName), &report) { (path, report) throws(FileError) in
            guard let bytes = try fileSystem.contents(of: path, bytesMax: .kib(64)) else { return }
            let slots = DurablePoint.slots(in: bytes)
            let isWhole =
                bytes.count == DurablePoint.fileBytes && slots.count == 2
                && DurablePoint.gapIsEmpty(in: bytes)
            if !isWhole, !isInUse {
                report.add(LogFinding(kind: .metadata, path: path, message: "one of its two slots is damaged"))
            }
            guard let newest = slots.max(by: { $0.generation < $1.generation }) else { return }
            if let named, newest.topicID != named {
                report.add(
                    LogFinding(
                        kind: .metadata, path: path,
                        message: "is of the topic \(newest.topicID), partition.metadata says \(named)"))
            }
            if newest.offset > end, !isInUse {
                report.add(
                    LogFinding(
                        kind: .batch, path: path,
                        message: "all below offset \(newest.offset) was on the disk; the log ends at \(end)"))
            }
        }
    }

    private func checkNames(_ bases: [Offset], _ report: inout LogReport) {
        let known: Set<String> = [PartitionMetadata.fileName, LeaderEpochCache.fileName, DurablePoint.fileName]
        let suffixes = [
            Segment.logSuffix, Segment.indexSuffix, Segment.timeIndexSuffix, ProducerSnapshot.suffix,
            AbortedIndex.suffix,
        ]
        for name in names where !known.contains(name) {
            if suffixes.contains(where: { !Folder.offsets([name], $0).isEmpty }) {
                let isIndex = !name.hasSuffix(Segment.logSuffix) && !name.hasSuffix(ProducerSnapshot.suffix)
                let base = Int64(name.prefix(20)).map { Offset($0) }
                if !isIndex || bases.contains(where: { $0 == base }) { continue }
            }
            // What a deletion or a compaction left that is not over, or was cut short; a start clears it away.
            if [".deleted", ".cleaned", ".swap", ".tmp"].contains(where: { name.hasSuffix($0) }) { continue }
            report.add(LogFinding(kind: .strange, path: folder.file(name), message: "is no file of a partition"))
        }
    }
}
