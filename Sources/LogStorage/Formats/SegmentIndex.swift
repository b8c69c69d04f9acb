import Base
import Synchronization
import SystemPackage

/// A sorted file of fixed-size entries with its newest entries still in memory.
///
/// An index is a cache: it is written without a sync while its segment is active, made durable once the segment is sealed, and rebuilt
/// from the log where it is missing or wrong. The file is read by binary search, never mapped: a full disk would be a SIGBUS.
struct SegmentIndex<Entry: IndexEntry>: Sendable {
    /// Entries kept in memory before they are written together.
    static var tailMax: Int { 512 }
    /// What a search reads at once when it has come so near.
    static var blockBytes: Int { 4096 }

    let path: FilePath
    private var file: (any File)?
    private(set) var fileCount: Int
    private(set) var tail: [Entry] = []

    /// An index of `fileCount` entries that stand in the file already.
    init(_ path: FilePath, fileCount: Int = 0) {
        self.path = path
        self.fileCount = fileCount
    }

    var count: Int { fileCount + tail.count }

    mutating func append(_ entry: Entry, _ fileSystem: any FileSystem) throws(FileError) {
        tail.append(entry)
        if tail.count >= Self.tailMax { try write(fileSystem) }
    }

    /// Writes what is in memory; the file then holds exactly the index.
    mutating func write(_ fileSystem: any FileSystem) throws(FileError) {
        guard !tail.isEmpty else { return }
        let file = try opened(fileSystem)
        var writer = BigEndianWriter()
        writer.bytes.reserveCapacity(tail.count * Entry.byteCount)
        for entry in tail { entry.write(to: &writer) }
        try file.write(writer.bytes, at: Int64(fileCount * Entry.byteCount))
        fileCount += tail.count
        tail.removeAll(keepingCapacity: false)
    }

    /// Writes and makes durable; the file exists afterwards even where it is empty.
    mutating func seal(_ fileSystem: any FileSystem) throws(FileError) {
        let file = try opened(fileSystem)
        try write(fileSystem)
        if try file.status().size != Int64(fileCount * Entry.byteCount) {
            try file.truncate(to: Int64(fileCount * Entry.byteCount))
        }
        try file.sync()
    }

    /// Lets go of the open file; it is opened again when it is needed.
    mutating func close() { file = nil }

    /// Removes the file and forgets every entry.
    mutating func remove(_ fileSystem: any FileSystem) throws(FileError) {
        tail = []
        fileCount = 0
        file = nil
        if try fileSystem.exists(path) { try fileSystem.unlink(path) }
    }

    /// Starts again from nothing; the file is emptied.
    mutating func reset(_ fileSystem: any FileSystem) throws(FileError) {
        tail = []
        fileCount = 0
        let file = try opened(fileSystem)
        if try file.status().size != 0 { try file.truncate(to: 0) }
    }

    /// Forgets every entry for which `isBeyond` holds: a suffix.
    mutating func truncate(_ fileSystem: any FileSystem, where isBeyond: (Entry) -> Bool) throws(FileError) {
        while let last = tail.last, isBeyond(last) { tail.removeLast() }
        guard tail.isEmpty, fileCount > 0 else { return }
        let kept = try search(fileSystem) { !isBeyond($0) }.map { $0.index + 1 } ?? 0
        guard kept < fileCount else { return }
        try opened(fileSystem).truncate(to: Int64(kept * Entry.byteCount))
        fileCount = kept
    }

    /// The last entry for which `holds` is true; it must be true for a prefix.
    mutating func last(
        _ fileSystem: any FileSystem, where holds: (Entry) -> Bool
    ) throws(FileError) -> Entry? {
        if let first = tail.first, holds(first) {
            var low = 0
            var high = tail.count
            while high - low > 1 {
                let middle = (low + high) / 2
                if holds(tail[middle]) { low = middle } else { high = middle }
            }
            return tail[low]
        }
        return try search(fileSystem, where: holds)?.entry
    }

