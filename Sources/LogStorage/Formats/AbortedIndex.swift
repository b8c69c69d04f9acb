import Base
import Records

/// One entry of a `.txnindex`: a transaction whose abort marker stands in the segment.
///
/// ```
/// | version i16 = 0 | producerID i64 | firstOffset i64 | lastOffset i64 | lastStableOffset i64 |   34 bytes, big-endian
/// ```
///
/// Kafka's own. `firstOffset` is that of the transaction's first batch in the partition (perhaps in an earlier segment), `lastOffset` that of
/// the marker; entries ascend by it. `lastStableOffset` is where the log was stable once this transaction was decided: every abort that is
/// written later began at or beyond it.
struct AbortedEntry: IndexEntry {
    static let byteCount = 34

    var producerID: Int64
    var firstOffset: Int64
    var lastOffset: Int64
    var lastStableOffset: Int64
    var version: Int16 = 0

    init(producerID: Int64, firstOffset: Int64, lastOffset: Int64, lastStableOffset: Int64) {
        self.producerID = producerID
        self.firstOffset = firstOffset
        self.lastOffset = lastOffset
        self.lastStableOffset = lastStableOffset
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        func number(_ place: Int) -> Int64 {
            Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int64.self))
        }
        version = Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))
        producerID = number(2)
        firstOffset = number(10)
        lastOffset = number(18)
        lastStableOffset = number(26)
    }

    func write(to writer: inout BigEndianWriter) {
        writer.write(version)
        writer.write(producerID)
        writer.write(firstOffset)
        writer.write(lastOffset)
        writer.write(lastStableOffset)
    }

    var bytes: [UInt8] {
        var writer = BigEndianWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Whether it can stand behind an entry whose marker stands at `before`, in a segment that begins at `base` and ends at `end`.
    func isPlausible(after before: Int64, base: Offset, end: Offset) -> Bool {
        version == 0 && producerID >= 0 && firstOffset >= 0 && firstOffset < lastOffset && lastOffset > before
            && lastOffset >= base.rawValue && lastOffset < end.rawValue && lastStableOffset <= lastOffset + 1
    }
}

/// How many entries a segment's `.txnindex` has, and their CRC-32C. It stands in the producers' snapshot, for the file itself has no sum, and
/// a wrong entry would show records of an aborted transaction as committed.
struct AbortedSum: Equatable, Sendable {
    var count: Int32 = 0
    var crc: UInt32 = 0
}

/// `<base>.txnindex`: the aborted transactions of a segment, for readers that want only what was committed. There is no file where there are none.
///
/// Unlike the other indexes it can't be searched around: an entry that is missing makes a wrong answer. So what can't be written stays in memory, and
/// a start holds the file against the sum in the snapshot and against the markers in the log.
struct AbortedIndex: Sendable {
    static let suffix = ".txnindex"
    private static let readBytes = 34 * 1024

    private(set) var index: SegmentIndex<AbortedEntry>
    private(set) var sum = AbortedSum()
    private(set) var lastOffset: Int64 = -1

    init(_ folder: Folder, base: Offset) { index = SegmentIndex(folder.segmentFile(base, Self.suffix)) }

    var isEmpty: Bool { sum.count == 0 }
    var hasUnwritten: Bool { !index.tail.isEmpty }

    /// Adds an entry, but for one that is there already (batches are read again at a start).
    mutating func add(_ entry: AbortedEntry, _ fileSystem: any FileSystem) {
        guard entry.lastOffset > lastOffset else { return }
        note(entry)
        try? index.append(entry, fileSystem)
    }

    private mutating func note(_ entry: AbortedEntry) {
        lastOffset = entry.lastOffset
        sum.count += 1
        sum.crc = entry.bytes.withUnsafeBytes { CRC32C.checksum($0, continuing: sum.crc) }
    }

    /// Takes what stands in the file as far as `isTaken` says of the entries counted so far; the rest of the file is cut off.
    private mutating func read(
        _ fileSystem: any FileSystem, isTaken: (AbortedEntry, Int32) -> Bool
    ) throws(FileError) {
        let path = index.path
        sum = AbortedSum()
        lastOffset = -1
        index = SegmentIndex(path)
        guard let status = try fileSystem.status(path), status.size > 0 else { return }
        let file = try fileSystem.open(path, .readWrite)
        defer { file.close() }
        var at: Int64 = 0
        reading: while at < status.size {
            let part = try file.bytes(at: at, count: Int(min(Int64(Self.readBytes), status.size - at)))
            let count = part.readableBytes / AbortedEntry.byteCount
            if count == 0 { break }
            for place in 0..<count {
                let entry = part.withUnsafeReadableBytes { bytes in
                    let start = place * AbortedEntry.byteCount
                    return AbortedEntry(UnsafeRawBufferPointer(rebasing: bytes[start..<start + AbortedEntry.byteCount]))
                }
                guard isTaken(entry, sum.count) else { break reading }
                note(entry)
            }
            at += Int64(count * AbortedEntry.byteCount)
        }
        let size = Int64(sum.count) * Int64(AbortedEntry.byteCount)
        if status.size != size { try file.truncate(to: size) }
        index = SegmentIndex(path, fileCount: Int(sum.count))
    }

    /// Takes the file as the sum says that it was; what stands behind is derived again. False where it is not as it was: then it is empty.
    mutating func load(_ wanted: AbortedSum, _ fileSystem: any FileSystem) throws(FileError) -> Bool {
        try read(fileSystem) { _, count in count < wanted.count }
        if sum == wanted { return true }
        try clear(fileSystem)
        return false
    }

    /// Takes as much of a file without a sum as can be true.
    mutating func loadUnsummed(base: Offset, end: Offset, _ fileSystem: any FileSystem) throws(FileError) {
        var last: Int64 = -1
        try read(fileSystem) { entry, _ in
            defer { last = entry.lastOffset }
            return entry.isPlausible(after: last, base: base, end: end)
        }
    }

    mutating func clear(_ fileSystem: any FileSystem) throws(FileError) {
        sum = AbortedSum()
        lastOffset = -1
        try index.remove(fileSystem)
    }

    /// Forgets the transactions whose markers stand at or beyond `end`.
    mutating func truncate(to end: Offset, _ fileSystem: any FileSystem) throws(FileError) {
        guard lastOffset >= end.rawValue else { return }
        try write(fileSystem)
        try read(fileSystem) { entry, _ in entry.lastOffset < end.rawValue }
    }

    mutating func write(_ fileSystem: any FileSystem) throws(FileError) { try index.write(fileSystem) }

    /// Writes and makes durable.
    mutating func seal(_ fileSystem: any FileSystem) throws(FileError) {
        if !isEmpty { try index.seal(fileSystem) }
    }

    /// Adds the transactions that a reader of the offsets from `start` up to `end` has to know. True where no later one can concern it.
    mutating func collect(
        from start: Offset, to end: Offset, into found: inout [AbortedTransaction], _ fileSystem: any FileSystem
    ) throws(FileError) -> Bool {
        if isEmpty { return false }
        var isComplete = false
        try index.each(fileSystem, behind: { $0.lastOffset < start.rawValue }) { entry in
            if entry.firstOffset < end.rawValue {
                found.append(
                    AbortedTransaction(
                        producerID: ProducerID(entry.producerID), firstOffset: Offset(entry.firstOffset),
                        lastOffset: Offset(entry.lastOffset)))
            }
            isComplete = entry.lastStableOffset >= end.rawValue
            return !isComplete
        }
        return isComplete
    }
}
