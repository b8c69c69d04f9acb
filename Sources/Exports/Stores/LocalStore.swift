public import Base
import Synchronization
public import SystemPackage

/// An export's store on a local disk (or one that is mounted with POSIX semantics and hard links).
///
///     <root>/<table>/dt=2026-11-22/hour=05/part-….json.gz                        what readers see
///     <root>/.millrace/<pipeline>/<table>/<topic>-<id8>/p00003/
///         00000000000000000042.commit                                           the chain
///         staging/<attempt>/0.json.gz                                           not yet in the table
///         archive/                                                              old records, collected
///
/// A record is created by `link` of a complete, synced temporary file: absent or whole, never half. A file is published by `link` into
/// the table, sync of the folder, and only then `unlink` from staging: at every moment at least one name is durable. A name that is staged
/// no longer was published.
public final class LocalStore: ExportStore {
    public let root: FilePath
    let fileSystem: any FileSystem
    /// Folders known to be durable themselves, so that each is made and synced once.
    private let durableFolders = Mutex<Set<String>>([])
    private let chainFolders = Mutex<[ChainID: FilePath]>([:])
    /// The archive that was read last, so that a walk along the chain reads each once.
    let lastArchive = Mutex<(path: String, records: [CommitRecord])?>(nil)
    private static let durableFoldersMax = 4096

    public init(root: FilePath, fileSystem: any FileSystem = PosixFileSystem()) {
        self.root = root.lexicallyNormalized()
        self.fileSystem = fileSystem
    }

    // MARK: - Places

    public func tableFolder(_ table: String) -> FilePath { root.appending(table) }

    public func chainFolder(_ chain: ChainID) -> FilePath {
        chainFolders.withLock { folders in
            if let known = folders[chain] { return known }
            let folder = root.pushing(FilePath(ChainPaths.folder(chain)))
            folders[chain] = folder
            return folder
        }
    }

    public func recordPath(_ index: Int64, of chain: ChainID) -> FilePath {
        chainFolder(chain).appending(ChainPaths.recordName(index))
    }

    func stagingFolder(_ chain: ChainID) -> FilePath { chainFolder(chain).appending("staging") }

    func stagingFolder(_ attempt: AttemptID, of chain: ChainID) -> FilePath {
        stagingFolder(chain).appending(attempt.description)
    }

    // MARK: - The chain

    public func tail(of chain: ChainID) async throws(ExportError) -> ChainTail? {
        guard let last = try recordIndexes(of: chain).last else { return nil }
        return try await tail(at: last, of: chain, in: chainFolder(chain).string)
    }

    /// The chain's indexes, ascending and without a hole.
    public func recordIndexes(of chain: ChainID) throws(ExportError) -> [Int64] {
        let folder = chainFolder(chain)
        let entries = try attempting { () throws(FileError) in
            try fileSystem.exists(folder) ? try fileSystem.list(folder) : []
        }
        // In this order: what is missing from the names was archived before.
        let archivedEnd = try archivedEnd(try archives(of: chain), of: chain)
        let names = entries.filter { !$0.isDirectory }.map(\.name)
        let indexes = try ChainPaths.indexes(of: names, in: folder.string, from: archivedEnd)
        return Array(0..<archivedEnd) + indexes
    }

    public func record(_ index: Int64, of chain: ChainID) throws(ExportError) -> CommitRecord? {
        // What was collected is read from there: a file that stands may be one of an owner that slept through it.
        if let archived = try archived(index, of: chain) { return archived }
        let path = recordPath(index, of: chain)
        let bytes = try attempting { () throws(FileError) in
            try fileSystem.contents(of: path, bytesMax: CommitRecord.bytesMax)
        }
        // It may have been collected between the two looks.
        guard let bytes else { return try archived(index, of: chain) }
        return try CommitRecord(encoded: bytes, at: path.string, index: index, of: chain)
    }

