import Base
import NIOCore
import Records
import Synchronization
import SystemPackage

/// One `.log` file of a partition with its indexes.
///
/// ```
/// 00000000000000004711.log         record batches, one after the other, as they came
/// 00000000000000004711.index       OffsetIndex
/// 00000000000000004711.timeindex   TimeIndex
/// 00000000000000004711.txnindex    AbortedIndex, where transactions were aborted
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
        var aborted: AbortedIndex
        var bytesSinceEntry = 0
        /// When its first batch arrived; nil while it is empty.
        var firstArrival: Timestamp?
        var lastArrival = Timestamp.none
        var lastTimeEntry = Timestamp.none
        var isSealed = false
        var indexesAreDurable = false
        /// So many bytes were on the disk when this life began, and nobody has looked at their headers yet, but for those of `ordered`.
        var loadedSize: Int64 = 0
        var ordered = OrderedBatches()
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
                times: TimeIndex(folder.segmentFile(baseOffset, Self.timeIndexSuffix + suffix)),
                aborted: AbortedIndex(folder, base: baseOffset)))
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
        if suffix.isEmpty, try fileSystem.exists(segment.abortedFile) { try fileSystem.unlink(segment.abortedFile) }
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
            try state.aborted.write(fileSystem)
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
            // Where there is no room it stays in memory, and is derived again at the next start.
            do throws(FileError) { try state.aborted.seal(fileSystem) } catch  where error.code == .noSpace {}
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
            // Seldom looked into from now on, and there may be many.
            state.offsets.close()
            state.times.close()
        }
    }

    /// Lets go of the open files; they are opened again when they are needed.
    func release() {
        state.withLock { state in
            state.file = nil
            state.offsets.close()
            state.times.close()
        }
    }

    /// Makes the indexes durable while the segment goes on being written.
    func syncIndexes() throws(FileError) {
        try state.withLock { state throws(FileError) in
            try state.aborted.seal(fileSystem)
            try state.offsets.seal(fileSystem)
            try state.times.seal(fileSystem)
        }
    }

    /// Notes a transaction whose abort marker was added to the segment.
    func added(_ aborted: AbortedEntry) { state.withLock { $0.aborted.add(aborted, fileSystem) } }

    var abortedSum: AbortedSum { state.withLock { $0.aborted.sum } }

    /// Cuts the file back to the batches that count, after an append that failed midway.
    func dropBytesBehindEnd() throws(FileError) {
        try state.withLock { state throws(FileError) in
            let file = try Self.file(of: &state, path, fileSystem)
            if try file.status().size > state.size { try file.truncate(to: state.size) }
        }
    }

    /// The names of its files, the log first.
    var files: [FilePath] {
        [path] + indexFiles + [abortedFile, folder.segmentFile(baseOffset, ProducerSnapshot.suffix)]
    }

    var abortedFile: FilePath { folder.segmentFile(baseOffset, AbortedIndex.suffix) }

    var indexFiles: [FilePath] { state.withLock { [$0.offsets.path, $0.times.path] } }
}
