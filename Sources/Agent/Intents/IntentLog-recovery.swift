import Base
import NIOCore
import SystemPackage

/// What a start found.
public struct IntentRecovery: Sendable, Equatable {
    public enum Finding: Sendable, Equatable {
        /// There was no state.
        case fresh
        /// Everything was there.
        case whole
        /// The checkpoint can't be read; it was set aside under this path. The sources are read again from the beginning, as a new
        /// producer: what was shipped before may come twice.
        case damagedCheckpoint(setAside: FilePath)
        /// The disk lost records that it had synced: what they sealed is sealed again, as a new producer, and may come twice.
        case lostRecords(after: UInt64)
    }

    public var finding: Finding
    public var batchesPending: Int
    public var bytesRead: ByteCount
}

extension IntentLog {
    /// Opens the log of a folder, making it where there is none, and reads what earlier runs left. Whoever calls holds the folder's lock.
    public static func open(
        _ folder: FilePath, in fileSystem: any FileSystem, settings: IntentSettings
    ) throws(FileError) -> (log: IntentLog, recovery: IntentRecovery) {
        precondition(settings.capacity >= .mib(1), "the ring is at least 1 MiB")
        try fileSystem.createDirectory(folder)
        let path = checkpointPath(folder)
        // Damage must not keep the agent from starting: what is too large or unreadable is set aside like any other.
        let bytes: [UInt8]?
        do { bytes = try fileSystem.contents(of: path, bytesMax: IntentCheckpoint.bytesMax) } catch {
            guard error.code == .tooLarge else { throw error }
            bytes = []
        }
        guard let bytes else {
            return try makeFresh(folder, fileSystem, settings, after: 0, .fresh)
        }
        guard let checkpoint = IntentCheckpoint(bytes),
            let ring = try openRing(
                of: checkpoint, isDirect: settings.durability == .fsync, folder, fileSystem)
        else {
            let number = try ringNumbers(folder, fileSystem).max() ?? 0
            let aside = folder.appending("intents.checkpoint.damaged-\(number)")
            try fileSystem.rename(path, to: aside)
            try fileSystem.syncDirectory(folder)
            return try makeFresh(folder, fileSystem, settings, after: number, .damagedCheckpoint(setAside: aside))
        }
        return try recover(checkpoint, ring, folder, fileSystem, settings)
    }

    private static func openRing(
        of checkpoint: IntentCheckpoint, isDirect: Bool, _ folder: FilePath, _ fileSystem: any FileSystem
    ) throws(FileError) -> IntentRing? {
        do {
            return try IntentRing.open(
                ringPath(folder, checkpoint.ring), capacity: checkpoint.capacity, isDirect: isDirect, in: fileSystem)
        } catch {
            // A ring that is gone or cut is lost state; any other failure is the disk's and may pass.
            guard error.code == .noSuchFile || error.code == .inputOutput && error.operation == .open else {
                throw error
            }
            return nil
        }
    }

    private static func makeFresh(
        _ folder: FilePath, _ fileSystem: any FileSystem, _ settings: IntentSettings, after number: UInt64,
        _ finding: IntentRecovery.Finding
    ) throws(FileError) -> (log: IntentLog, recovery: IntentRecovery) {
        // The folder itself may be new, and those above it.
        var parent = folder
        while parent != parent.removingLastComponent(), !parent.removingLastComponent().isEmpty {
            parent.removeLastComponent()
            do { try fileSystem.syncDirectory(parent) } catch {
                guard error.code == .permissionDenied else { throw error }
            }
        }
        let number = max(number, try ringNumbers(folder, fileSystem).max() ?? 0) + 1
        var ring = try makeRing(number, folder, fileSystem, settings)
        try ring.resume(at: 0)
        let checkpoint = IntentCheckpoint(
            ring: number, capacity: ring.capacity, run: 1, tail: 0, applied: 0, state: IntentState())
        try fileSystem.replace(checkpointPath(folder), with: checkpoint.encoded)
        try removeRings(but: number, folder, fileSystem, keepsDamaged: finding != .fresh)
        let log = IntentLog(
            recovered: checkpoint, ring: ring, folder: folder, fileSystem: fileSystem, settings: settings)
        return (log, IntentRecovery(finding: finding, batchesPending: 0, bytesRead: .zero))
    }

    private static func makeRing(
        _ number: UInt64, _ folder: FilePath, _ fileSystem: any FileSystem, _ settings: IntentSettings
    ) throws(FileError) -> IntentRing {
        let capacity = UInt64(settings.capacity.bytes) & ~4095
        return try IntentRing.create(
            ringPath(folder, number), capacity: capacity, isDirect: settings.durability == .fsync, in: fileSystem)
    }

