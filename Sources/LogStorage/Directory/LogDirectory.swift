import Base
import Synchronization
import SystemPackage

/// The logs under one path, in Kafka's layout:
///
/// ```
/// .lock                                 held while open
/// .kafka_cleanshutdown                  stands only between a clean shutdown and the next start
/// recovery-point-offset-checkpoint      OffsetCheckpoint: what was durable
/// log-start-offset-checkpoint           OffsetCheckpoint: where readers may begin
/// cleaner-offset-checkpoint             OffsetCheckpoint: up to where compacted logs are clean
/// quarantine/                           damaged bytes that were taken out of logs: SegmentRepair
/// offline-reason                        why no record may be trusted to this disk, after a flush failed
/// log-directories, offline-reason-…     what concerns the broker's other directories: LogDirectories
/// nginx.access-0/                       one folder per partition: Segment, PartitionMetadata, LeaderEpochCache, DurablePoint
/// nginx.access-1.9f…-delete/            a deleted partition whose files go soon
/// ```
///
/// All calls block and may come from any thread. `tick` is to be called about once a second.
public final class LogDirectory: Sendable {
    struct State: Sendable {
        var logs: [TopicPartition: PartitionLog] = [:]
        var offline: [TopicPartition: String] = [:]
        var lock: (any FileLock)?
        var isOpen = false
        var lastCheckpoint = Instant.zero
        var doomedFolders: [(path: FilePath, after: Timestamp)] = []
        /// Recovery points that stand in the checkpoint file, so that a lower one is written before a log is cut.
        var recoveryPoints: [TopicPartition: Offset] = [:]
    }

    static let cleanMarkName = ".kafka_cleanshutdown"
    static let lockName = ".lock"

    public var path: FilePath { folder.path }
    let folder: Folder
    let shared: LogShared
    let state = Mutex(State())
    /// Held while a checkpoint file is written.
    let checkpointing = Mutex(())

    /// - Parameter siblings: the other log directories of the broker, in which it is noted when this one's disk fails.
    public init(
        path: FilePath, siblings: [FilePath] = [], fileSystem: any FileSystem, time: any TimeSource,
        settings: LogDirectorySettings = LogDirectorySettings(),
        onFact: @escaping @Sendable (LogFact) -> Void = { _ in }
    ) {
        folder = Folder(path)
        shared = LogShared(
            folder: folder, siblings: siblings.map { Folder($0) }, fileSystem: fileSystem, time: time,
            settings: settings, onFact: onFact)
    }

    var fileSystem: any FileSystem { shared.fileSystem }

    /// Every open log, by partition.
    public var partitions: [PartitionLog] {
        state.withLock { $0.logs }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Open partitions and those that are offline.
    public var partitionCount: Int { state.withLock { $0.logs.count + $0.offline.count } }

    public func log(for partition: TopicPartition) -> PartitionLog? { state.withLock { $0.logs[partition] } }

    /// Partitions that could not be opened, and why.
    public var offlinePartitions: [TopicPartition: String] { state.withLock { $0.offline } }

    /// Why the whole directory takes no records, or nil.
    public var offlineReason: String? { shared.health.reason }

    /// `nginx.access-12` is partition 12 of `nginx.access`.
    static func partition(folder name: String) -> TopicPartition? {
        guard let dash = name.lastIndex(of: "-"), dash > name.startIndex else { return nil }
        let digits = name[name.index(after: dash)...]
        guard let partition = Int32(digits), partition >= 0, String(partition) == digits else { return nil }
        return TopicPartition(topic: String(name[..<dash]), partition: partition)
    }

    // MARK: - Partitions

    /// Makes a partition's folder and opens its empty log. Its name and its topic's id are durable when this returns.
    ///
    /// - Throws: `.alreadyExists`; `.offline`; what the disk throws.
    public func create(
        topic: String, id: TopicID, partition number: Int32, config: LogConfig
    ) throws(LogError) -> PartitionLog {
        let partition = TopicPartition(topic: topic, partition: number)
        if let reason = offlineReason { throw LogError(.offline, "\(path) is offline: \(reason)") }
        try state.withLock { state throws(LogError) in
            guard state.isOpen else { throw LogError(.offline, "\(path) is not open") }
            guard state.logs[partition] == nil, state.offline[partition] == nil else {
                throw LogError(.alreadyExists, "\(partition) exists already")
            }
        }
        let own = Folder(folder.file(partition.description))
        do throws(FileError) {
            if state.withLock({ $0.recoveryPoints[partition] != nil }) { try writeCheckpoints() }
            try fileSystem.createDirectory(own.path)
            try fileSystem.replace(
                PartitionMetadata.fileName, in: own, with: PartitionMetadata(topicID: id).text)
            try fileSystem.syncDirectory(path)
        } catch { throw LogError(error) }
        var recovery = LogRecovery(
            partition, topicID: id, path: own.path, shared: shared, config: config,
            start: LogStart(isClean: false, recoveryPoint: .zero))
        let log = try recovery.open()
        return try state.withLock { state throws(LogError) in
            if state.logs[partition] != nil { throw LogError(.alreadyExists, "\(partition) exists already") }
            state.logs[partition] = log
            return log
        }
    }

    /// Deletes a partition: its folder is renamed, durably, when this returns, and removed after `file.delete.delay.ms`.
    public func delete(_ partition: TopicPartition) throws(LogError) {
        guard let log = log(for: partition) else { throw LogError(.unknownPartition, "\(partition) is not here") }
        try log.maintenance.withLock { _ throws(LogError) in
            log.close()
            state.withLock { $0.logs[partition] = nil }
            do throws(FileError) {
                // First: a partition made later under this name must not inherit a recovery point. On a full disk `create` sees to it,
                // for deleting is what makes room.
                do throws(FileError) { try writeCheckpoints() } catch  where error.code == .noSpace {}
                let id = log.topicID
                let hex = { (word: UInt64) in
                    let digits = String(word, radix: 16)
                    return String(repeating: "0", count: 16 - digits.count) + digits
                }
                let target = folder.file("\(partition).\(hex(id.high))\(hex(id.low))-delete")
                if try fileSystem.exists(target) { try remove(target) }
                // No flush may look for the folder while it moves.
                try log.flushing.withLock { _ throws(FileError) in
                    try fileSystem.rename(log.path, to: target)
                    try fileSystem.syncDirectory(path)
                }
                let due = shared.time.wallTime + log.config.fileDeleteDelay
                state.withLock { $0.doomedFolders.append((target, due)) }
            } catch { throw LogError(error) }
        }
    }

    func remove(_ path: FilePath) throws(FileError) {
        let folder = Folder(path)
        for entry in try fileSystem.list(path) {
            let path = folder.file(entry.name)
            if entry.isDirectory { try remove(path) } else { try fileSystem.unlink(path) }
        }
        try fileSystem.removeDirectory(path)
    }
}
