import Base
import NIOCore
import Records
import SystemPackage

/// What one compaction looks at.
struct CompactionPlan: Sendable {
    /// Sealed, durable segments from the log's first on.
    var segments: [Segment]
    /// The offset after them.
    var end: Offset
    /// Below it the log has been compacted before.
    var cleanedTo: Offset
}

extension PartitionLog {
    /// Which segments to compact now, or nil where it is not worth it: less than `min.cleanable.dirty.ratio` of the log is dirty, and nothing dirty is
    /// older than `max.compaction.lag.ms`.
    func compactionPlan(now: Timestamp) -> CompactionPlan? {
        state.withLock { state in
            guard !state.isClosed, state.offlineReason == nil else { return nil }
            // Positions that others hold lie in later segments, and what they stand for is durable and visible.
            let fixed = min(state.durable.segment, state.highWatermark.segment, state.end.segment)
            let isFree = { (segment: Segment) in
                segment.baseOffset < fixed && now - segment.maxTimestamp >= state.config.compactionLagMin
            }
            // What is undecided stays as it is.
            let stable = state.lastStable
            let isDecided = zip(state.segments, state.segments.dropFirst()).prefix { $1.baseOffset <= stable }
            let count = min(isDecided.count, state.segments.prefix(while: isFree).count)
            guard count > 0, state.segments.count > count else { return nil }
            let segments = Array(state.segments[..<count])
            let end = state.segments[count].baseOffset
            guard end > state.cleanedTo else { return nil }
            let total = segments.reduce(Int64(0)) { $0 + $1.size }
            let dirty = segments.filter { $0.baseOffset >= state.cleanedTo }
            let dirtyBytes = dirty.reduce(Int64(0)) { $0 + $1.size }
            let isOverdue = dirty.contains { segment in
                state.config.compactionLagMax.map { now - (segment.firstArrival ?? now) > $0 } ?? false
            }
            guard isOverdue || Double(dirtyBytes) > state.config.dirtyRatioMin * Double(total) else { return nil }
            return CompactionPlan(segments: segments, end: end, cleanedTo: state.cleanedTo)
        }
    }
}

/// Keeps the latest record of each key (KIP-58 and its descendants). Offsets stay what they were; a batch of which all is kept is copied as it is.
///
/// The dirty part is read once to learn the latest offset of each of its keys, in bounded memory; then every segment below is written anew
/// beside the old one (`.cleaned`), made durable and renamed over it, the log before its indexes. Killed at any point, the next start finds
/// the old file or the new. A tombstone outlives the compaction that first meets it and `delete.retention.ms`. Records without a key are kept.
/// Records of aborted transactions go, and a transaction's marker once none of its records is left and it is as old as a tombstone that goes.
struct Compaction: ~Copyable {
    private let log: PartitionLog
    private let plan: CompactionPlan
    private let now: Timestamp
    private let config: LogConfig
    private let latest = CompactionKeys()
    /// By producer.
    private var aborted: [ProducerID: [AbortedTransaction]] = [:]
    /// Producers of which a record of a transaction was kept whose marker has not come yet.
    private var kept: Set<ProducerID> = []
    private var decompressor = Decompressor()
    private var compressor = Compressor()

    init(log: PartitionLog, plan: CompactionPlan, now: Timestamp) {
        self.log = log
        self.plan = plan
        self.now = now
        config = log.config
    }

    private static let suffix = ".cleaned"

    mutating func run() throws(FileError) {
        try learnAborted()
        let end = try learnKeys()
        var before: Int64 = 0
        var after: Int64 = 0
        for segment in plan.segments where segment.baseOffset < end {
            before += segment.size
            after += try rewrite(segment, below: end)
        }
        log.state.withLock { $0.cleanedTo = max($0.cleanedTo, end) }
        log.shared.emit(
            .compacted(log.partition, bytesBefore: ByteCount(Int(before)), bytesAfter: ByteCount(Int(after)), upTo: end)
        )
    }