    private static func recover(
        _ found: IntentCheckpoint, _ oldRing: IntentRing, _ folder: FilePath, _ fileSystem: any FileSystem,
        _ settings: IntentSettings
    ) throws(FileError) -> (log: IntentLog, recovery: IntentRecovery) {
        var checkpoint = found
        var ring = oldRing
        let limit = found.tail + ring.capacity
        var position = found.applied
        while position < limit {
            let next = ring.start(after: position, bytes: IntentRecord.headerBytes)
            guard next < limit, let (header, bytes) = try ring.record(at: next, run: found.run),
                next + UInt64(IntentRecord.paddedBytes(header.length)) <= limit,
                let record = IntentRecord(kind: header.kind, record: bytes)
            else { break }
            switch record {
            case .filler:
                position = next + ring.capacity - next % ring.capacity
                continue
            case .seal(let seal): checkpoint.state.apply(seal, record: next)
            case .acknowledgements(let all):
                for (batch, offset) in all { checkpoint.state.acknowledge(batch, at: offset) }
            case .rebase(let rebase): checkpoint.state.apply(rebase)
            case .opening(let opening): checkpoint.state.apply(opening)
            case .producer(let identity): checkpoint.state.producer = identity
            case .reopening(let batches): checkpoint.state.reopen(batches)
            case .spread(let spread): checkpoint.state.spread[spread.topic] = spread.partitionCount
            case .givenUp(let batch): checkpoint.state.giveUp(batch)
            case .replacements(let all): checkpoint.state.apply(all, record: next)
            }
            position = next + UInt64(IntentRecord.paddedBytes(header.length))
        }
        var finding = IntentRecovery.Finding.whole
        if try ring.holdsLaterProof(after: position, before: limit, run: found.run) {
            finding = .lostRecords(after: position)
            // Sequences above those that are left were used: never again under this identity.
            checkpoint.state.producer = .none
        }
        checkpoint.applied = position
        checkpoint.run = found.run &+ 1
        let pending = checkpoint.state.intents.count { $0.acknowledged == nil }
        // What was only in the cache must not vanish after it was built upon.
        try ring.file.sync()
        if pending == 0, ring.capacity != UInt64(settings.capacity.bytes) & ~4095 {
            checkpoint.ring = try nextRingNumber(found, folder, fileSystem)
            ring = try makeRing(checkpoint.ring, folder, fileSystem, settings)
            checkpoint.capacity = ring.capacity
            checkpoint.state.intents = []
            checkpoint.tail = checkpoint.applied
        }
        try ring.resume(at: checkpoint.applied)
        try fileSystem.replace(checkpointPath(folder), with: checkpoint.encoded)
        try removeRings(but: checkpoint.ring, folder, fileSystem, keepsDamaged: true)
        let log = IntentLog(
            recovered: checkpoint, ring: ring, folder: folder, fileSystem: fileSystem, settings: settings)
        try log.finishSettingAside()
        return (
            log,
            IntentRecovery(
                finding: finding, batchesPending: pending, bytesRead: ByteCount(Int(position - found.applied)))
        )
    }

    private static func nextRingNumber(
        _ checkpoint: IntentCheckpoint, _ folder: FilePath, _ fileSystem: any FileSystem
    ) throws(FileError) -> UInt64 {
        max(checkpoint.ring, try ringNumbers(folder, fileSystem).max() ?? 0) + 1
    }

    private static func ringNumbers(
        _ folder: FilePath, _ fileSystem: any FileSystem
    ) throws(FileError) -> [UInt64] {
        try fileSystem.list(folder).compactMap { entry in
            guard entry.name.hasPrefix("intents-"), entry.name.hasSuffix(".ring") else { return nil }
            return UInt64(entry.name.dropFirst("intents-".count).dropLast(".ring".count))
        }
    }

    /// Rings that no checkpoint names: left by a start that was cut off, or by a change of size. One that belonged to a damaged
    /// checkpoint stays, for whoever wants to look.
    private static func removeRings(
        but number: UInt64, _ folder: FilePath, _ fileSystem: any FileSystem, keepsDamaged: Bool
    ) throws(FileError) {
        let damaged = Set(
            try fileSystem.list(folder).compactMap { entry -> UInt64? in
                guard let range = entry.name.lastIndex(of: "-"), entry.name.hasPrefix("intents.checkpoint.damaged-")
                else { return nil }
                return UInt64(entry.name[entry.name.index(after: range)...])
            })
        for other in try ringNumbers(folder, fileSystem) where other != number {
            if keepsDamaged && damaged.contains(other) { continue }
            try fileSystem.unlink(ringPath(folder, other))
        }
    }
}