    public func append(_ record: CommitRecord) throws(ExportError) -> Bool {
        let folder = chainFolder(record.chain)
        let staging = stagingFolder(record.attempt, of: record.chain)
        let temporary = staging.appending("\(record.index).commit.tmp")
        let path = recordPath(record.index, of: record.chain)
        try attempting { () throws(FileError) in
            try makeDurable(staging.string)
            try write(record.encoded(), to: temporary)
        }
        var isNew: Bool
        do throws(FileError) {
            try fileSystem.link(temporary, to: path)
            isNew = true
        } catch {
            if error.code == .crashed { throw ExportError(.store, "\(error)", cause: error) }
            guard error.code == .alreadyExists else {
                throw ExportError(.unanswered, "\(path) could not be linked: \(error)", cause: error)
            }
            isNew = false
        }
        if isNew, try archivedEnd(try archives(of: record.chain), of: record.chain) > record.index {
            // The record that fenced us was collected.
            isNew = false
            try attempting { () throws(FileError) in try unlinkIfThere(path) }
        }
        // Also for a record of somebody else's: what is built on it must not outlive it.
        try attempting { () throws(FileError) in try fileSystem.syncDirectory(folder) }
        do throws(FileError) { try fileSystem.unlink(temporary) } catch {
            // It goes with the staging folder.
        }
        return isNew
    }

    func write(_ bytes: [UInt8], to path: FilePath) throws(FileError) {
        let file = try fileSystem.open(path, .create)
        defer { file.close() }
        try file.truncate(to: 0)
        try file.writeAll(bytes, at: 0)
        try file.sync()
    }

    // MARK: - Staging

    public func stagedAttempts(of chain: ChainID) throws(ExportError) -> [AttemptID] {
        let folder = stagingFolder(chain)
        let entries = try attempting { () throws(FileError) in
            try fileSystem.exists(folder) ? try fileSystem.list(folder) : []
        }
        return entries.compactMap { $0.isDirectory ? AttemptID($0.name) : nil }
    }

    public func stage(
        _ name: String, for attempt: AttemptID, of chain: ChainID
    ) throws(ExportError) -> LocalStagedFile {
        let folder = stagingFolder(attempt, of: chain)
        return try attempting { () throws(FileError) in
            try makeDurable(folder.string)
            let path = folder.appending(name)
            return LocalStagedFile(try fileSystem.open(path, .createNew), path: path)
        }
    }

    public func sealStaging(
        _ files: [(file: LocalStagedFile, entry: CommitRecord.File)], of attempt: AttemptID, of chain: ChainID
    ) throws(ExportError) -> [CommitRecord.File] {
        try attempting { () throws(FileError) in
            try fileSystem.syncDirectory(stagingFolder(attempt, of: chain))
        }
        return files.map(\.entry)
    }

    public func removeStaging(of attempt: AttemptID, of chain: ChainID) throws(ExportError) {
        let folder = stagingFolder(attempt, of: chain)
        forgetFolders()
        try attempting { () throws(FileError) in
            guard try fileSystem.exists(folder) else { return }
            for entry in try fileSystem.list(folder) { try unlinkIfThere(folder.appending(entry.name)) }
            do throws(FileError) { try fileSystem.removeDirectory(folder) } catch {
                // A fenced owner may just have put another file there; the next takeover takes it away.
                if error.code == .crashed { throw error }
            }
        }
    }

    // MARK: - Publishing

    public func publish(_ record: CommitRecord, isFresh: Bool) throws(ExportError) {
        let staging = stagingFolder(record.attempt, of: record.chain)
        let table = tableFolder(record.chain.table).string
        var folders: Set<String> = []
        var linked: [FilePath] = []
        for file in record.files {
            let staged = staging.appending(file.stagedName)
            let final = FilePath("\(table)/\(file.finalPath)")
            if try link(file, staged, to: final, isFresh: isFresh) {
                folders.insert(Self.parent(of: final.string))
                linked.append(staged)
            }
        }
        try attempting { () throws(FileError) in
            for folder in folders.sorted() { try fileSystem.syncDirectory(FilePath(folder)) }
            for staged in linked { try unlinkIfThere(staged) }
        }
    }