    private mutating func learnAborted() throws(FileError) {
        guard log.state.withLock({ $0.hasAborted }), let first = plan.segments.first else { return }
        var found: [AbortedTransaction] = []
        for segment in plan.segments {
            _ = try segment.collectAborted(from: first.baseOffset, to: plan.end, into: &found)
        }
        aborted = Dictionary(grouping: found, by: \.producerID)
    }

    private func isAborted(_ batch: BatchHeader) -> Bool {
        guard batch.isTransactional, !batch.isControl, let transactions = aborted[batch.producerID] else {
            return false
        }
        return transactions.contains { $0.firstOffset <= batch.baseOffset && batch.baseOffset < $0.lastOffset }
    }

    /// Fills `latest` from the dirty part; gives the offset up to which it got before the memory was used up.
    private mutating func learnKeys() throws(FileError) -> Offset {
        for (place, segment) in plan.segments.enumerated() {
            let next = place + 1 < plan.segments.count ? plan.segments[place + 1].baseOffset : plan.end
            if next <= plan.cleanedTo { continue }
            var scanner = BatchScanner(try segment.file(), from: 0, to: segment.size, checkingCRC: false)
            while case .batch(let header, let position) = try scanner.next() {
                if header.isControl || header.nextOffset <= plan.cleanedTo || isAborted(header) { continue }
                if latest.byteCount > log.shared.settings.compactionKeyBytes.bytes { return header.baseOffset }
                try learn(try segment.bytes(of: header, at: position), header)
            }
        }
        return plan.end
    }

    private mutating func learn(_ bytes: ByteBuffer, _ header: BatchHeader) throws(FileError) {
        do throws(RecordError) {
            var records = try RecordBatch(bytes).records(
                decompressedMax: log.shared.settings.decompressedMax, using: &decompressor)
            var found: [(hash: CompactionKeys.Hash, offset: Offset)] = []
            try records.forEachUnsafe { (record) throws(RecordError) in
                if let key = record.key { found.append((latest.hash(key), record.offset)) }
            }
            for (hash, offset) in found { latest.note(hash, at: offset) }
        } catch {
            log.shared.emit(.batchNotCompacted(log.partition, offset: header.baseOffset, reason: error.message))
        }
    }

    /// Writes the segment anew and puts it in the old one's place. Gives its new size.
    private mutating func rewrite(_ old: Segment, below end: Offset) throws(FileError) -> Int64 {
        let fileSystem = log.shared.fileSystem
        let new = try Segment.create(
            baseOffset: old.baseOffset, folder: log.folder, fileSystem: fileSystem, suffix: Self.suffix)
        var scanner = BatchScanner(try old.file(), from: 0, to: old.size, checkingCRC: true)
        scan: while true {
            switch try scanner.next() {
            case .end: break scan
            case .flaw(let position, let reason):
                throw FileError(.damaged, .read, old.path, detail: "damaged at byte \(position): \(reason)")
            case .batch(let header, let position):
                let bytes = try old.bytes(of: header, at: position)
                guard let kept = try remains(bytes, header, below: end) else { continue }
                try new.append(kept.bytes)
                new.added(kept.header, indexInterval: config.indexInterval, arrived: old.lastArrival)
            }
        }
        if new.size == old.size {
            // Nothing to drop: the old file stays.
            try fileSystem.unlink(new.path)
            return old.size
        }
        new.seal()
        try new.sync()
        try swap(old, for: new)
        return new.size
    }

