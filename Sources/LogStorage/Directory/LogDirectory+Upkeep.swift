import Base
import SystemPackage

extension LogDirectory {
    // MARK: - Upkeep

    /// Does what is due: flushes at durability `interval`, flushes of sealed segments, retention, compaction, checkpoints, and a look at the
    /// disk's free space. Blocks as long as that takes; one caller at a time. What fails is told to `onFact` and tried again at the next tick.
    public func tick(now: Instant) {
        guard offlineReason == nil, state.withLock({ $0.isOpen }) else { return }
        checkSpace()
        let wallTime = shared.time.wallTime
        for log in partitions {
            do throws(FileError) {
                if log.flushIsDue(now: wallTime) { _ = try log.flush() }
                try log.applyRetention(now: wallTime)
                if log.config.compacts { try compact(log, now: wallTime) }
                log.complain(nil)
            } catch { log.complain(error) }
        }
        do throws(FileError) {
            try removeDoomed(now: wallTime)
            if now - state.withLock({ $0.lastCheckpoint }) >= shared.settings.checkpointInterval {
                state.withLock { $0.lastCheckpoint = now }
                try writeCheckpoints()
            }
        } catch {
            shared.emit(.checkpointNotWritten(file: error.path, reason: error.description))
        }
    }

    private func checkSpace() {
        guard let free = try? fileSystem.space(at: path).free else { return }
        let reserve = Int64(shared.settings.reserve.bytes)
        if !shared.health.isFull, free < reserve {
            shared.health.isFull = true
            shared.emit(.diskFull(path, free: ByteCount(Int(free))))
        } else if shared.health.isFull, free >= reserve {
            shared.health.isFull = false
            shared.emit(.diskHasRoomAgain(path, free: ByteCount(Int(free))))
        }
    }

    private func removeDoomed(now: Timestamp) throws(FileError) {
        while let next = state.withLock({ $0.doomedFolders.first }), next.after <= now {
            if try fileSystem.exists(next.path) { try remove(next.path) }
            state.withLock { _ = $0.doomedFolders.removeFirst() }
        }
    }

    // MARK: - Checkpoints

    /// Writes the recovery points, log starts and leader epochs as they are now.
    func writeCheckpoints() throws(FileError) {
        try checkpointing.withLock { _ throws(FileError) in try writeCheckpointsLocked(lowering: nil) }
    }

    private func writeCheckpointsLocked(lowering: (TopicPartition, Offset)?) throws(FileError) {
        var recoveryPoints: [TopicPartition: Offset] = [:]
        for log in partitions {
            recoveryPoints[log.partition] = log.durableOffset
            // Before the recovery point passes them: recovery won't read those batches again.
            try log.writeEpochs()
        }
        if let (partition, offset) = lowering, let known = recoveryPoints[partition] {
            recoveryPoints[partition] = min(known, offset)
        }
        let offline = state.withLock { state in state.recoveryPoints.filter { state.offline[$0.key] != nil } }
        recoveryPoints.merge(offline) { own, _ in own }
        try fileSystem.replace(
            OffsetCheckpoint.recoveryPoint, in: folder, with: OffsetCheckpoint(recoveryPoints).text)
        try writeLogStartsLocked()
        state.withLock { $0.recoveryPoints = recoveryPoints }
    }

    /// Writes up to where each compacted log is clean. Behind the truth it costs a compaction that finds nothing.
    private func writeCleaned() throws(FileError) {
        var cleaned: [TopicPartition: Offset] = [:]
        // Also of those that are compacted no longer: their gaps stay.
        for log in partitions {
            let cleanedTo = log.state.withLock { $0.cleanedTo }
            if cleanedTo > .zero { cleaned[log.partition] = cleanedTo }
        }
        try fileSystem.replace(OffsetCheckpoint.cleaner, in: folder, with: OffsetCheckpoint(cleaned).text)
    }

    /// One round of compaction, where it is worth it.
    private func compact(_ log: PartitionLog, now: Timestamp) throws(FileError) {
        try log.maintenance.withLock { _ throws(FileError) in
            guard let plan = log.compactionPlan(now: now) else { return }
            // A log with gaps must not be taken for a torn one: the recovery point passes it first.
            let known = state.withLock { $0.recoveryPoints[log.partition] ?? .zero }
            if known < plan.end { try writeCheckpoints() }
            var compaction = Compaction(log: log, plan: plan, now: now)
            try compaction.run()
            try writeCleaned()
        }
    }

