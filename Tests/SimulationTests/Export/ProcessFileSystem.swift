import Base
import SystemPackage
import TestKit

/// A disk as one process of several sees it: the process can die at any call, while the others go on.
final class ProcessFileSystem: FileSystem, @unchecked Sendable {
    let base: SimulatedFileSystem
    private(set) var isDead = false
    /// Calls that change something which still succeed; nil is without limit.
    private var callsLeft: Int?
    /// Called once, at the moment of death.
    private let onDeath: () -> Void

    init(_ base: SimulatedFileSystem, onDeath: @escaping () -> Void) {
        self.base = base
        self.onDeath = onDeath
    }

    func die(afterCalls count: Int) {
        if count == 0 { die() } else { callsLeft = count }
    }

    func die() {
        guard !isDead else { return }
        isDead = true
        onDeath()
    }

    fileprivate func look(_ operation: FileError.Operation, _ path: FilePath) throws(FileError) {
        if isDead { throw FileError(.crashed, operation, path, detail: "the process is dead") }
    }

    /// True where the process dies in the middle of this call.
    fileprivate func change(_ operation: FileError.Operation, _ path: FilePath) throws(FileError) -> Bool {
        try look(operation, path)
        guard let left = callsLeft else { return false }
        callsLeft = left - 1
        return left <= 1
    }

    private func changing<Result>(
        _ operation: FileError.Operation, _ path: FilePath, _ body: () throws(FileError) -> Result
    ) throws(FileError) -> Result {
        if try change(operation, path) {
            // Before the call or after it.
            if callsLeft! % 2 == 0 { _ = try body() }
            die()
            try look(operation, path)
        }
        return try body()
    }

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        let file =
            mode == .create || mode == .createNew
            ? try changing(.open, path) { () throws(FileError) in try base.open(path, mode) }
            : try { () throws(FileError) in
                try look(.open, path)
                return try base.open(path, mode)
            }()
        return ProcessFile(file, self, path)
    }

    func status(_ path: FilePath) throws(FileError) -> FileStatus? {
        try look(.status, path)
        return try base.status(path)
    }

    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] {
        try look(.list, directory)
        return try base.list(directory)
    }

    func createDirectory(_ path: FilePath) throws(FileError) {
        try changing(.createDirectory, path) { () throws(FileError) in try base.createDirectory(path) }
    }

    func removeDirectory(_ path: FilePath) throws(FileError) {
        try changing(.removeDirectory, path) { () throws(FileError) in try base.removeDirectory(path) }
    }

    func rename(_ source: FilePath, to target: FilePath) throws(FileError) {
        try changing(.rename, source) { () throws(FileError) in try base.rename(source, to: target) }
    }

    func link(_ source: FilePath, to target: FilePath) throws(FileError) {
        try changing(.link, target) { () throws(FileError) in try base.link(source, to: target) }
    }

    func unlink(_ path: FilePath) throws(FileError) {
        try changing(.unlink, path) { () throws(FileError) in try base.unlink(path) }
    }

    func syncDirectory(_ path: FilePath) throws(FileError) {
        try changing(.syncDirectory, path) { () throws(FileError) in try base.syncDirectory(path) }
    }

    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) { try base.space(at: path) }
    func lock(_ path: FilePath) throws(FileError) -> any FileLock { try base.lock(path) }
}

private final class ProcessFile: File {
    let base: any File
    let system: ProcessFileSystem
    let path: FilePath

    init(_ base: any File, _ system: ProcessFileSystem, _ path: FilePath) {
        self.base = base
        self.system = system
        self.path = path
    }

    var descriptor: CInt? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        try system.look(.read, path)
        return try base.read(into: buffer, at: position)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        if try system.change(.write, path) {
            try base.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)), at: position)
            system.die()
            try system.look(.write, path)
        }
        try base.write(bytes, at: position)
    }

    func sync() throws(FileError) {
        if try system.change(.sync, path) {
            system.die()
            try system.look(.sync, path)
        }
        try base.sync()
    }

    func truncate(to size: Int64) throws(FileError) {
        try system.look(.truncate, path)
        try base.truncate(to: size)
    }

    func allocate(_ size: Int64) throws(FileError) {
        try system.look(.allocate, path)
        try base.allocate(size)
    }

    func status() throws(FileError) -> FileStatus { try base.status() }
    func close() { base.close() }
}
