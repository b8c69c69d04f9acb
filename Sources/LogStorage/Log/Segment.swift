import Base
import NIOCore
import Records
import Synchronization
import SystemPackage

/// One `.log` file of a partition with its two indexes.
///
/// ```
/// 00000000000000004711.log         record batches, one after the other, as they came
/// 00000000000000004711.index       OffsetIndex
/// 00000000000000004711.timeindex   TimeIndex
/// 00000000000000004711.snapshot    ProducerSnapshot as of the base offset
/// ```
///
/// Only the last segment of a log is written; the others are sealed. A segment has a lock of its own for short looks at its state; its
/// writers are ordered by the lock of the log.
final class Segment: Sendable {
    static let logSuffix = ".log"
    static let indexSuffix = ".index"
    static let timeIndexSuffix = ".timeindex"

    struct State: Sendable {
        var file: (any File)?
        var size: Int64 = 0
        /// The largest record timestamp, and the last offset of the first batch that has it.
        var maxTimestamp = Timestamp.none
        var maxTimestampOffset = Offset.none
        var offsets: OffsetIndex
        var times: TimeIndex
        var bytesSinceEntry = 0
        /// When its first batch arrived; nil while it is empty.
        var firstArrival: Timestamp?
        var lastArrival = Timestamp.none
        var lastTimeEntry = Timestamp.none
        var isSealed = false
        var indexesAreDurable = false
    }

    let baseOffset: Offset
    let folder: Folder
    let path: FilePath
    let fileSystem: any FileSystem
    let state: Mutex<State>

    /// A segment whose files bear `suffix` behind their names while it is not yet part of a log.
    init(baseOffset: Offset, folder: Folder, fileSystem: any FileSystem, suffix: String = "") {
        self.baseOffset = baseOffset
        self.folder = folder
        self.fileSystem = fileSystem
        path = folder.segmentFile(baseOffset, Self.logSuffix + suffix)
        state = Mutex(
            State(
                offsets: OffsetIndex(folder.segmentFile(baseOffset, Self.indexSuffix + suffix)),
                times: TimeIndex(folder.segmentFile(baseOffset, Self.timeIndexSuffix + suffix))))
    }

    /// Makes an empty segment; what stands under its names from an earlier life is emptied. The folder is not synced.
    static func create(
        baseOffset: Offset, folder: Folder, fileSystem: any FileSystem, suffix: String = ""
    ) throws(FileError) -> Segment {
        let segment = Segment(
            baseOffset: baseOffset, folder: folder, fileSystem: fileSystem, suffix: suffix)
        let file = try fileSystem.open(segment.path, .create)
        if try file.status().size > 0 { try file.truncate(to: 0) }
        for index in segment.indexFiles where try fileSystem.exists(index) { try fileSystem.unlink(index) }
        segment.state.withLock { $0.file = file }
        return segment
    }

    var size: Int64 { state.withLock { $0.size } }
    var maxTimestamp: Timestamp { state.withLock { $0.maxTimestamp } }
    var lastArrival: Timestamp { state.withLock { $0.lastArrival } }
    var firstArrival: Timestamp? { state.withLock { $0.firstArrival } }

    /// The open log file; opened at the first use.
    func file() throws(FileError) -> any File {
        try state.withLock { state throws(FileError) in try Self.file(of: &state, path, fileSystem) }
    }

    private static func file(
        of state: inout State, _ path: FilePath, _ fileSystem: any FileSystem
    ) throws(FileError) -> any File {
        if let file = state.file { return file }
        let file = try fileSystem.open(path, .readWrite)
        state.file = file
        return file
    }