    private func writeLogStartsLocked() throws(FileError) {
        // Log starts of partitions that are offline stay what the file says.
        let name = OffsetCheckpoint.logStart
        let offline = state.withLock { Set($0.offline.keys) }
        var starts: [TopicPartition: Offset] = [:]
        if !offline.isEmpty, let old = try OffsetCheckpoint.load(name, in: folder, fileSystem) {
            starts = old.offsets.filter { offline.contains($0.key) }
        }
        for log in partitions { starts[log.partition] = log.logStartOffset }
        try fileSystem.replace(name, in: folder, with: OffsetCheckpoint(starts).text)
    }

    func writeLogStarts() throws(FileError) {
        try checkpointing.withLock { _ throws(FileError) in try writeLogStartsLocked() }
    }

    func lowerRecoveryPoint(of log: PartitionLog, to offset: Offset) throws(FileError) {
        try checkpointing.withLock { _ throws(FileError) in
            if let known = state.withLock({ $0.recoveryPoints[log.partition] }), known <= offset { return }
            try writeCheckpointsLocked(lowering: (log.partition, offset))
        }
    }

    // MARK: - The end

    /// Flushes everything, writes indexes, producers and checkpoints, leaves the clean mark and releases the lock. Where a step fails there is no
    /// mark, and the next start checks what it must. The logs are closed either way.
    public func shutDown() throws(LogError) {
        defer { release() }
        guard state.withLock({ $0.isOpen }) else { return }
        defer {
            for log in partitions { log.close() }
            state.withLock { $0.isOpen = false }
        }
        if let reason = offlineReason { throw LogError(.offline, "\(path) is offline: \(reason)") }
        do throws(FileError) {
            for log in partitions { try log.settle() }
            try writeCheckpoints()
            try fileSystem.replace(
                Self.cleanMarkName, in: folder, with: Array("{\"version\":0,\"brokerEpoch\":-1}".utf8))
        } catch { throw LogError(error) }
    }
}

extension LogShared {
    /// The directory that writes checkpoints for its logs.
    func attach(_ directory: LogDirectory) { owner.withLock { $0 = Weak(directory) } }

    func lowerRecoveryPoint(of log: PartitionLog, to offset: Offset) throws(FileError) {
        try owner.withLock({ $0.directory })?.lowerRecoveryPoint(of: log, to: offset)
    }

    func writeLogStarts() throws(LogError) {
        do throws(FileError) { try owner.withLock({ $0.directory })?.writeLogStarts() } catch { throw LogError(error) }
    }
}

extension PartitionLog {
    /// Tells of an upkeep that failed, once, until it succeeds or fails otherwise.
    func complain(_ error: FileError?) {
        let reason = error?.description
        let isNews = state.withLock { state in
            defer { state.complaint = reason }
            return reason != nil && state.complaint != reason
        }
        if isNews, let reason { shared.emit(.maintenanceFailed(partition, reason: reason)) }
    }

    /// True where a flush must not wait for somebody to ask: at `interval`, and for sealed segments at any level, so that a start after a
    /// crash does not have to read them all.
    func flushIsDue(now: Timestamp) -> Bool {
        state.withLock { state in
            if state.isClosed || state.durable.offset == state.end.offset && !state.folderIsDirty { return false }
            if state.durable.segment < state.segments[state.segments.count - 1].baseOffset { return true }
            return state.config.durability == .interval && now - state.lastFlush >= state.config.flushInterval
        }
    }

    /// Writes the leader epochs where the file is behind.
    func writeEpochs() throws(FileError) {
        let epochs = state.withLock { state -> LeaderEpochCache? in
            guard state.epochs.isDirty, !state.isClosed else { return nil }
            state.epochs.isDirty = false
            return state.epochs
        }
        guard let epochs else { return }
        do throws(FileError) {
            try shared.fileSystem.replace(LeaderEpochCache.fileName, in: folder, with: epochs.text)
        } catch {
            state.withLock { $0.epochs.isDirty = true }
            throw error
        }
    }

    /// Makes everything durable for a clean shutdown, also what recovery could find out by itself. What stands in the files already is not
    /// written again; what is known of producers may have changed without an append, where a damaged batch was taken out.
    func settle() throws(FileError) {
        let isSettled = state.withLock { $0.isSettled }
        if !isSettled { _ = try flush() }
        let (segment, producers, end) = state.withLock {
            ($0.segments[$0.segments.count - 1], $0.summedProducers, $0.end.offset)
        }
        let name = Folder.segmentFileName(end, ProducerSnapshot.suffix)
        let snapshot = ProducerSnapshot.bytes(producers)
        if isSettled {
            let limit = ByteCount.bytes(snapshot.count)
            if let standing = try? shared.fileSystem.contents(
                of: folder.segmentFile(end, ProducerSnapshot.suffix), bytesMax: limit),
                standing == snapshot
            {
                return
            }
        } else {
            try segment.writeIndexes()
            try segment.sync()
            try segment.syncIndexes()
        }
        try shared.fileSystem.replace(name, in: folder, with: snapshot)
    }
}
