import Base
import NIOCore
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// The preallocated file under the intent log: positions count bytes for ever, a record stands at its position modulo the capacity, and
/// never across the end. No decisions about what is kept.
///
/// Records are gathered in memory, one after the other, and written together: whole blocks, past the page cache where the file system can
/// do that, since nobody reads them while all goes well. The block in which the last record ends is written again with what follows it; what
/// stood in it before stands there again, so a write that is torn between sectors harms nothing that was written earlier.
struct IntentRing {
    /// So much is written at once although nobody has asked yet.
    private static let gatheredBytesMax = 1 << 20
    private static let block = DirectAccess.blockBytes

    let file: any File
    let path: FilePath
    let capacity: UInt64

    /// Where the next record begins, unless it goes round.
    private(set) var head: UInt64 = 0
    /// What stands in the file from `base`, the beginning of a block, up to `head`: the last block in part, and what wasn't written yet.
    private var gathered = BlockBuffer(capacity: 256 << 10)
    private var base: UInt64 = 0
    /// Everything below was given to the file.
    private var written: UInt64 = 0

    /// Makes the file whole: zeros, on disk, under its name. `isDirect` past the page cache: then they are really written, or the first lap
    /// would write each block's description with it.
    static func create(
        _ path: FilePath, capacity: UInt64, isDirect: Bool, in fileSystem: any FileSystem
    ) throws(FileError) -> IntentRing {
        let file = isDirect ? try fileSystem.openDirect(path, .create) : try fileSystem.open(path, .create)
        // What an attempt that was cut off left behind must not be taken for records.
        try file.truncate(to: 0)
        try file.allocate(Int64(capacity))
        if isDirect {
            var zeros = BlockBuffer(capacity: Int(min(capacity, 1 << 20)))
            zeros.bytes.writeRepeatingByte(0, count: zeros.capacity)
            var place: UInt64 = 0
            while place < capacity {
                let count = min(zeros.count, Int(capacity - place))
                try write(zeros.bytes, count, to: file, at: Int64(place), path)
                place += UInt64(count)
            }
        }
        try file.sync()
        try fileSystem.syncDirectory(path.removingLastComponent())
        return IntentRing(file: file, path: path, capacity: capacity)
    }

    static func open(
        _ path: FilePath, capacity: UInt64, isDirect: Bool, in fileSystem: any FileSystem
    ) throws(FileError) -> IntentRing {
        let file = isDirect ? try fileSystem.openDirect(path, .readWrite) : try fileSystem.open(path, .readWrite)
        let size = try file.status().size
        guard size == Int64(capacity) else {
            throw FileError(.inputOutput, .open, path, detail: "\(size) bytes, the checkpoint says \(capacity)")
        }
        return IntentRing(file: file, path: path, capacity: capacity)
    }

    private init(file: any File, path: FilePath, capacity: UInt64) {
        precondition(capacity > 0 && capacity % UInt64(Self.block) == 0, "a ring of \(capacity) bytes")
        self.file = file
        self.path = path
        self.capacity = capacity
    }

    /// Where a record of so many bytes (padding included) would begin if the log ended at `head`: there, or at the next beginning of the
    /// file.
    func start(after head: UInt64, bytes: Int) -> UInt64 {
        let left = capacity - head % capacity
        return UInt64(bytes) <= left ? head : head + left
    }

    // MARK: - Writing

    /// The log ends here: the next record follows. Everything before was written by an earlier run.
    mutating func resume(at position: UInt64) throws(FileError) {
        base = position - position % UInt64(Self.block)
        head = position
        written = position
        gathered.clear()
        let count = Int(position - base)
        if count > 0 { gathered.bytes.writeImmutableBuffer(try read(count, at: base)) }
    }

    /// Appends a record that `write` adds to the buffer, at `head` or at the beginning of the next lap, to the file's memory: see `writeOut`.
    mutating func append(
        at start: UInt64, bytesMax: Int, _ write: (inout ByteBuffer) -> Void
    ) throws(FileError) {
        // Also where the last one ended exactly at the end: what is gathered stands in one piece.
        if start % capacity == 0 {
            precondition(start >= head)
            try writeOut()
            gathered.clear()
            (base, head, written) = (start, start, start)
        }
        precondition(start == head)
        reserve(bytesMax)
        let before = gathered.count
        write(&gathered.bytes)
        let count = gathered.count - before
        precondition(count <= bytesMax && head % capacity + UInt64(count) <= capacity)
        head += UInt64(count)
        if gathered.count >= Self.gatheredBytesMax { try writeOut() }
    }

