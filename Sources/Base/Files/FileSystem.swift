public import SystemPackage

/// The seam between Millrace and a disk.
///
/// Everything that must survive a crash (segments, intents, checkpoints, exports) is written through it, so that a test's file system can
/// forget what was not synced, fail on command and cut the run at any call. All calls block; none belongs on an event loop.
public protocol FileSystem: Sendable {
    /// Opens a file. `.read` and `.readWrite` throw `.noSuchFile` where there is none; `.createNew` throws `.alreadyExists`.
    /// A file that was created is durable only after `sync()` of the file and `syncDirectory` of its folder.
    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File

    /// Opens a file whose bytes go past the page cache where the file system can do that, and through it where it can't. Whoever calls keeps
    /// positions, lengths and memory to multiples of `DirectAccess.blockBytes`. A write is durable after `sync()`, not before, as with `open`.
    func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File

    /// What stands at the path (links followed), or nil where there is nothing.
    func status(_ path: FilePath) throws(FileError) -> FileStatus?

    /// The names in a folder, without `.` and `..`, in no order.
    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry]

    /// Makes a folder and its missing parents; one that exists is fine.
    func createDirectory(_ path: FilePath) throws(FileError)

    /// Removes an empty folder.
    func removeDirectory(_ path: FilePath) throws(FileError)

    /// Replaces `target` atomically. Durable after `syncDirectory` of both folders.
    func rename(_ source: FilePath, to target: FilePath) throws(FileError)

    /// Gives the file a second name; throws `.alreadyExists` where `target` stands. With a complete temporary file this is
    /// "create, only if absent, and only whole".
    func link(_ source: FilePath, to target: FilePath) throws(FileError)

    func unlink(_ path: FilePath) throws(FileError)

    /// Makes the folder's entries durable: files made, renamed and unlinked in it.
    func syncDirectory(_ path: FilePath) throws(FileError)

    /// Free and total bytes of the disk that holds the path.
    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64)

    /// Takes an exclusive lock that ends with the process, or throws `.locked` where another holds it.
    func lock(_ path: FilePath) throws(FileError) -> any FileLock
}

/// What `openDirect` asks of those who read and write.
public enum DirectAccess {
    /// A multiple of the block of every disk there is.
    public static let blockBytes = 4096
}

/// An open file. Positions are explicit, so one handle serves several readers.
public protocol File: AnyObject, Sendable {
    /// The descriptor for `sendfile` and `fstat`; nil where the file lives in a simulation.
    var descriptor: CInt? { get }

    /// Reads up to `buffer.count` bytes; fewer only at the end of the file, zero past it.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int

    /// Writes all the bytes or throws; what a failed write left behind is unknown.
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError)

    /// Writes `head` and then `body` in one call, as if they were one: nobody copies a large body to change what stands before it.
    func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
    ) throws(FileError)

    /// Makes the file's bytes durable (`fdatasync`). After it has failed once the pages may be gone: never call it again to be sure.
    func sync() throws(FileError)

    func truncate(to size: Int64) throws(FileError)

    /// Reserves disk space for the first `size` bytes; the file grows to that size, filled with zeros.
    func allocate(_ size: Int64) throws(FileError)

    func status() throws(FileError) -> FileStatus

    /// Closes the file; later calls throw. Also done when the last reference goes.
    func close()
}

extension File {
    public func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
    ) throws(FileError) {
        let all = Array(head) + Array(body)
        var failure: FileError?
        all.withUnsafeBytes { bytes in
            do throws(FileError) { try write(bytes, at: position) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

/// Held until `release()`, or until the process ends.
public protocol FileLock: AnyObject, Sendable {
    func release()
}

public enum OpenMode: Sendable {
    case read
    case readWrite
    /// Reads and writes; made where it is missing.
    case create
    /// Reads and writes; must not exist yet.
    case createNew
}

public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable { case file, directory, other }

    public var kind: Kind
    public var size: Int64
    public var device: UInt64
    public var inode: UInt64
    public var modified: Timestamp
    /// When the inode was made, in nanoseconds since 1970; 0 where the file system doesn't tell. Two files that had one inode after the other
    /// differ in it, unless both were made within a tick of the kernel's clock (a few milliseconds).
    public var born: Int64

    public init(kind: Kind, size: Int64, device: UInt64, inode: UInt64, modified: Timestamp, born: Int64 = 0) {
        self.kind = kind
        self.size = size
        self.device = device
        self.inode = inode
        self.modified = modified
        self.born = born
    }
}

public struct DirectoryEntry: Sendable, Equatable {
    public var name: String
    public var isDirectory: Bool

    public init(name: String, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }
}

extension FileSystem {
    public func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File { try open(path, mode) }

    public func exists(_ path: FilePath) throws(FileError) -> Bool { try status(path) != nil }

    /// The whole file, refused above `bytesMax`; nil where there is none.
    public func contents(of path: FilePath, bytesMax: ByteCount) throws(FileError) -> [UInt8]? {
        guard let status = try status(path) else { return nil }
        guard status.size <= bytesMax.bytes else {
            throw FileError(.tooLarge, .read, path, detail: "\(status.size) bytes, at most \(bytesMax) expected")
        }
        let file = try open(path, .read)
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: Int(status.size))
        var count = 0
        do {
            count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        } catch { throw error as? FileError ?? FileError(.other(0), .read, path) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Replaces a small file whole: temporary file, sync, rename, sync of the folder. After a crash the old or the new stands.
    public func replace(_ path: FilePath, with bytes: [UInt8]) throws(FileError) {
        let temporary = FilePath(path.string + ".tmp")
        let file = try open(temporary, .create)
        defer { file.close() }
        try file.truncate(to: 0)
        do {
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        } catch { throw error as? FileError ?? FileError(.other(0), .write, path) }
        try file.sync()
        try rename(temporary, to: path)
        try syncDirectory(path.removingLastComponent())
    }
}