    /// What stays of a batch: all, some of its records, or nil.
    private mutating func remains(
        _ bytes: ByteBuffer, _ header: BatchHeader, below end: Offset
    ) throws(FileError) -> (bytes: ByteBuffer, header: BatchHeader)? {
        if header.baseOffset >= end { return (bytes, header) }
        let tombstonesGo =
            header.lastOffset < plan.cleanedTo && now - header.maxTimestamp > config.tombstoneRetention
        if header.isControl {
            let hasRecords = kept.remove(header.producerID) != nil
            return hasRecords || !tombstonesGo ? (bytes, header) : nil
        }
        let isAborted = isAborted(header)
        let isProducersLast = log.isRemembered(header)
        let latest = latest
        do throws(RecordError) {
            let batch = try RecordBatch(bytes).filtered(
                decompressedMax: log.shared.settings.decompressedMax, keepsEmpty: isProducersLast,
                decompressor: &decompressor, compressor: &compressor
            ) { (records) throws(RecordError) in
                var records = records
                var keyed: [(place: Int, hash: CompactionKeys.Hash, offset: Offset, isTombstone: Bool)] = []
                var place = 0
                try records.forEachUnsafe { (record) throws(RecordError) in
                    if let key = record.key {
                        keyed.append((place, latest.hash(key), record.offset, record.value == nil))
                    }
                    place += 1
                }
                var verdicts = Array(repeating: !isAborted, count: place)
                if isAborted { return verdicts }
                for (place, hash, offset, isTombstone) in keyed {
                    let isReplaced = latest.latest(hash).map { $0 > offset } ?? false
                    verdicts[place] = !isReplaced && !(isTombstone && tombstonesGo)
                }
                return verdicts
            }
            if let batch, batch.isTransactional, batch.recordCount > 0 { kept.insert(batch.header.producerID) }
            return batch.map { ($0.bytes, $0.header) }
        } catch { return (bytes, header) }
    }

    private func swap(_ old: Segment, for new: Segment) throws(FileError) {
        let fileSystem = log.shared.fileSystem
        // Readers that hold the old segment go on reading the old file.
        _ = try old.file()
        for file in old.indexFiles where try fileSystem.exists(file) { try fileSystem.unlink(file) }
        try fileSystem.syncDirectory(log.path)
        try fileSystem.rename(new.path, to: old.path)
        try fileSystem.syncDirectory(log.path)
        for name in [Segment.indexSuffix, Segment.timeIndexSuffix] {
            try fileSystem.rename(
                log.folder.segmentFile(old.baseOffset, name + Self.suffix),
                to: log.folder.segmentFile(old.baseOffset, name)
            )
        }
        try fileSystem.syncDirectory(log.path)
        let segment = Segment(baseOffset: old.baseOffset, folder: log.folder, fileSystem: fileSystem)
        if let reason = try segment.load(indexInterval: config.indexInterval, isActive: false) {
            log.shared.emit(.indexRebuilt(log.partition, file: segment.path, reason: reason))
        }
        segment.takeAborted(of: old)
        log.replace(old, with: segment)
    }
}

extension Segment {
    /// Goes on with another's `.txnindex`, of which a part may be in memory.
    func takeAborted(of old: Segment) {
        let aborted = old.state.withLock { $0.aborted }
        state.withLock { $0.aborted = aborted }
    }

    func append(_ bytes: ByteBuffer) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeReadableBytes { bytes in
            do throws(FileError) { try append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension PartitionLog {
    /// True where the batch is one of the last that its producer wrote: without it a restart would forget the sequence.
    fileprivate func isRemembered(_ header: BatchHeader) -> Bool {
        guard header.producerID.rawValue >= 0 else { return false }
        return state.withLock { state in
            state.producers.producers[header.producerID.rawValue]?.batches
                .contains { $0.lastOffset == header.lastOffset.rawValue } ?? false
        }
    }

    /// Puts a rewritten segment in the old one's place; one without a batch goes, unless the log begins with it.
    fileprivate func replace(_ old: Segment, with new: Segment) {
        state.withLock { state in
            guard let index = state.segments.firstIndex(where: { $0 === old }) else { return }
            if new.size > 0 || index == 0 {
                state.segments[index] = new
            } else {
                state.segments.remove(at: index)
                state.condemned.append(new)
            }
        }
    }
}