    /// Gives the staged file its name in the table; false where it is no longer staged.
    private func link(
        _ file: CommitRecord.File, _ staged: FilePath, to final: FilePath, isFresh: Bool
    ) throws(ExportError) -> Bool {
        let status = try attempting { () throws(FileError) in try fileSystem.status(staged) }
        guard let status else {
            let isThere = try attempting { () throws(FileError) in try fileSystem.exists(final) }
            if isFresh && !isThere {
                throw ExportError(
                    .damaged,
                    "\(staged) was deleted before it was published; its rows are lost from the table. "
                        + "Did somebody clean up below .millrace?")
            }
            return false
        }
        guard status.size == file.length else {
            throw ExportError(
                .damaged, "\(staged) has \(status.size) bytes, its commit record says \(file.length)")
        }
        do throws(FileError) {
            try linkIntoTable(staged, to: final)
        } catch {
            switch error.code {
            case .noSuchFile:
                // Another owner published it in between.
                let isStaged = try attempting { () throws(FileError) in try fileSystem.exists(staged) }
                if isStaged { throw ExportError(.store, "\(final) could not be linked: \(error)", cause: error) }
                return false
            case .alreadyExists:
                let standing = try attempting { () throws(FileError) in try fileSystem.status(final) }
                guard let standing, (standing.device, standing.inode) != (status.device, status.inode) else {
                    return true
                }
                throw ExportError(
                    .conflict,
                    "\(final) stands already and is another file: does another pipeline write into this table?")
            default: throw ExportError(.store, "\(final) could not be linked: \(error)", cause: error)
            }
        }
        return true
    }

    private func linkIntoTable(_ staged: FilePath, to final: FilePath) throws(FileError) {
        try makeDurable(Self.parent(of: final.string))
        do throws(FileError) { try fileSystem.link(staged, to: final) } catch {
            // Somebody may have removed the folder since it was made.
            guard error.code == .noSuchFile else { throw error }
            forgetFolders()
            try makeDurable(Self.parent(of: final.string))
            try fileSystem.link(staged, to: final)
        }
    }

    // MARK: - Folders

    func unlinkIfThere(_ path: FilePath) throws(FileError) {
        do throws(FileError) { try fileSystem.unlink(path) } catch {
            guard error.code == .noSuchFile else { throw error }
        }
    }

    private func forgetFolders() { durableFolders.withLock { $0.removeAll() } }

    /// Makes the folder and those above it, each durable in the one above it. Folders that stood before this process began are synced
    /// too: who made them may have died first.
    func makeDurable(_ folder: String) throws(FileError) {
        if folder.isEmpty || durableFolders.withLock({ $0.contains(folder) }) { return }
        if folder != "/" {
            let parent = Self.parent(of: folder)
            try makeDurable(parent)
            try fileSystem.createDirectory(FilePath(folder))
            try syncDirectory(FilePath(parent), isOurs: folder.hasPrefix(root.string + "/"))
        }
        durableFolders.withLock { folders in
            if folders.count >= Self.durableFoldersMax { folders.removeAll() }
            folders.insert(folder)
        }
    }

    /// By hand: `FilePath` walks are slow in debug builds, where the seeded suites run.
    private static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Folders above the root may belong to others, who need not let us open or sync them.
    private func syncDirectory(_ path: FilePath, isOurs: Bool) throws(FileError) {
        do throws(FileError) { try fileSystem.syncDirectory(path) } catch {
            guard !isOurs, error.code != .crashed, error.code != .inputOutput else { throw error }
        }
    }

    func attempting<Result>(_ body: () throws(FileError) -> Result) throws(ExportError) -> Result {
        do throws(FileError) { return try body() } catch { throw ExportError(.store, "\(error)", cause: error) }
    }
}

/// A file in a local staging folder.
public final class LocalStagedFile: StagedFile {
    private let file: any File
    private let path: FilePath
    private var length: Int64 = 0

    init(_ file: any File, path: FilePath) {
        self.file = file
        self.path = path
    }

    public func write(_ bytes: [UInt8]) throws(ExportError) {
        do throws(FileError) { try file.writeAll(bytes, at: length) } catch {
            throw ExportError(.store, "\(error)", cause: error)
        }
        length += Int64(bytes.count)
    }

    public func finish() throws(ExportError) {
        defer { file.close() }
        do throws(FileError) { try file.sync() } catch { throw ExportError(.store, "\(error)", cause: error) }
    }

    public func discard() { file.close() }
}

extension File {
    func writeAll(_ bytes: [UInt8], at position: Int64) throws(FileError) {
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            do throws(FileError) { return .success(try write(buffer, at: position)) } catch { return .failure(error) }
        }
        try result.get()
    }
}
