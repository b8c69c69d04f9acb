import Base
import Foundation
import SystemPackage

/// The real disk, whose every `sync` of a file takes 5 ms and does nothing: figures that don't depend on the machine's disk.
struct SlowFlushes: FileSystem {
    static let microseconds: useconds_t = 5000
    private let disk = PosixFileSystem()

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        SlowFile(file: try disk.open(path, mode))
    }
    func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        SlowFile(file: try disk.openDirect(path, mode))
    }
    func syncDirectory(_ path: FilePath) throws(FileError) {}
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

private final class SlowFile: File {
    private let file: any File

    init(file: any File) { self.file = file }

    var descriptor: CInt? { file.descriptor }
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        try file.read(into: buffer, at: position)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        try file.write(bytes, at: position)
    }
    func sync() throws(FileError) { usleep(SlowFlushes.microseconds) }
    func truncate(to size: Int64) throws(FileError) { try file.truncate(to: size) }
    func allocate(_ size: Int64) throws(FileError) { try file.allocate(size) }
    func status() throws(FileError) -> FileStatus { try file.status() }
    func close() { file.close() }
}
