public import Base
public import Exports
import Synchronization

/// An export's store in HDFS, by WebHDFS: the layout of the local store below a folder there.
///
/// A record is uploaded under a name of its own, its length is checked, and it is renamed to its index: HDFS renames onto no file that stands,
/// so that it is absent or whole. A file is staged in the same way once it is closed, and published by a rename: what is staged no longer was
/// published. Nothing is ever appended to, nor written under a name that was used before: an upload whose answer was lost may still be
/// under way, and harms nobody.
///
/// Durable is what HDFS calls so: a closed file on its replicas, a name in the name node's journal.
public final class WebHDFSStore: ExportStore {
    public let settings: WebHDFSSettings
    let client: WebHDFSClient
    private let fileSystem: any FileSystem
    private let random: @Sendable () -> KafkaUUID
    private let state = Mutex(State())

    private struct State {
        /// Folders that this store made and that nobody, as far as it knows, removed.
        var folders: Set<String> = []
        /// Folders where renaming onto a file that stands was seen to be refused.
        var isProbed = false
    }

    private static let foldersMax = 4096
    private static let publishTriesMax = 6

    /// - Parameters:
    ///   - fileSystem: of the folder where files are spooled.
    ///   - random: names that nobody else has.
    public init(
        _ settings: WebHDFSSettings, transport: (any HTTPTransport)? = nil,
        fileSystem: any FileSystem = PosixFileSystem(), random: @escaping @Sendable () -> KafkaUUID = { .random() },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.fileSystem = fileSystem
        self.random = random
        client = WebHDFSClient(
            settings, transport: transport ?? ClientTransport(settings.transport), sleep: sleep)
    }

    // MARK: - The chain

    public func tail(of chain: ChainID) async throws(ExportError) -> ChainTail? {
        try await probe(chain)
        guard let last = try await recordIndexes(of: chain).last else { return nil }
        return try await tail(at: last, of: chain, in: client.name(folder(chain)))
    }

    public func record(_ index: Int64, of chain: ChainID) async throws(ExportError) -> CommitRecord? {
        let path = recordPath(index, of: chain)
        guard let bytes = try await client.read(path, length: CommitRecord.bytesMax.bytes) else { return nil }
        return try CommitRecord(encoded: bytes, at: client.name(path), index: index, of: chain)
    }

    public func append(_ record: CommitRecord) async throws(ExportError) -> Bool {
        let path = recordPath(record.index, of: record.chain)
        let staging = stagingFolder(record.attempt, of: record.chain)
        try await makeFolder(staging)
        let bytes = record.encoded()
        let temporary = try await uploadWhole(.bytes(bytes), length: Int64(bytes.count), below: staging)
        if try await client.rename(temporary, to: path) { return true }
        // Another's stands there, or a takeover swept this attempt's staging away.
        guard try await client.status(path) != nil else {
            throw ExportError(.unanswered, "\(client.name(temporary)) can't be renamed to its record")
        }
        return false
    }

    /// A store that lets a rename replace a file can't hold a chain: two owners would both believe that they wrote a record.
    private func probe(_ chain: ChainID) async throws(ExportError) {
        if state.withLock({ $0.isProbed }) { return }
        // Another owner's takeover may sweep a probe away while it is made, which looks the same once.
        for _ in 1...Self.probesMax where try await refusesToReplace(chain) {
            return state.withLock { $0.isProbed = true }
        }
        throw ExportError(
            .damaged,
            "\(client.name("")) renames onto files that stand: it can't hold an export's chain (is it an HDFS?)")
    }

    private static let probesMax = 5

    /// Tries to rename a file onto another, in a staging folder of no attempt: the next takeover removes it where this process dies meanwhile.
    private func refusesToReplace(_ chain: ChainID) async throws(ExportError) -> Bool {
        let folder = stagingFolder(random(), of: chain)
        try await client.makeFolder(folder)
        let first = try await uploadWhole(.bytes([1]), length: 1, below: folder)
        let second = try await uploadWhole(.bytes([2, 2]), length: 2, below: folder)
        var isRefused = true
        do throws(ExportError) { isRefused = !(try await client.rename(second, to: first)) } catch {
            // A refusal with an exception is one too, where the answer is known.
            if error.code == .unanswered { throw ExportError(.store, error.message) }
        }
        let standing = try await client.status(first)
        try await client.delete(folder)
        return isRefused && standing?.length == 1
    }

    // MARK: - Staging

    public func stagedAttempts(of chain: ChainID) async throws(ExportError) -> [AttemptID] {
        try await client.list("/" + ChainPaths.staging(chain)).compactMap { $0.isFolder ? AttemptID($0.name) : nil }
    }

    public func stage(
        _ name: String, for attempt: AttemptID, of chain: ChainID
    ) async throws(ExportError) -> WebHDFSStagedFile {
        let spool: SpoolFile
        do throws(ExportSpoolError) { spool = try SpoolFile(in: settings.spool, fileSystem: fileSystem) } catch {
            throw ExportError(.store, "\(error)", cause: error)
        }
        return WebHDFSStagedFile(spool, store: self, folder: stagingFolder(attempt, of: chain), name: name)
    }

    /// A file that was finished stands under its name.
    public func sealStaging(
        _ files: [(file: WebHDFSStagedFile, entry: CommitRecord.File)], of attempt: AttemptID, of chain: ChainID
    ) async throws(ExportError) -> [CommitRecord.File] {
        files.map(\.entry)
    }

