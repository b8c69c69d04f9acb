import Base
import SystemPackage
import TestKit

/// The disk that applications write their logs to, in memory, for a tailer that only reads: files with names, links and inodes that are
/// used again. `onCall` comes before each of the tailer's calls, so a history may do something between any two of them, or end the process.
final class LogDisk: FileSystem, @unchecked Sendable {
    /// A file: it lives as long as a name, an application or the tailer holds it.
    final class Node {
        fileprivate(set) var inode: UInt64
        fileprivate(set) var bytes: [UInt8] = []
        fileprivate(set) var modified: Timestamp
        fileprivate(set) var names = 0
        /// Handles of the tailer.
        fileprivate(set) var handles = 0
        /// Applications that have it open.
        var writers = 0

        /// When its inode was made, by a clock that ticks every four milliseconds; 0 on a disk that doesn't tell.
        let born: Int64

        fileprivate init(inode: UInt64, modified: Timestamp, born: Int64) {
            self.inode = inode
            self.born = born
            self.modified = modified
        }
    }

    private enum Entry {
        case file(Node)
        /// A symbolic link to an absolute path.
        case link(String)
    }

    private let clock: () -> Timestamp
    private var folders: [String: [String: Entry]] = [:]
    private var nextInode: UInt64 = 100
    private var freeInodes: [UInt64] = []
    /// Whether inodes of files that are gone are given to new ones, as ext4 does.
    var reusesInodes = false
    /// Whether it tells when a file was made.
    var tellsBirth = false
    /// Disks list names in an order of their own.
    var listingOrder: (String, String) -> Bool = (<)
    /// Files that the tailer may have open at a time.
    var handlesMax = Int.max
    private(set) var handles = 0
    private(set) var handlesPeak = 0
    private var life = 0
    var onCall: (() throws(FileError) -> Void)?

    init(clock: @escaping () -> Timestamp) { self.clock = clock }

    /// The tailer's process is gone, and its handles with it.
    func processKilled() {
        life += 1
        for node in open.values.sorted(by: { $0.inode < $1.inode }) {
            node.handles = 0
            release(node)
        }
        open = [:]
        handles = 0
    }

    private var open: [UInt64: Node] = [:]

    // MARK: - What applications and rotators do

    func makeFolder(_ path: String) { if folders[path] == nil { folders[path] = [:] } }

    func create(_ path: String) -> Node {
        let (folder, name) = Self.split(path)
        precondition(folders[folder]![name] == nil, "\(path) stands already")
        let inode: UInt64
        if reusesInodes, let free = freeInodes.popLast() {
            inode = free
        } else {
            inode = nextInode
            nextInode += 1
        }
        let born = tellsBirth ? (clock().milliseconds / 4 + 1) * 4_000_000 : 0
        let node = Node(inode: inode, modified: clock(), born: born)
        node.names = 1
        folders[folder]![name] = .file(node)
        return node
    }

    func append(_ bytes: [UInt8], to node: Node) {
        node.bytes += bytes
        node.modified = clock()
    }

    func truncate(_ node: Node) {
        node.bytes = []
        node.modified = clock()
    }

    func setModified(_ time: Timestamp, of node: Node) { node.modified = time }

    func rename(_ path: String, to target: String) {
        let (folder, name) = Self.split(path)
        let entry = folders[folder]!.removeValue(forKey: name)!
        let (newFolder, newName) = Self.split(target)
        if case .file(let old)? = folders[newFolder]![newName] { unname(old) }
        folders[newFolder]![newName] = entry
    }

    func unlink(_ path: String) {
        let (folder, name) = Self.split(path)
        if case .file(let node)? = folders[folder]!.removeValue(forKey: name) { unname(node) }
    }

    /// As `ln -sfn`: the link is replaced at once.
    func link(_ path: String, to target: String) {
        let (folder, name) = Self.split(path)
        folders[folder]![name] = .link(target)
    }

    func node(_ path: String) -> Node? {
        let (folder, name) = Self.split(path)
        switch folders[folder]?[name] {
        case .file(let node): return node
        case .link(let target): return self.node(target)
        case nil: return nil
        }
    }

    /// What a link leads to, or the path itself.
    func resolve(_ path: String) -> String {
        let (folder, name) = Self.split(path)
        if case .link(let target)? = folders[folder]?[name] { return target }
        return path
    }

    func names(in folder: String) -> [String] { folders[folder]?.keys.sorted() ?? [] }

    func closed(_ node: Node) {
        node.writers -= 1
        release(node)
    }

    private func unname(_ node: Node) {
        node.names -= 1
        release(node)
    }

