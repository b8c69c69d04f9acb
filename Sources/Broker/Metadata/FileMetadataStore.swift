import Base
import Synchronization
import SystemPackage

/// The metadata of a broker that is its own cluster: two small files in the data folder.
///
/// `identity` says whose folder this is (cluster and broker id) and is written once; `metadata` is replaced whole with every
/// change. Each is checksummed. One that can't be read is set aside under `NAME.damaged-MILLISECONDS`, and the broker starts.
public final class FileMetadataStore: MetadataStore {
    private static let sizeMax = ByteCount.mib(64)

    private let folder: FilePath
    private let brokerID: BrokerID
    private let fileSystem: any FileSystem
    private let time: any TimeSource
    private let lane: DiskLane
    private let state = Mutex<State>(.closed)

    private enum State {
        case closed
        case open(ClusterMetadata)
        /// A write failed: which of the two states stands on the disk is unknown.
        case failed(reason: String)
    }

    /// The folder exists. Everything that blocks happens on `lane`.
    public init(
        folder: FilePath, brokerID: BrokerID, fileSystem: any FileSystem, time: any TimeSource, lane: DiskLane
    ) {
        self.folder = folder
        self.brokerID = brokerID
        self.fileSystem = fileSystem
        self.time = time
        self.lane = lane
    }

    public func load() async throws(MetadataStoreError) -> LoadedMetadata {
        try await lane.run { Self.outcome { () throws(MetadataStoreError) in try self.loadNow() } }.get()
    }

    public func apply(_ change: MetadataChange) async throws(MetadataStoreError) -> ClusterMetadata {
        try await lane.run { Self.outcome { () throws(MetadataStoreError) in try self.applyNow(change) } }.get()
    }

    /// Refuses every change from now on: the folder may be another process's.
    func close() {
        state.withLock { $0 = .failed(reason: "the broker is shutting down") }
    }

    private func loadNow() throws(MetadataStoreError) -> LoadedMetadata {
        do {
            let identity = try readIdentity()
            let clusterID = identity ?? KafkaUUID.random().description
            var loaded = LoadedMetadata(metadata: ClusterMetadata(clusterID: clusterID), origin: .created)
            let path = folder.appending("metadata")
            if let bytes = try fileSystem.contents(of: path, bytesMax: Self.sizeMax) {
                switch Self.outcome({ () throws(ChecksummedText.Damage) in try MetadataText.decode(bytes) }) {
                case .success(let metadata): loaded = LoadedMetadata(metadata: metadata, origin: .stored)
                case .failure(let damage):
                    let aside = try setAside(path)
                    loaded.origin = .rebuilt(
                        reason: "\(path) is damaged (\(damage.reason)) and was set aside as \(aside)")
                }
            } else if identity != nil {
                loaded.origin = .rebuilt(reason: "\(path) is missing")
            }
            if identity == nil { try writeIdentity(clusterID: loaded.metadata.clusterID) }
            if loaded.origin != .stored { try fileSystem.replace(path, with: MetadataText.encode(loaded.metadata)) }
            state.withLock { $0 = .open(loaded.metadata) }
            return loaded
        } catch let error as MetadataStoreError {
            throw error
        } catch {
            throw MetadataStoreError(.unavailable, "the broker's metadata can't be opened: \(error)")
        }
    }

    private func applyNow(_ change: MetadataChange) throws(MetadataStoreError) -> ClusterMetadata {
        // Only this lane changes the state, so the lock is not held over the write.
        var metadata: ClusterMetadata
        switch state.withLock({ $0 }) {
        case .open(let current): metadata = current
        case .closed: preconditionFailure("a change before load()")
        case .failed(let reason): throw MetadataStoreError(.unavailable, reason)
        }
        do { try metadata.apply(change) } catch {
            throw MetadataStoreError(.conflict(error), "the change does not fit: \(error)")
        }
        do { try fileSystem.replace(folder.appending("metadata"), with: MetadataText.encode(metadata)) } catch {
            let reason =
                "the broker's metadata can't be written (\(error)); topics stay as they are until the broker starts again"
            state.withLock { $0 = .failed(reason: reason) }
            throw MetadataStoreError(.unavailable, reason)
        }
        state.withLock { $0 = .open(metadata) }
        return metadata
    }

    // MARK: Identity

    private static let identityFirstLine = "millrace broker 1"

    /// The cluster id; nil where it is not written yet or can't be read.
    private func readIdentity() throws -> String? {
        let path = folder.appending("identity")
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .kib(64)) else { return nil }
        let lines = Self.outcome { () throws(ChecksummedText.Damage) in
            try ChecksummedText.open(bytes, firstLine: Self.identityFirstLine)
        }
        guard case .success(let lines) = lines, lines.count == 2, lines[0].hasPrefix("cluster ") else {
            _ = try setAside(path)
            return nil
        }
        guard lines[1] == "broker \(brokerID)" else {
            throw MetadataStoreError(
                .wrongIdentity,
                "\(folder) belongs to \(lines[1]), not to broker \(brokerID): set broker_id, or another data folder")
        }
        return MetadataText.unescape(String(lines[0].dropFirst("cluster ".count)))
    }

    private func writeIdentity(clusterID: String) throws {
        let lines = [Self.identityFirstLine, "cluster \(MetadataText.escape(clusterID))", "broker \(brokerID)"]
        try fileSystem.replace(folder.appending("identity"), with: ChecksummedText.seal(lines))
    }

    private func setAside(_ path: FilePath) throws -> FilePath {
        let aside = FilePath("\(path).damaged-\(time.wallTime)")
        try fileSystem.rename(path, to: aside)
        try fileSystem.syncDirectory(folder)
        return aside
    }

    private static func outcome<Value, Failure: Error>(_ body: () throws(Failure) -> Value) -> Result<Value, Failure> {
        do { return .success(try body()) } catch { return .failure(error) }
    }
}