    /// Gives everything appended to the file. Durable after a sync of the file.
    mutating func writeOut() throws(FileError) {
        guard written < head else { return }
        let count = gathered.count
        gathered.fillBlock()
        try Self.write(gathered.bytes, gathered.count, to: file, at: Int64(base % capacity), path)
        written = head
        let kept = count % Self.block
        // Bytes, not a slice: while that lives the buffer would be made anew, anywhere.
        let last = gathered.bytes.getBytes(at: gathered.bytes.readerIndex + count - kept, length: kept)!
        base = head - UInt64(kept)
        // One large record must not be kept in memory for ever.
        if gathered.capacity > 2 * Self.gatheredBytesMax { gathered = BlockBuffer(capacity: 256 << 10) }
        gathered.clear()
        gathered.bytes.writeBytes(last)
    }

    private mutating func reserve(_ bytes: Int) {
        let needed = BlockBuffer.whole(gathered.count + bytes)
        guard gathered.capacity < needed else { return }
        var larger = BlockBuffer(capacity: max(needed, min(2 * gathered.capacity, Self.gatheredBytesMax)))
        larger.bytes.writeImmutableBuffer(gathered.bytes)
        gathered = larger
    }

    private static func write(
        _ buffer: ByteBuffer, _ count: Int, to file: any File, at position: Int64, _ path: FilePath
    ) throws(FileError) {
        do {
            try buffer.withUnsafeReadableBytes {
                try file.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: position)
            }
        } catch { throw error as? FileError ?? FileError(.other(0), .write, path) }
    }

    // MARK: - Reading

    func read(_ count: Int, at position: UInt64) throws(FileError) -> ByteBuffer {
        precondition(position % capacity + UInt64(count) <= capacity)
        let lead = Int(position % UInt64(Self.block))
        let whole = BlockBuffer.whole(lead + count)
        var buffer = BlockBuffer(capacity: whole).bytes
        let start = Int64(position % capacity) - Int64(lead)
        do {
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: whole) {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<whole]), at: start)
            }
        } catch { throw error as? FileError ?? FileError(.other(0), .read, path) }
        guard buffer.readableBytes == whole, let slice = buffer.getSlice(at: buffer.readerIndex + lead, length: count)
        else {
            throw FileError(.inputOutput, .read, path, detail: "the ring is shorter than it was made")
        }
        return slice
    }

    /// The record at a position, whole and of the given run; nil where something else stands there.
    func record(
        at position: UInt64, run: UInt32
    ) throws(FileError) -> (header: IntentRecord.Header, bytes: ByteBuffer)? {
        let left = Int(capacity - position % capacity)
        guard left >= IntentRecord.headerBytes else { return nil }
        let start = try read(IntentRecord.headerBytes, at: position)
        guard let header = start.withUnsafeReadableBytes({ IntentRecord.Header($0) }), header.position == position,
            header.run == run, IntentRecord.paddedBytes(header.length) <= left
        else { return nil }
        let bytes = try read(header.length, at: position)
        let sum = bytes.withUnsafeReadableBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        return sum == header.crc ? (header, bytes) : nil
    }

    /// Whether behind a place where the log seems to end stands a record of the same run that was written when that place had been
    /// synced: then it was no torn write, and the disk lost what it had promised to keep.
    func holdsLaterProof(after end: UInt64, before limit: UInt64, run: UInt32) throws(FileError) -> Bool {
        let chunk = 1 << 20
        var position = end
        while position < limit {
            let inFile = Int(capacity - position % capacity)
            let count = min(chunk, inFile, Int(limit - position))
            let bytes = try read(count, at: position)
            var suspects: [UInt64] = []
            bytes.withUnsafeReadableBytes { bytes in
                let magic = IntentRecord.magic.bigEndian
                let start = bytes.baseAddress!
                var place = 0
                while let hit = memchr(start + place, CInt(IntentRecord.magic >> 24), count - place) {
                    place = UnsafeRawPointer(hit) - start
                    if place % IntentRecord.alignment == 0, place + 4 <= count,
                        bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self) == magic
                    {
                        suspects.append(position + UInt64(place))
                    }
                    place += 1
                }
            }
            for suspect in suspects {
                if let found = try record(at: suspect, run: run), found.header.durable > end { return true }
            }
            position += UInt64(count)
        }
        return false
    }
}
