public import Base
public import Exports
import Synchronization

/// An export's store in a bucket of S3: the layout of the local store as keys.
///
///     <prefix><table>/dt=2026-11-22/hour=05/part-….zstd.parquet                  what readers see
///     <prefix>.millrace/<pipeline>/<table>/<topic>-<id8>/p00003/
///         00000000000000000042.commit                                            the chain
///         staging/<attempt>/0.zstd.parquet.uploads                               the keys that uploads were begun for
///
/// S3 has no rename. A record is created by a PUT with `If-None-Match: *`: absent or whole. A file is staged as a multipart upload that has all its
/// parts and isn't completed, under the key that it will have: readers see nothing of it. The record names the upload's id and its parts' ETags;
/// publishing completes it, which happens once, for the id is gone then. What is published carries a mark (attempt and staged name), by which a HEAD
/// tells whether an upload that is no more was completed.
///
/// Before uploads are begun, an object in the attempt's staging folder names their keys: a later owner lists the uploads of those keys before it takes
/// over, and aborts what it found once its takeover stands.
public final class S3Store: ExportStore {
    public let settings: S3Settings
    let client: S3Client
    private let fileSystem: any FileSystem
    private let random: @Sendable () -> KafkaUUID
    let state = Mutex(State())

    struct State {
        /// Conditional creation was seen to be kept.
        var isProbed = false
        /// Where an attempt's files wait until its next commit.
        var areas: [AttemptID: SpoolArea] = [:]
        /// What attempts of this process have begun and not published.
        var begun: [AttemptID: Leftovers] = [:]
        /// What attempts had left when a takeover began.
        var found: [ChainID: [AttemptID: Leftovers]] = [:]
    }

    /// Objects and uploads that nobody needs once their attempt is over.
    struct Leftovers {
        var objects: [String] = []
        var uploads: [(key: String, id: String)] = []
        /// An upload may have been begun whose id nobody knows.
        var isUncertain = false
    }

    private static let probesMax = 5
    /// Files that are uploaded or published at a time, each with one part in memory.
    static let concurrency = 4

    /// - Parameters:
    ///   - fileSystem: of the folder where files are spooled.
    ///   - random: names that nobody else has.
    public init(
        _ settings: S3Settings, transport: (any HTTPTransport)? = nil,
        fileSystem: any FileSystem = PosixFileSystem(), random: @escaping @Sendable () -> KafkaUUID = { .random() },
        time: any TimeSource = SystemTime(),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.fileSystem = fileSystem
        self.random = random
        client = S3Client(
            settings, keys: S3CredentialSource(settings, fileSystem: fileSystem),
            transport: transport ?? ClientTransport(settings.transport), time: time, sleep: sleep)
    }

    // MARK: - The chain

    public func tail(of chain: ChainID) async throws(ExportError) -> ChainTail? {
        try await probe(chain)
        guard let last = try await lastIndex(of: chain) else { return nil }
        return try await tail(at: last, of: chain, in: client.name(folder(chain)))
    }

