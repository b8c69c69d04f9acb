import CMillrace
import Synchronization
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// The real file system of a Linux host.
public struct PosixFileSystem: FileSystem {
    public init() {}

    public func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        try open(path, mode, extraFlags: 0)
    }

    public func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        do throws(FileError) { return try open(path, mode, extraFlags: millrace_direct_flag()) } catch {
            // The file system has no such access.
            guard error.code == .other(EINVAL) else { throw error }
            return try open(path, mode, extraFlags: 0)
        }
    }

    private func open(_ path: FilePath, _ mode: OpenMode, extraFlags: CInt) throws(FileError) -> any File {
        let flags: CInt =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = retryingInterrupts { Glibc.open(path.string, flags | extraFlags | O_CLOEXEC, 0o640) }
        guard descriptor >= 0 else { throw FileError(errno: errno, .open, path) }
        return PosixFile(descriptor: descriptor, path: path)
    }

    public func status(_ path: FilePath) throws(FileError) -> FileStatus? {
        var status = millrace_status()
        if millrace_status_of(-1, path.string, &status) == 0 { return FileStatus(status) }
        guard errno == ENOENT || errno == ENOTDIR else { throw FileError(errno: errno, .status, path) }
        return nil
    }

    public func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] {
        guard let stream = opendir(directory.string) else { throw FileError(errno: errno, .list, directory) }
        defer { closedir(stream) }
        var entries: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
            if entry.pointee.d_type == UInt8(DT_UNKNOWN) || entry.pointee.d_type == UInt8(DT_LNK) {
                isDirectory = try status(directory.appending(name))?.kind == .directory
            }
            entries.append(DirectoryEntry(name: name, isDirectory: isDirectory))
        }
        guard errno == 0 else { throw FileError(errno: errno, .list, directory) }
        return entries
    }

    public func createDirectory(_ path: FilePath) throws(FileError) {
        if mkdir(path.string, 0o750) == 0 { return }
        if errno == EEXIST {
            if try status(path)?.kind == .directory { return }
            throw FileError(.alreadyExists, .createDirectory, path, detail: "a file stands where a folder is wanted")
        }
        guard errno == ENOENT, path != path.removingLastComponent() else {
            throw FileError(errno: errno, .createDirectory, path)
        }
        let parent = path.removingLastComponent()
        guard !parent.isEmpty else { throw FileError(errno: ENOENT, .createDirectory, path) }
        try createDirectory(parent)
        guard mkdir(path.string, 0o750) == 0 || errno == EEXIST else {
            throw FileError(errno: errno, .createDirectory, path)
        }
    }

    public func removeDirectory(_ path: FilePath) throws(FileError) {
        guard rmdir(path.string) == 0 else { throw FileError(errno: errno, .removeDirectory, path) }
    }

    public func rename(_ source: FilePath, to target: FilePath) throws(FileError) {
        guard Glibc.rename(source.string, target.string) == 0 else { throw FileError(errno: errno, .rename, source) }
    }

    public func link(_ source: FilePath, to target: FilePath) throws(FileError) {
        guard Glibc.link(source.string, target.string) == 0 else { throw FileError(errno: errno, .link, target) }
    }

    public func unlink(_ path: FilePath) throws(FileError) {
        guard Glibc.unlink(path.string) == 0 else { throw FileError(errno: errno, .unlink, path) }
    }

    public func syncDirectory(_ path: FilePath) throws(FileError) {
        let name = path.isEmpty ? "." : path.string
        let descriptor = retryingInterrupts { Glibc.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileError(errno: errno, .syncDirectory, path) }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(errno: errno, .syncDirectory, path) }
    }

    public func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) {
        var status = statvfs()
        guard statvfs(path.string, &status) == 0 else { throw FileError(errno: errno, .space, path) }
        let block = Int64(status.f_frsize)
        return (Int64(status.f_bavail) * block, Int64(status.f_blocks) * block)
    }

    public func lock(_ path: FilePath) throws(FileError) -> any FileLock {
        let descriptor = retryingInterrupts { Glibc.open(path.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o640) }
        guard descriptor >= 0 else { throw FileError(errno: errno, .lock, path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            _ = Glibc.close(descriptor)
            guard number == EWOULDBLOCK else { throw FileError(errno: number, .lock, path) }
            throw FileError(
                .locked, .lock, path, detail: "another process holds the lock: is Millrace running already?")
        }
        return PosixFileLock(descriptor: descriptor)
    }
}