    /// Writes batches at the segment's end. Where it throws, nothing was added, though bytes may stand behind the end.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        let (file, end) = try state.withLock { state throws(FileError) in
            (try Self.file(of: &state, path, fileSystem), state.size)
        }
        try file.write(bytes, at: end)
    }

    func append(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) throws(FileError) {
        let (file, end) = try state.withLock { state throws(FileError) in
            (try Self.file(of: &state, path, fileSystem), state.size)
        }
        try file.write(head, body, at: end)
    }

    /// Counts a batch that stands at the segment's end now, and indexes it.
    ///
    /// An index entry that can't be written now stays in memory and is tried again: no reason to refuse a batch that is in the log.
    func added(_ batch: BatchHeader, indexInterval: ByteCount, arrived: Timestamp) {
        state.withLock { state in
            let position = state.size
            state.size += Int64(batch.byteCount)
            if state.firstArrival == nil { state.firstArrival = arrived }
            state.lastArrival = arrived
            if batch.maxTimestamp > state.maxTimestamp {
                state.maxTimestamp = batch.maxTimestamp
                state.maxTimestampOffset = batch.lastOffset
            }
            if state.bytesSinceEntry > indexInterval.bytes {
                let relative = UInt32(batch.lastOffset - baseOffset)
                try? state.offsets.append(
                    OffsetIndexEntry(relativeOffset: relative, position: UInt32(position)), fileSystem)
                noteTime(&state)
                state.bytesSinceEntry = 0
            }
            state.bytesSinceEntry += batch.byteCount
        }
    }

    private func noteTime(_ state: inout State) {
        guard state.maxTimestamp > state.lastTimeEntry else { return }
        let relative = UInt32(state.maxTimestampOffset - baseOffset)
        try? state.times.append(
            TimeIndexEntry(timestamp: state.maxTimestamp.milliseconds, relativeOffset: relative), fileSystem)
        state.lastTimeEntry = state.maxTimestamp
    }

    /// No more batches come: the indexes are completed and written where that is possible now; `sync` makes them durable.
    func seal() {
        state.withLock { $0.isSealed = true }
        try? writeIndexes()
    }

    /// Writes the indexes' newest entries, for a shutdown or a start.
    func writeIndexes() throws(FileError) {
        try state.withLock { state throws(FileError) in
            noteTime(&state)
            try state.offsets.write(fileSystem)
            try state.times.write(fileSystem)
        }
    }

    /// Takes batches again, after the segments behind it were cut off.
    func unseal() { state.withLock { $0.isSealed = false } }

    /// Makes the log's bytes durable, and, once it is sealed, its indexes. Appends may go on meanwhile.
    func sync() throws(FileError) {
        let file = try file()
        try file.sync()
        try state.withLock { state throws(FileError) in
            guard state.isSealed, !state.indexesAreDurable else { return }
            do throws(FileError) {
                try state.offsets.seal(fileSystem)
                try state.times.seal(fileSystem)
            } catch {
                guard error.code == .noSpace else { throw error }
                // No room for a cache: better none than one that knows half. It is rebuilt at the next start.
                try state.offsets.remove(fileSystem)
                try state.times.remove(fileSystem)
            }
            state.indexesAreDurable = true
        }
    }

    /// Makes the indexes durable while the segment goes on being written.
    func syncIndexes() throws(FileError) {
        try state.withLock { state throws(FileError) in
            try state.offsets.seal(fileSystem)
            try state.times.seal(fileSystem)
        }
    }

    /// Cuts the file back to the batches that count, after an append that failed midway.
    func dropBytesBehindEnd() throws(FileError) {
        try state.withLock { state throws(FileError) in
            let file = try Self.file(of: &state, path, fileSystem)
            if try file.status().size > state.size { try file.truncate(to: state.size) }
        }
    }

    /// The names of its files, the log first.
    var files: [FilePath] { [path] + indexFiles + [folder.segmentFile(baseOffset, ProducerSnapshot.suffix)] }

    var indexFiles: [FilePath] { state.withLock { [$0.offsets.path, $0.times.path] } }
}

// MARK: - Opening, scanning and truncating

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
    /// compaction may have left gaps.
    func rebuild(
        indexInterval: ByteCount, checkingCRC: Bool, contiguousFrom: Offset?, _ body: (BatchHeader) -> Void
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
                if let flaw = misplaced(batch, after: scan.next, contiguousFrom: contiguousFrom) {
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

    private func misplaced(_ batch: BatchHeader, after next: Offset, contiguousFrom: Offset?) -> String? {
        if batch.baseOffset < next { return "batch at offset \(batch.baseOffset) stands after \(next)" }
        if batch.lastOffset - baseOffset > Int64(UInt32.max) {
            return "batch at offset \(batch.baseOffset) is out of reach of the segment's base \(baseOffset)"
        }
        if let from = contiguousFrom, batch.baseOffset != next, batch.baseOffset >= from {
            return "batch at offset \(batch.baseOffset), \(next) expected"
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
        unseal()
        return scan.next
    }
}