    public func removeStaging(of attempt: AttemptID, of chain: ChainID) async throws(ExportError) {
        let folder = stagingFolder(attempt, of: chain)
        forget(folder)
        try await client.delete(folder)
    }

    /// Uploads the file's bytes and gives them their staged name.
    func finish(_ spool: SpoolFile, length: Int64, folder: String, name: String) async throws(ExportError) {
        try await makeFolder(folder)
        let temporary = try await uploadWhole(.file(spool.file, length: length), length: length, below: folder)
        try await move(temporary, to: "\(folder)/\(name)", length: length)
    }

    /// Uploads under names that nobody used until one stands with its whole length; an upload that was cut short is a shorter file.
    func uploadWhole(
        _ body: HTTPCall.Body, length: Int64, below folder: String
    ) async throws(ExportError) -> String {
        var failure = ExportError(.store, "")
        for attempt in 1...settings.triesMax {
            let path = "\(folder)/upload-\(random())"
            do throws(ExportError) {
                try await client.upload(body, to: path)
                if let status = try await client.status(path), status.length == length { return path }
                failure = ExportError(.store, "\(client.name(path)) was cut short while it was uploaded")
            } catch {
                guard error.code == .store else { throw error }
                failure = error
            }
            // The folder may have gone, with a takeover that swept this attempt away.
            if attempt == 1 {
                forget(folder)
                try await makeFolder(folder)
            }
        }
        throw failure
    }

    // MARK: - Publishing

    public func publish(_ record: CommitRecord, isFresh: Bool) async throws(ExportError) {
        let staging = stagingFolder(record.attempt, of: record.chain)
        for file in record.files {
            let staged = "\(staging)/\(file.stagedName)"
            let final = publishedPath(file.finalPath, of: record.chain.table)
            guard let status = try await client.status(staged) else {
                if isFresh, try await client.status(final) == nil {
                    throw ExportError(
                        .damaged,
                        "\(client.name(staged)) was deleted before it was published; its rows are lost from the table. "
                            + "Did somebody clean up below .millrace?")
                }
                continue
            }
            guard status.length == file.length else {
                throw ExportError(
                    .damaged,
                    "\(client.name(staged)) has \(status.length) bytes, its commit record says \(file.length)")
            }
            try await makeFolder(Self.parent(of: final))
            try await move(staged, to: final, length: file.length)
        }
    }

    /// Renames a file that nobody but owners of the chain touch; whoever did it, it is done.
    private func move(_ path: String, to target: String, length: Int64) async throws(ExportError) {
        var reason = "the name node refused it"
        for _ in 0..<Self.publishTriesMax {
            do throws(ExportError) { if try await client.rename(path, to: target) { return } } catch {
                guard error.code == .unanswered else { throw error }
                reason = error.message
            }
            // The file is looked for last: a rename that was sent earlier may take effect between two looks.
            let standing = try await client.status(target)
            guard try await client.status(path) != nil else {
                // Its answer was lost, or another owner was faster (and somebody may have removed the file since).
                return
            }
            if let standing {
                throw ExportError(
                    .conflict,
                    "\(client.name(target)) stands already with \(standing.length) bytes (ours has \(length)) and is "
                        + "another file: does another pipeline write into this table?")
            }
            // Somebody may have removed the folder since it was made.
            forget(Self.parent(of: target))
            try await makeFolder(Self.parent(of: target))
        }
        throw ExportError(.store, "\(client.name(path)) can't be renamed to \(client.name(target)): \(reason)")
    }

    // MARK: - Places

    func folder(_ chain: ChainID) -> String { "/" + ChainPaths.folder(chain) }

    func recordPath(_ index: Int64, of chain: ChainID) -> String { "\(folder(chain))/\(ChainPaths.recordName(index))" }

    func stagingFolder(_ attempt: AttemptID, of chain: ChainID) -> String {
        "/" + ChainPaths.staging(attempt, of: chain)
    }

    func publishedPath(_ path: String, of table: String) -> String { "/\(table)/\(path)" }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    func makeFolder(_ path: String) async throws(ExportError) {
        if state.withLock({ $0.folders.contains(path) }) { return }
        try await client.makeFolder(path)
        state.withLock { state in
            if state.folders.count >= Self.foldersMax { state.folders.removeAll() }
            state.folders.insert(path)
        }
    }

    private func forget(_ folder: String) { state.withLock { _ = $0.folders.remove(folder) } }
}

/// A file on its way to HDFS: spooled here, uploaded when it is finished.
public final class WebHDFSStagedFile: StagedFile {
    private var spool: SpoolFile?
    private let store: WebHDFSStore
    private let folder: String
    private let name: String
    private var length: Int64 = 0

    init(_ spool: SpoolFile, store: WebHDFSStore, folder: String, name: String) {
        self.spool = spool
        self.store = store
        self.folder = folder
        self.name = name
    }

    public func write(_ bytes: [UInt8]) async throws(ExportError) {
        guard let file = spool?.file else { throw ExportError(.stopped, "\(name) is closed") }
        let position = length
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            do throws(FileError) { return .success(try file.write(buffer, at: position)) } catch {
                return .failure(error)
            }
        }
        do throws(FileError) { try result.get() } catch {
            throw ExportError(.store, "\(name) can't be spooled: \(error)", cause: error)
        }
        length += Int64(bytes.count)
    }

    public func finish() async throws(ExportError) {
        guard let spool else { return }
        defer { self.spool = nil }
        try await store.finish(spool, length: length, folder: folder, name: name)
    }

    public func discard() { spool = nil }
}
