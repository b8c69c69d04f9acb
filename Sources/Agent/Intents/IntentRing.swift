import Base
import NIOCore
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// The preallocated file under the intent log: positions count bytes for ever, a record stands at its position modulo the capacity, and
/// never across the end. No decisions about what is kept.
struct IntentRing {
    let file: any File
    let path: FilePath
    let capacity: UInt64

    /// Makes the file whole: zeros, on disk, under its name.
    static func create(_ path: FilePath, capacity: UInt64, in fileSystem: any FileSystem) throws(FileError)
        -> IntentRing
    {
        let file = try fileSystem.open(path, .create)
        // What an attempt that was cut off left behind must not be taken for records.
        try file.truncate(to: 0)
        try file.allocate(Int64(capacity))
        try file.sync()
        try fileSystem.syncDirectory(path.removingLastComponent())
        return IntentRing(file: file, path: path, capacity: capacity)
    }

    static func open(_ path: FilePath, capacity: UInt64, in fileSystem: any FileSystem) throws(FileError) -> IntentRing
    {
        let file = try fileSystem.open(path, .readWrite)
        let size = try file.status().size
        guard size == Int64(capacity) else {
            throw FileError(.inputOutput, .open, path, detail: "\(size) bytes, the checkpoint says \(capacity)")
        }
        return IntentRing(file: file, path: path, capacity: capacity)
    }

    /// Where a record of so many bytes (padding included) would begin if the log ended at `head`: there, or at the next beginning of the
    /// file.
    func start(after head: UInt64, bytes: Int) -> UInt64 {
        let left = capacity - head % capacity
        return UInt64(bytes) <= left ? head : head + left
    }

    func write(_ record: ByteBuffer, at position: UInt64) throws(FileError) {
        precondition(position % capacity + UInt64(record.readableBytes) <= capacity)
        do {
            try record.withUnsafeReadableBytes { try file.write($0, at: Int64(position % capacity)) }
        } catch { throw error as? FileError ?? FileError(.other(0), .write, path) }
    }

    func read(_ count: Int, at position: UInt64) throws(FileError) -> ByteBuffer {
        precondition(position % capacity + UInt64(count) <= capacity)
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        do {
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
                try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]), at: Int64(position % capacity))
            }
        } catch { throw error as? FileError ?? FileError(.other(0), .read, path) }
        guard buffer.readableBytes == count else {
            throw FileError(.inputOutput, .read, path, detail: "the ring is shorter than it was made")
        }
        return buffer
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