    /// Hands over the entries behind those for which `isBefore` holds (a prefix), in order, until `body` says false.
    mutating func each(
        _ fileSystem: any FileSystem, behind isBefore: (Entry) -> Bool, _ body: (Entry) -> Bool
    ) throws(FileError) {
        var place = try search(fileSystem, where: isBefore).map { $0.index + 1 } ?? 0
        while place < fileCount {
            let count = min(fileCount - place, Self.blockBytes / Entry.byteCount)
            let bytes = try opened(fileSystem).bytes(
                at: Int64(place * Entry.byteCount), count: count * Entry.byteCount)
            guard bytes.readableBytes == count * Entry.byteCount else {
                throw FileError(.damaged, .read, path, detail: "it is shorter than it was")
            }
            let goesOn = bytes.withUnsafeReadableBytes { bytes in
                (0..<count).allSatisfy { number in
                    let start = number * Entry.byteCount
                    return body(Entry(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Entry.byteCount])))
                }
            }
            guard goesOn else { return }
            place += count
        }
        for entry in tail where !isBefore(entry) {
            guard body(entry) else { return }
        }
    }

    private mutating func search(
        _ fileSystem: any FileSystem, where holds: (Entry) -> Bool
    ) throws(FileError) -> (index: Int, entry: Entry)? {
        guard fileCount > 0 else { return nil }
        let file = try opened(fileSystem)
        var low = -1
        var high = fileCount
        var found: Entry?
        while high - low > 1 {
            if (high - low - 1) * Entry.byteCount <= Self.blockBytes {
                return try Self.last(in: low + 1..<high, of: file, where: holds) ?? found.map { (low, $0) }
            }
            let middle = (low + high) / 2
            guard let entry = try Self.entry(middle, in: file) else {
                // Shorter than it should be: what is missing is found by scanning.
                high = middle
                continue
            }
            if holds(entry) {
                low = middle
                found = entry
            } else {
                high = middle
            }
        }
        return found.map { (low, $0) }
    }

    /// The last entry of the range that holds; a range that fits one block is read at once, for each read is a system call.
    private static func last(
        in range: Range<Int>, of file: any File, where holds: (Entry) -> Bool
    ) throws(FileError) -> (index: Int, entry: Entry)? {
        var failure: FileError?
        let found = withUnsafeTemporaryAllocation(byteCount: range.count * Entry.byteCount, alignment: 8) {
            block -> (index: Int, entry: Entry)? in
            do throws(FileError) {
                // Shorter than it should be: what is missing is found by scanning.
                let count = try file.read(into: block, at: Int64(range.lowerBound * Entry.byteCount)) / Entry.byteCount
                func entry(_ place: Int) -> Entry {
                    let start = place * Entry.byteCount
                    return Entry(UnsafeRawBufferPointer(rebasing: block[start..<start + Entry.byteCount]))
                }
                var low = -1
                var high = count
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if holds(entry(middle)) { low = middle } else { high = middle }
                }
                return low < 0 ? nil : (range.lowerBound + low, entry(low))
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return found
    }

    private static func entry(_ index: Int, in file: any File) throws(FileError) -> Entry? {
        // 40 bytes hold an entry of any kind.
        var space: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        var failure: FileError?
        let entry = withUnsafeMutableBytes(of: &space) { space -> Entry? in
            do throws(FileError) {
                let place = UnsafeMutableRawBufferPointer(rebasing: space[..<Entry.byteCount])
                let count = try file.read(into: place, at: Int64(index * Entry.byteCount))
                return count == Entry.byteCount ? Entry(UnsafeRawBufferPointer(place)) : nil
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return entry
    }

    private mutating func opened(_ fileSystem: any FileSystem) throws(FileError) -> any File {
        if let file { return file }
        let opened = try fileSystem.open(path, .create)
        file = opened
        return opened
    }
}

/// One entry of an index file.
protocol IndexEntry: Sendable, Equatable {
    static var byteCount: Int { get }
    /// Reads an entry from exactly `byteCount` bytes.
    init(_ bytes: UnsafeRawBufferPointer)
    func write(to writer: inout BigEndianWriter)
}
