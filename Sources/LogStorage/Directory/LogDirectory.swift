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

    // MARK: - Opening

    /// Makes the folder where it is missing, locks it and opens every partition in it, whatever a crash left. A partition that can't be opened is
    /// offline, with its reason; the others go on. Where the whole directory can't be used (an earlier life's flush failed, its disk is read-only or
    /// throws) all its partitions are offline: see `offlineReason`. `config` gives each topic's settings. With `checksAll` every
    /// segment is read and mended as after a crash, whatever is known of it. Returns false after an unclean shutdown: then each
    /// partition's leader begins a new epoch.
    ///
    /// - Throws: `.locked` where another process has it; what keeps the folder from being made or locked.
    @discardableResult
    public func open(
        checksAll: Bool = false, config: (TopicPartition, TopicID) -> LogConfig = { _, _ in LogConfig() }
    ) throws(LogError) -> Bool {
        do throws(FileError) {
            try makeFolder()
            let lock = try fileSystem.lock(folder.file(Self.lockName))
            state.withLock { $0.lock = lock }
        } catch {
            // Nothing will be written that a lock would have to guard.
            guard error.code == .readOnly else { throw LogError(error) }
            openOffline("\(error)")
            return false
        }
        do throws(FileError) { return try openLocked(checksAll: checksAll, config) } catch {
            if error.code == .crashed {
                release()
                throw LogError(error)
            }
            openOffline("\(error)")
            return false
        }
    }

    private func openLocked(
        checksAll: Bool, _ config: (TopicPartition, TopicID) -> LogConfig
    ) throws(FileError) -> Bool {
        try shared.health.recall()
        try refuseWhileOffline()
        let isClean = try takeCleanMark()
        if !isClean { shared.emit(.uncleanStart(path)) }
        try openAll(isClean: isClean, checksAll: checksAll, config)
        // A sync that failed meanwhile: nothing may be written as if it had not.
        try refuseWhileOffline()
        do throws(FileError) { try writeCheckpoints() } catch {
            // A full disk must not keep the logs shut: the older checkpoints stay true.
            guard error.code == .noSpace else { throw error }
            shared.emit(.checkpointNotWritten(file: error.path, reason: error.description))
        }
        state.withLock { state in
            state.isOpen = true
            state.lastCheckpoint = shared.time.now
        }
        shared.attach(self)
        return isClean
    }

    private func refuseWhileOffline() throws(FileError) {
        if let reason = offlineReason { throw FileError(.inputOutput, .open, path, detail: reason) }
    }

    /// Serves nothing, and says of each partition why.
    func openOffline(_ error: String) {
        shared.health.goOffline(error)
        let reason = "its log directory \(path) is offline: \(offlineReason ?? error)"
        let folders = (try? fileSystem.list(path)) ?? []
        let logs = state.withLock { state in
            for case let partition? in folders.map({ Self.partition(folder: $0.name) }) {
                state.offline[partition] = reason
            }
            defer { state.logs = [:] }
            return state.logs.values
        }
        for log in logs { log.close() }
    }

    func release() {
        state.withLock { state in
            state.lock?.release()
            state.lock = nil
        }
    }

    /// Makes the folder and its missing parents, durably: what is acknowledged in it must be found again.
    private func makeFolder() throws(FileError) {
        var missing: [FilePath] = []
        var folder = path
        while !folder.isEmpty {
            if try fileSystem.exists(folder) { break }
            missing.append(folder)
            folder = folder.removingLastComponent()
        }
        try fileSystem.createDirectory(path)
        for folder in missing.reversed() { try fileSystem.syncDirectory(folder.removingLastComponent()) }
    }

    /// True where the last life ended cleanly. The mark is gone, durably, before anything is written.
    private func takeCleanMark() throws(FileError) -> Bool {
        let mark = folder.file(Self.cleanMarkName)
        if try fileSystem.exists(mark) {
            try fileSystem.unlink(mark)
            try fileSystem.syncDirectory(path)
            return true
        }
        // A directory without partitions has nothing to recover.
        return try fileSystem.list(path).allSatisfy { !$0.isDirectory }
    }

    private func openAll(
        isClean: Bool, checksAll: Bool, _ config: (TopicPartition, TopicID) -> LogConfig
    ) throws(FileError) {
        let recoveryPoints = try checkpoint(OffsetCheckpoint.recoveryPoint)
        let logStarts = try checkpoint(OffsetCheckpoint.logStart)
        let cleaned = try checkpoint(OffsetCheckpoint.cleaner) ?? [:]
        for entry in try fileSystem.list(path).sorted(by: { $0.name < $1.name }) where entry.isDirectory {
            if entry.name == SegmentRepair.quarantine { continue }
            let path = folder.file(entry.name)
            if entry.name.hasSuffix("-delete") {
                try remove(path)
                continue
            }
            guard let partition = Self.partition(folder: entry.name) else {
                shared.emit(.strangeFolder(path))
                continue
            }
            let start = LogStart(
                isClean: isClean && recoveryPoints != nil && logStarts != nil,
                recoveryPoint: recoveryPoints?[partition] ?? .zero, logStart: logStarts?[partition],
                cleanedTo: cleaned[partition] ?? .zero, checksAll: checksAll)
            try open(partition, path, start, config)
        }
    }

    private func checkpoint(_ name: String) throws(FileError) -> [TopicPartition: Offset]? {
        if let checkpoint = try OffsetCheckpoint.load(name, in: folder, fileSystem) { return checkpoint.offsets }
        shared.emit(.checkpointIgnored(file: folder.file(name), reason: "damaged; every segment is checked"))
        return nil
    }

    private func open(
        _ partition: TopicPartition, _ path: FilePath, _ start: LogStart,
        _ config: (TopicPartition, TopicID) -> LogConfig
    ) throws(FileError) {
        do throws(LogError) {
            guard let topicID = try topicID(in: Folder(path)) else { return try clearAway(path) }
            var recovery = LogRecovery(
                partition, topicID: topicID, path: path, shared: shared, config: config(partition, topicID),
                start: start)
            let log = try recovery.open()
            state.withLock { $0.logs[partition] = log }
        } catch {
            if error.cause?.code == .crashed { throw error.cause! }
            state.withLock { state in
                state.offline[partition] = error.message
                // Its checkpoints stay as they are: they are what is known of it.
                state.recoveryPoints[partition] = start.recoveryPoint
            }
            shared.emit(.partitionOffline(partition, reason: error.message))
        }
    }

    /// Removes what a creation left that was cut short before it was answered. A folder with anything else in it is somebody else's.
    private func clearAway(_ path: FilePath) throws(LogError) {
        do throws(FileError) {
            let leftover = PartitionMetadata.fileName + ".tmp"
            guard try fileSystem.list(path).allSatisfy({ $0.name == leftover }) else {
                return shared.emit(.strangeFolder(path))
            }
            try remove(path)
        } catch { throw LogError(error) }
    }

    /// The topic's id; zero for a log that Kafka wrote before it had ids; nil for a folder without a log.
    private func topicID(in folder: Folder) throws(LogError) -> TopicID? {
        let file = folder.file(PartitionMetadata.fileName)
        do throws(FileError) {
            if let text = try fileSystem.contents(of: file, bytesMax: .kib(4)) {
                if let metadata = PartitionMetadata(text: text) { return metadata.topicID }
                throw FileError(.damaged, .read, file, detail: "expected a version line and a topic_id line")
            }
            let hasLog = try fileSystem.list(folder.path).contains { $0.name.hasSuffix(Segment.logSuffix) }
            return hasLog ? .zero : nil
        } catch { throw LogError(error) }
    }

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
