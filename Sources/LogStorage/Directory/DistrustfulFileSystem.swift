import Base
import SystemPackage

/// A log directory's disk, as long as it can be trusted: the first sync that fails, of whatever file or folder and for whatever purpose, takes the
/// directory offline. What it should have made durable may be gone although the page cache shows it, and a second sync would say that all is well.
///
/// A full disk is no such failure: space comes back, and who asked tries again with a new file.
struct DistrustfulFileSystem: FileSystem {
    let disk: any FileSystem
    let health: LogDirectoryHealth

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        DistrustfulFile(file: try disk.open(path, mode), health: health)
    }

    func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        DistrustfulFile(file: try disk.openDirect(path, mode), health: health)
    }

    func syncDirectory(_ path: FilePath) throws(FileError) {
        do throws(FileError) { try disk.syncDirectory(path) } catch {
            health.syncFailed(error)
            throw error
        }
    }

    func status(_ path: FilePath) throws(FileError) -> FileStatus? { try disk.status(path) }
    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] { try disk.list(directory) }
    func createDirectory(_ path: FilePath) throws(FileError) { try disk.createDirectory(path) }
    func removeDirectory(_ path: FilePath) throws(FileError) { try disk.removeDirectory(path) }
    func rename(_ source: FilePath, to target: FilePath) throws(FileError) { try disk.rename(source, to: target) }
    func link(_ source: FilePath, to target: FilePath) throws(FileError) { try disk.link(source, to: target) }
    func unlink(_ path: FilePath) throws(FileError) { try disk.unlink(path) }
    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) { try disk.space(at: path) }
    func lock(_ path: FilePath) throws(FileError) -> any FileLock { try disk.lock(path) }
}

private final class DistrustfulFile: File {
    private let file: any File
    private let health: LogDirectoryHealth

    init(file: any File, health: LogDirectoryHealth) {
        self.file = file
        self.health = health
    }

    var descriptor: CInt? { file.descriptor }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        try file.read(into: buffer, at: position)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        try file.write(bytes, at: position)
    }

    func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
    ) throws(FileError) {
        try file.write(head, body, at: position)
    }

    func sync() throws(FileError) {
        do throws(FileError) { try file.sync() } catch {
            health.syncFailed(error)
            throw error
        }
    }

    func truncate(to size: Int64) throws(FileError) { try file.truncate(to: size) }
    func allocate(_ size: Int64) throws(FileError) { try file.allocate(size) }
    func status() throws(FileError) -> FileStatus { try file.status() }
    func close() { file.close() }
}