final class PosixFile: File {
    private let path: FilePath
    private let open: Mutex<CInt?>
    private let number: CInt

    init(descriptor: CInt, path: FilePath) {
        self.path = path
        self.number = descriptor
        self.open = Mutex(descriptor)
    }

    deinit { close() }

    var descriptor: CInt? { number }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(number, buffer.baseAddress! + done, buffer.count - done, off_t(position) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR || errno == EINVAL && leftDirectAccess() { continue }
                throw FileError(errno: errno, .read, path)
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(number, bytes.baseAddress! + done, bytes.count - done, off_t(position) + off_t(done))
            if count < 0 {
                if errno == EINTR || errno == EINVAL && leftDirectAccess() { continue }
                throw FileError(errno: errno, .write, path)
            }
            done += count
        }
    }

    /// Some file systems grant direct access and then refuse each use of it: goes on through the page cache. False where that was so already.
    private func leftDirectAccess() -> Bool {
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, flags & millrace_direct_flag() != 0 else { return false }
        return fcntl(number, F_SETFL, flags & ~millrace_direct_flag()) == 0
    }

    func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
    ) throws(FileError) {
        var done = 0
        while done < head.count {
            var pieces = (
                iovec(iov_base: .init(mutating: head.baseAddress! + done), iov_len: head.count - done),
                iovec(iov_base: .init(mutating: body.baseAddress), iov_len: body.count)
            )
            let count = withUnsafeBytes(of: &pieces) {
                pwritev(number, $0.baseAddress!.assumingMemoryBound(to: iovec.self), 2, off_t(position) + off_t(done))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno: errno, .write, path)
            }
            done += count
        }
        let rest = UnsafeRawBufferPointer(rebasing: body.dropFirst(done - head.count))
        if !rest.isEmpty { try write(rest, at: position + Int64(done)) }
    }

    func sync() throws(FileError) {
        guard fdatasync(number) == 0 else { throw FileError(errno: errno, .sync, path) }
    }

    func truncate(to size: Int64) throws(FileError) {
        guard ftruncate(number, off_t(size)) == 0 else { throw FileError(errno: errno, .truncate, path) }
    }

    func allocate(_ size: Int64) throws(FileError) {
        let result = posix_fallocate(number, 0, off_t(size))
        guard result == 0 else { throw FileError(errno: result, .allocate, path) }
    }

    func status() throws(FileError) -> FileStatus {
        var status = millrace_status()
        guard millrace_status_of(number, nil, &status) == 0 else { throw FileError(errno: errno, .status, path) }
        return FileStatus(status)
    }

    func close() {
        open.withLock { descriptor in
            if let number = descriptor { _ = Glibc.close(number) }
            descriptor = nil
        }
    }
}

final class PosixFileLock: FileLock {
    private let held: Mutex<CInt?>

    init(descriptor: CInt) { held = Mutex(descriptor) }

    deinit { release() }

    func release() {
        held.withLock { descriptor in
            if let number = descriptor { _ = Glibc.close(number) }
            descriptor = nil
        }
    }
}

extension FileStatus {
    init(_ status: millrace_status) {
        let kind: Kind =
            switch status.mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
        self.init(
            kind: kind, size: status.size, device: status.device, inode: status.inode,
            modified: Timestamp(milliseconds: status.modified / 1_000_000), born: status.born)
    }
}

private func retryingInterrupts(_ call: () -> CInt) -> CInt {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