    /// A long chain is not listed whole: it is dense, so that its end is found by halves.
    private func lastIndex(of chain: ChainID) async throws(ExportError) -> Int64? {
        let page = try await client.list(folder(chain) + "/", delimiter: true)
        let known = try ChainPaths.indexes(of: names(page, below: folder(chain)), in: client.name(folder(chain)))
        guard page.next != nil, var low = known.last else { return known.last }
        var step: Int64 = 1000
        while try await client.status(recordKey(low + step, of: chain)) != nil {
            low += step
            step *= 2
        }
        var high = low + step
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try await client.status(recordKey(middle, of: chain)) != nil { low = middle } else { high = middle }
        }
        return low
    }

    public func record(_ index: Int64, of chain: ChainID) async throws(ExportError) -> CommitRecord? {
        let key = recordKey(index, of: chain)
        guard let bytes = try await client.read(key, length: CommitRecord.bytesMax.bytes) else { return nil }
        return try CommitRecord(encoded: bytes, at: client.name(key), index: index, of: chain)
    }

    public func append(_ record: CommitRecord) async throws(ExportError) -> Bool {
        try await client.create(recordKey(record.index, of: record.chain), record.encoded())
    }

    /// A store that writes over an object though it was told not to can't hold a chain: two owners would both believe that they wrote a record.
    private func probe(_ chain: ChainID) async throws(ExportError) {
        if state.withLock({ $0.isProbed }) { return }
        // Another owner's takeover may sweep a probe away while it is made, which looks the same once.
        for _ in 1...Self.probesMax where try await keepsConditions(chain) {
            return state.withLock { $0.isProbed = true }
        }
        throw ExportError(
            .damaged,
            "\(client.name("")) writes over objects that stand, though asked not to (If-None-Match): it can't hold an export's chain"
        )
    }

    /// Creates an object twice, in a staging folder of no attempt: the next takeover removes it where this process dies meanwhile.
    private func keepsConditions(_ chain: ChainID) async throws(ExportError) -> Bool {
        let key = stagingFolder(random(), of: chain) + "/probe"
        do throws(ExportError) {
            _ = try await client.create(key, [1])
            let isRefused = !(try await client.create(key, [2]))
            let standing = try await client.read(key, length: 16)
            try await client.delete(key)
            return isRefused && standing == [1]
        } catch {
            // Nothing of a chain was asked yet.
            throw error.code == .unanswered ? ExportError(.store, error.message) : error
        }
    }

    // MARK: - Staging

    public func stage(_ name: String, for attempt: AttemptID, of chain: ChainID) async throws(ExportError)
        -> S3StagedFile
    {
        if let area = state.withLock({ $0.areas[attempt] }) { return S3StagedFile(area, name: name) }
        let area: SpoolArea
        do throws(ExportSpoolError) {
            area = SpoolArea(try SpoolFile(in: settings.spool, fileSystem: fileSystem))
        } catch { throw ExportError(.store, "\(error)", cause: error) }
        state.withLock { $0.areas[attempt] = area }
        return S3StagedFile(area, name: name)
    }

    /// Lists what attempts left as well: whoever takes over then removes that, and nothing that came later.
    public func stagedAttempts(of chain: ChainID) async throws(ExportError) -> [AttemptID] {
        let staging = key(ChainPaths.staging(chain))
        var found: [AttemptID: Leftovers] = [:]
        for object in try await client.listAll(staging + "/").objects {
            let parts = object.key.dropFirst(staging.utf8.count + 1).split(separator: "/")
            guard parts.count == 2, let attempt = AttemptID(String(parts[0])) else { continue }
            found[attempt, default: Leftovers()].objects.append(object.key)
            guard object.key.hasSuffix(Self.intentSuffix) else { continue }
            for key in try await intent(object.key) {
                let uploads = try await client.uploads(of: key)
                found[attempt, default: Leftovers()].uploads += uploads.map { (key, $0) }
            }
        }
        state.withLock { $0.found[chain] = found }
        return Array(found.keys)
    }

    public func removeStaging(of attempt: AttemptID, of chain: ChainID) async throws(ExportError) {
        let leftovers = state.withLock { state in
            state.areas[attempt] = nil
            let begun = state.begun.removeValue(forKey: attempt)
            // What was listed is all of it, where there is such a list.
            return state.found[chain]?.removeValue(forKey: attempt) ?? begun
        }
        guard let leftovers else { return }
        for upload in leftovers.uploads { try await client.abortUpload(upload.id, of: upload.key) }
        if leftovers.isUncertain { return }
        for object in leftovers.objects { try await client.delete(object) }
    }

    // MARK: - Places

    func key(_ path: String) -> String { settings.prefix + path }

    func folder(_ chain: ChainID) -> String { key(ChainPaths.folder(chain)) }

    func recordKey(_ index: Int64, of chain: ChainID) -> String { "\(folder(chain))/\(ChainPaths.recordName(index))" }

    func stagingFolder(_ attempt: AttemptID, of chain: ChainID) -> String {
        key(ChainPaths.staging(attempt, of: chain))
    }

    func publishedKey(_ path: String, of table: String) -> String { key("\(table)/\(path)") }

    /// The names of the objects of a listing, which are all below a folder.
    func names(_ listing: S3Client.Listing, below folder: String) -> [String] {
        listing.objects.map { String($0.key.dropFirst(folder.utf8.count + 1)) }
    }
}
