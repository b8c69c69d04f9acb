import Base
import SystemPackage

/// How a directory is opened, whatever the last life left in it.
extension LogDirectory {
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
        var found: [FoundPartition] = []
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
            do throws(LogError) {
                guard let topicID = try topicID(in: Folder(path)) else {
                    try clearAway(path)
                    continue
                }
                found.append(
                    FoundPartition(
                        partition: partition, topicID: topicID, path: path, config: config(partition, topicID),
                        start: start))
            } catch { try keepOffline(partition, start, error) }
        }
        try RecoveryLanes(found, shared).run { found, progress throws(FileError) in
            try self.open(found, progress)
        }
    }

    private func checkpoint(_ name: String) throws(FileError) -> [TopicPartition: Offset]? {
        if let checkpoint = try OffsetCheckpoint.load(name, in: folder, fileSystem) { return checkpoint.offsets }
        shared.emit(.checkpointIgnored(file: folder.file(name), reason: "damaged; every segment is checked"))
        return nil
    }

    private func open(_ found: FoundPartition, _ progress: RecoveryProgress) throws(FileError) {
        do throws(LogError) {
            var recovery = LogRecovery(
                found.partition, topicID: found.topicID, path: found.path, shared: shared, config: found.config,
                start: found.start, progress: progress)
            let log = try recovery.open()
            state.withLock { $0.logs[found.partition] = log }
        } catch { try keepOffline(found.partition, found.start, error) }
    }

    /// - Throws: where it was the process that died, not the disk.
    private func keepOffline(_ partition: TopicPartition, _ start: LogStart, _ error: LogError) throws(FileError) {
        if let cause = error.cause, cause.code == .crashed { throw cause }
        state.withLock { state in
            state.offline[partition] = error.message
            // Its checkpoints stay as they are: they are what is known of it.
            state.recoveryPoints[partition] = start.recoveryPoint
        }
        shared.emit(.partitionOffline(partition, reason: error.message))
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
}
