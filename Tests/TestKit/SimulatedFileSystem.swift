public import Base
import Synchronization
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// A file system in memory that forgets what was not synced, fails on command and cuts the run at any call.
///
/// It keeps what the running process sees apart from what the disk is known to hold: a file's bytes are durable after
/// `sync()`, a name after `syncDirectory` of its folder, and nothing else is. `crash` is a power cut, `processKilled` a `kill -9`.
/// Everything it does follows from the calls and the seed. `processKilled` and `crash` end every open handle and lock and
/// lift `stopAt`; the tree is then used again through the same object, as a machine that came back.
public final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
    /// A fault on command; the first that matches a call makes it throw.
    private struct Fault {
        var operation: FileError.Operation?
        var matches: @Sendable (FilePath) -> Bool
        var skip: Int
        var count: Int
        var code: FileError.Code
    }

    private let mutex = Mutex(())
    private let time: any TimeSource
    // All below is guarded by `mutex`.
    private var root: SimulatedNode
    private var nodeCount: UInt64 = 1
    private var changeCount: UInt64 = 0
    private var operations = 0
    private var stop: Int?
    private var faults: [Fault] = []
    private var disk: Int64?
    private var locks: [String: UInt64] = [:]
    private var lockCount: UInt64 = 0
    private var life = 0
    private var traceLines: [String]?

    public init(time: any TimeSource = ManualTime()) {
        self.time = time
        root = SimulatedNode(number: 1, isDirectory: true, modified: time.wallTime)
    }

    // MARK: - What a test commands

    /// Mutating calls so far: creating opens, folder calls, writes, truncations, allocations and syncs. Failed ones count.
    public var operationCount: Int { mutex.withLock { _ in operations } }

    /// The `number`-th mutating call from the start of time (counted as `operationCount` does, from 1), and every mutating call after
    /// it, throws `.crashed`; a write cut there leaves a part of its bytes in the cache. Nil lifts it.
    public func stopAt(operation number: Int?) { mutex.withLock { _ in stop = number } }

    /// True once a call was refused because of `stopAt`.
    public var isStopped: Bool { mutex.withLock { _ in stop.map { operations >= $0 } ?? false } }

    /// Makes calls fail: those of `operation` (nil is any) on paths that match, after the first `skip` of them, `count` times.
    /// A write that fails leaves half its bytes; a sync that fails loses what it should have written although the cache still shows it.
    public func fail(
        _ operation: FileError.Operation?, with code: FileError.Code, skip: Int = 0, count: Int = .max,
        where matches: @escaping @Sendable (FilePath) -> Bool = { _ in true }
    ) {
        mutex.withLock { _ in
            faults.append(Fault(operation: operation, matches: matches, skip: skip, count: count, code: code))
        }
    }

    public func clearFaults() { mutex.withLock { _ in faults = [] } }

    /// The size of the disk: what would grow its files beyond it throws `.noSpace`. Nil is without limit.
    public var diskBytes: ByteCount? {
        get { mutex.withLock { _ in disk.map { ByteCount(Int($0)) } } }
        set { mutex.withLock { _ in disk = newValue.map { Int64($0.bytes) } } }
    }

    /// Bytes of all files that have a name.
    public var usedBytes: ByteCount { mutex.withLock { _ in ByteCount(Int(used())) } }

    /// Power is cut and comes back.
    public func crash(using random: inout SeededRandom, survival: Survival) {
        let salt: UInt64 = random.next()
        mutex.withLock { _ in
            root.crash(survival, salt: salt)
            endProcess()
        }
    }

    /// The process dies, the machine stays up: all that was written is still there, handles and locks are gone.
    public func processKilled() { mutex.withLock { _ in endProcess() } }

    /// Keeps a line per mutating call from now on, for a test that failed.
    public func startTrace() { mutex.withLock { _ in traceLines = [] } }
    public var trace: [String] { mutex.withLock { _ in traceLines ?? [] } }

    /// Changes a file behind everybody's back, on the disk and in the cache: rot, or a fixture.
    public func overwrite(_ path: FilePath, _ change: (inout [UInt8]) -> Void) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(path, .write), !node.isDirectory else {
                throw FileError(.noSuchFile, .write, path)
            }
            node.sync()
            change(&node.bytes)
            node.syncedBytes = node.bytes
        }
    }

    /// Paths of all files below a folder, sorted.
    public func allFiles(below directory: FilePath = "/") throws(FileError) -> [FilePath] {
        var found: [FilePath] = []
        for entry in try list(directory) {
            let path = directory.appending(entry.name)
            if entry.isDirectory { found += try allFiles(below: path) } else { found.append(path) }
        }
        return found
    }

    // MARK: - FileSystem

    public func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        try open(path, mode, isDirect: false)
    }

    /// Refuses what isn't in blocks, as a disk does; what a power cut leaves of the writes is the same, for a disk has a cache of its own.
    public func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        try open(path, mode, isDirect: true)
    }

    private func open(_ path: FilePath, _ mode: OpenMode, isDirect: Bool) throws(FileError) -> any File {
        try locked { () throws(FileError) -> any File in
            if let node = try find(path, .open) {
                guard mode != .createNew else { throw FileError(.alreadyExists, .open, path) }
                guard !node.isDirectory else { throw FileError(.other(21), .open, path, detail: "is a directory") }
                try checkFaults(.open, path)
                return SimulatedFile(
                    node: node, path: path, in: self, life: life, writable: mode != .read, isDirect: isDirect)
            }
            guard mode == .create || mode == .createNew else { throw FileError(.noSuchFile, .open, path) }
            let (parent, name) = try place(path, .open)
            try begin(.open, path)
            let node = newNode(isDirectory: false)
            setEntry(of: parent, name, to: node)
            return SimulatedFile(node: node, path: path, in: self, life: life, writable: true, isDirect: isDirect)
        }
    }

    public func status(_ path: FilePath) throws(FileError) -> FileStatus? {
        try locked { () throws(FileError) -> FileStatus? in
            try checkFaults(.status, path)
            return try find(path, .status).map(Self.status)
        }
    }

    public func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] {
        try locked { () throws(FileError) -> [DirectoryEntry] in
            try checkFaults(.list, directory)
            guard let node = try find(directory, .list), node.isDirectory else {
                throw FileError(.noSuchFile, .list, directory)
            }
            return node.entries.sorted { $0.key < $1.key }
                .map { DirectoryEntry(name: $0.key, isDirectory: $0.value.isDirectory) }
        }
    }

    public func createDirectory(_ path: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            var node = root
            for name in names(path) {
                if let next = node.entries[name] {
                    guard next.isDirectory else {
                        throw FileError(.alreadyExists, .createDirectory, path, detail: "a file stands in the way")
                    }
                    node = next
                    continue
                }
                try begin(.createDirectory, path)
                let made = newNode(isDirectory: true)
                setEntry(of: node, name, to: made)
                node = made
            }
        }
    }

    public func removeDirectory(_ path: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(path, .removeDirectory), node.isDirectory else {
                throw FileError(.noSuchFile, .removeDirectory, path)
            }
            let (parent, name) = try place(path, .removeDirectory)
            guard node.entries.isEmpty else {
                throw FileError(.other(39), .removeDirectory, path, detail: "the folder is not empty")
            }
            try begin(.removeDirectory, path)
            removeEntry(of: parent, name)
        }
    }

    public func rename(_ source: FilePath, to target: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(source, .rename) else { throw FileError(.noSuchFile, .rename, source) }
            let (from, old) = try place(source, .rename)
            let (to, new) = try place(target, .rename)
            if let standing = to.entries[new], standing !== node {
                guard standing.isDirectory == node.isDirectory, standing.entries.isEmpty else {
                    throw FileError(.other(39), .rename, target, detail: "the target can't be replaced")
                }
            }
            try begin(.rename, source)
            changeCount += 1
            if from === to {
                from.change(.init(id: changeCount, removes: old, sets: (new, node)))
            } else {
                to.change(.init(id: changeCount, removes: nil, sets: (new, node)))
                from.change(.init(id: changeCount, removes: old, sets: nil))
            }
        }
    }

    public func link(_ source: FilePath, to target: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(source, .link), !node.isDirectory else {
                throw FileError(.noSuchFile, .link, source)
            }
            let (parent, name) = try place(target, .link)
            guard parent.entries[name] == nil else { throw FileError(.alreadyExists, .link, target) }
            try begin(.link, target)
            setEntry(of: parent, name, to: node)
        }
    }

    public func unlink(_ path: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(path, .unlink) else { throw FileError(.noSuchFile, .unlink, path) }
            guard !node.isDirectory else { throw FileError(.other(21), .unlink, path, detail: "is a directory") }
            let (parent, name) = try place(path, .unlink)
            try begin(.unlink, path)
            removeEntry(of: parent, name)
        }
    }

    public func syncDirectory(_ path: FilePath) throws(FileError) {
        try locked { () throws(FileError) in
            guard let node = try find(path, .syncDirectory), node.isDirectory else {
                throw FileError(.noSuchFile, .syncDirectory, path)
            }
            try begin(.syncDirectory, path)
            node.syncEntries()
        }
    }

    public func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) {
        try locked { () throws(FileError) -> (free: Int64, total: Int64) in
            try checkFaults(.space, path)
            let total = disk ?? 1 << 40
            return (max(0, total - used()), total)
        }
    }

    public func lock(_ path: FilePath) throws(FileError) -> any FileLock {
        try locked { () throws(FileError) -> any FileLock in
            if try find(path, .lock) == nil {
                let (parent, name) = try place(path, .lock)
                try begin(.lock, path)
                setEntry(of: parent, name, to: newNode(isDirectory: false))
            }
            let key = names(path).joined(separator: "/")
            guard locks[key] == nil else {
                throw FileError(.locked, .lock, path, detail: "held by another owner in this simulation")
            }
            lockCount += 1
            locks[key] = lockCount
            return SimulatedLock(self, key: key, holder: lockCount)
        }
    }

    // MARK: - Inside

    fileprivate func locked<Result>(_ body: () throws(FileError) -> Result) throws(FileError) -> Result {
        // Not `withLock`: its result is `sending`, which a node or a handle that lives in the tree cannot be.
        mutex._unsafeLock()
        defer { mutex._unsafeUnlock() }
        return try body()
    }

    fileprivate func released(_ key: String, holder: UInt64) {
        mutex.withLock { _ in if locks[key] == holder { locks[key] = nil } }
    }

    fileprivate func check(_ file: SimulatedFile, _ operation: FileError.Operation) throws(FileError) {
        if file.life != life || file.isClosed { throw FileError(.closed, operation, file.path) }
    }

    /// Counts a mutating call, and throws where the test wants it to fail.
    fileprivate func begin(_ operation: FileError.Operation, _ path: FilePath) throws(FileError) {
        operations += 1
        traceLines?.append("\(operations) \(operation.rawValue) \(path)")
        if let stop, operations >= stop { throw FileError(.crashed, operation, path, detail: "stopped at \(stop)") }
        try checkFaults(operation, path)
    }

    fileprivate func checkFaults(_ operation: FileError.Operation, _ path: FilePath) throws(FileError) {
        for index in faults.indices {
            if let wanted = faults[index].operation, wanted != operation { continue }
            guard faults[index].matches(path) else { continue }
            if faults[index].skip > 0 {
                faults[index].skip -= 1
                continue
            }
            guard faults[index].count > 0 else { continue }
            faults[index].count -= 1
            throw FileError(faults[index].code, operation, path, detail: "injected")
        }
    }

    /// Bytes that the file may still grow by.
    fileprivate func room(growing node: SimulatedNode, to size: Int, _ path: FilePath) throws(FileError) {
        guard let disk, size > node.bytes.count else { return }
        if used() + Int64(size - node.bytes.count) > disk {
            throw FileError(.noSpace, .write, path, detail: "No space left on device")
        }
    }

    fileprivate func touch(_ node: SimulatedNode) { node.modified = time.wallTime }

    fileprivate static func status(_ node: SimulatedNode) -> FileStatus {
        FileStatus(
            kind: node.isDirectory ? .directory : .file, size: Int64(node.bytes.count), device: 1, inode: node.number,
            modified: node.modified)
    }

    private func endProcess() {
        life += 1
        locks = [:]
        stop = nil
    }

    private func used() -> Int64 {
        var seen: Set<UInt64> = []
        func count(_ node: SimulatedNode) -> Int64 {
            guard seen.insert(node.number).inserted else { return 0 }
            return node.entries.values.reduce(Int64(node.bytes.count)) { $0 + count($1) }
        }
        return count(root)
    }

    private func newNode(isDirectory: Bool) -> SimulatedNode {
        nodeCount += 1
        return SimulatedNode(number: nodeCount, isDirectory: isDirectory, modified: time.wallTime)
    }

    private func setEntry(of parent: SimulatedNode, _ name: String, to node: SimulatedNode) {
        changeCount += 1
        parent.change(.init(id: changeCount, removes: nil, sets: (name, node)))
    }

    private func removeEntry(of parent: SimulatedNode, _ name: String) {
        changeCount += 1
        parent.change(.init(id: changeCount, removes: name, sets: nil))
    }

    /// The path's components. By hand, for a debug build of SystemPackage takes most of a suite's time otherwise.
    private func names(_ path: FilePath) -> [String] {
        path.withPlatformString { start in
            let bytes = UnsafeBufferPointer(start: start, count: strlen(start))
            var names: [String] = []
            for part in bytes.split(separator: CChar(UInt8(ascii: "/"))) {
                let name = part.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
                switch name {
                case ".": continue
                case "..": _ = names.popLast()
                default: names.append(name)
                }
            }
            return names
        }
    }

    private func find(_ path: FilePath, _ operation: FileError.Operation) throws(FileError) -> SimulatedNode? {
        var node = root
        for name in names(path) {
            guard let next = node.entries[name] else { return nil }
            node = next
        }
        return node
    }

    private func place(
        _ path: FilePath, _ operation: FileError.Operation
    ) throws(FileError) -> (parent: SimulatedNode, name: String) {
        var names = names(path)
        guard let last = names.popLast() else { throw FileError(.permissionDenied, operation, path) }
        var node = root
        for name in names {
            guard let next = node.entries[name], next.isDirectory else {
                throw FileError(.noSuchFile, operation, path, detail: "no such folder")
            }
            node = next
        }
        return (node, last)
    }
}