    private func release(_ node: Node) {
        if node.names == 0, node.handles == 0, node.writers == 0 { freeInodes.append(node.inode) }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        let slash = path.lastIndex(of: "/")!
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    // MARK: - What the tailer calls

    func status(_ path: FilePath) throws(FileError) -> FileStatus? {
        try onCall?()
        let path = path.string
        if folders[path] != nil { return Self.folderStatus(path) }
        return node(path).map(Self.status)
    }

    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] {
        try onCall?()
        let path = directory.string
        guard let entries = folders[path] else { throw FileError(.noSuchFile, .list, directory) }
        let prefix = path == "/" ? "/" : path + "/"
        let below = folders.keys.filter {
            $0 != path && $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/")
        }
        return entries.keys.sorted(by: listingOrder).map { DirectoryEntry(name: $0, isDirectory: false) }
            + below.sorted().map { DirectoryEntry(name: String($0.dropFirst(prefix.count)), isDirectory: true) }
    }

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        try onCall?()
        precondition(mode == .read, "a tailer only reads")
        guard let node = node(path.string) else { throw FileError(.noSuchFile, .open, path) }
        guard handles < handlesMax else { throw FileError(.tooManyOpenFiles, .open, path) }
        handles += 1
        handlesPeak = max(handlesPeak, handles)
        node.handles += 1
        open[node.inode] = node
        return Handle(node, path, self, life)
    }

    fileprivate static func status(_ node: Node) -> FileStatus {
        FileStatus(
            kind: .file, size: Int64(node.bytes.count), device: 1, inode: node.inode, modified: node.modified,
            born: node.born)
    }

    private static func folderStatus(_ path: String) -> FileStatus {
        let number = path.utf8.reduce(UInt64(0)) { ($0 &* 31 &+ UInt64($1)) & 0xFFFF_FFFF }
        return FileStatus(
            kind: .directory, size: 0, device: 1, inode: 1 << 40 | number, modified: Timestamp(milliseconds: 0))
    }

    private final class Handle: File, @unchecked Sendable {
        private let node: Node
        private let path: FilePath
        private let disk: LogDisk
        private let life: Int
        private var isOpen = true

        init(_ node: Node, _ path: FilePath, _ disk: LogDisk, _ life: Int) {
            self.node = node
            self.path = path
            self.disk = disk
            self.life = life
        }

        deinit { close() }

        var descriptor: CInt? { nil }

        private func check(_ operation: FileError.Operation) throws(FileError) {
            guard isOpen, life == disk.life else { throw FileError(.closed, operation, path) }
            try disk.onCall?()
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
            try check(.read)
            let count = min(buffer.count, max(0, node.bytes.count - Int(position)))
            guard count > 0 else { return 0 }
            node.bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(position)..<Int(position) + count]))
            }
            return count
        }

        func status() throws(FileError) -> FileStatus {
            try check(.status)
            return LogDisk.status(node)
        }

        func close() {
            guard isOpen else { return }
            isOpen = false
            guard life == disk.life else { return }
            node.handles -= 1
            disk.handles -= 1
            if node.handles == 0 {
                disk.open[node.inode] = nil
                disk.release(node)
            }
        }

        private func refused(_ operation: FileError.Operation) -> FileError {
            FileError(.permissionDenied, operation, path)
        }
        func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) { throw refused(.write) }
        func sync() throws(FileError) { throw refused(.sync) }
        func truncate(to size: Int64) throws(FileError) { throw refused(.truncate) }
        func allocate(_ size: Int64) throws(FileError) { throw refused(.allocate) }
    }

    private static func refused(_ operation: FileError.Operation, _ path: FilePath) -> FileError {
        FileError(.permissionDenied, operation, path, detail: "a tailer only reads")
    }
    func createDirectory(_ path: FilePath) throws(FileError) { throw Self.refused(.createDirectory, path) }
    func removeDirectory(_ path: FilePath) throws(FileError) { throw Self.refused(.removeDirectory, path) }
    func rename(_ source: FilePath, to target: FilePath) throws(FileError) { throw Self.refused(.rename, source) }
    func link(_ source: FilePath, to target: FilePath) throws(FileError) { throw Self.refused(.link, source) }
    func unlink(_ path: FilePath) throws(FileError) { throw Self.refused(.unlink, path) }
    func syncDirectory(_ path: FilePath) throws(FileError) { throw Self.refused(.syncDirectory, path) }
    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) { throw Self.refused(.space, path) }
    func lock(_ path: FilePath) throws(FileError) -> any FileLock { throw Self.refused(.lock, path) }
}