private final class SimulatedFile: File, @unchecked Sendable {
    let node: SimulatedNode
    let path: FilePath
    let system: SimulatedFileSystem
    let life: Int
    let writable: Bool
    let isDirect: Bool
    var isClosed = false

    init(
        node: SimulatedNode, path: FilePath, in system: SimulatedFileSystem, life: Int, writable: Bool, isDirect: Bool
    ) {
        self.isDirect = isDirect
        self.node = node
        self.path = path
        self.system = system
        self.life = life
        self.writable = writable
    }

    var descriptor: CInt? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        try system.locked { () throws(FileError) -> Int in
            try system.check(self, .read)
            try checkBlocks(.read, UnsafeRawBufferPointer(buffer), at: position)
            try system.checkFaults(.read, path)
            let count = min(buffer.count, max(0, node.bytes.count - Int(position)))
            guard count > 0 else { return 0 }
            node.bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(position)..<Int(position) + count]))
            }
            return count
        }
    }

    private func checkBlocks(
        _ operation: FileError.Operation, _ bytes: UnsafeRawBufferPointer, at position: Int64
    ) throws(FileError) {
        guard isDirect else { return }
        let place = UInt(bitPattern: bytes.baseAddress) | UInt(position) | UInt(bytes.count)
        guard place % UInt(DirectAccess.blockBytes) == 0 else {
            throw FileError(.other(EINVAL), operation, path, detail: "direct access to what isn't whole blocks")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        try system.locked { () throws(FileError) in
            try begin(.write)
            try checkBlocks(.write, bytes, at: position)
            do throws(FileError) {
                try system.begin(.write, path)
                try system.room(growing: node, to: Int(position) + bytes.count, path)
            } catch {
                node.change(.write(at: Int(position), Array(bytes.prefix(bytes.count / 2))))
                throw error
            }
            node.change(.write(at: Int(position), Array(bytes)))
            system.touch(node)
        }
    }

    func sync() throws(FileError) {
        try system.locked { () throws(FileError) in
            try begin(.sync)
            do throws(FileError) { try system.begin(.sync, path) } catch {
                if error.code != .crashed { node.syncFailed() }
                throw error
            }
            node.sync()
        }
    }

    func truncate(to size: Int64) throws(FileError) {
        try system.locked { () throws(FileError) in
            try begin(.truncate)
            try system.begin(.truncate, path)
            node.change(.resize(Int(size)))
            system.touch(node)
        }
    }

    func allocate(_ size: Int64) throws(FileError) {
        try system.locked { () throws(FileError) in
            try begin(.allocate)
            try system.begin(.allocate, path)
            try system.room(growing: node, to: Int(size), path)
            if node.bytes.count < Int(size) { node.change(.resize(Int(size))) }
        }
    }

    func status() throws(FileError) -> FileStatus {
        try system.locked { () throws(FileError) -> FileStatus in
            try system.check(self, .status)
            return SimulatedFileSystem.status(node)
        }
    }

    func close() { try? system.locked { isClosed = true } }

    private func begin(_ operation: FileError.Operation) throws(FileError) {
        try system.check(self, operation)
        guard writable else { throw FileError(.permissionDenied, operation, path, detail: "opened for reading") }
    }
}

private final class SimulatedLock: FileLock {
    let system: SimulatedFileSystem
    let key: String
    let holder: UInt64

    init(_ system: SimulatedFileSystem, key: String, holder: UInt64) {
        self.system = system
        self.key = key
        self.holder = holder
    }

    deinit { release() }

    func release() { system.released(key, holder: holder) }
}
