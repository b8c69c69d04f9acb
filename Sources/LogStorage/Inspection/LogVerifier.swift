public import Base
public import SystemPackage

/// Checks every byte of a log directory that can be checked, and changes none: each batch's CRC, length and offsets, each entry of the indexes, snapshots, epochs, checkpoints.
///
/// What no check can tell: a number in `recovery-point-offset-checkpoint` that is lower than it was (the next start reads more than it must), in
/// `log-start-offset-checkpoint` and `cleaner-offset-checkpoint` any number within the log, and what stands in `.kafka_cleanshutdown` and `.lock`, which nobody reads.
public struct LogVerifier: Sendable {
    let folder: Folder
    let fileSystem: any FileSystem
    /// A broker has the directory: its newest segments grow, and their indexes and checkpoints are behind them.
    let isInUse: Bool

    public init(path: FilePath, fileSystem: any FileSystem, isInUse: Bool) {
        folder = Folder(path)
        self.fileSystem = fileSystem
        self.isInUse = isInUse
    }

    /// Whether another process has the directory locked.
    public static func isInUse(_ path: FilePath, _ fileSystem: any FileSystem) -> Bool {
        let lock = Folder(path).file(LogDirectory.lockName)
        guard (try? fileSystem.exists(lock)) == true else { return false }
        do throws(FileError) {
            try fileSystem.lock(lock).release()
            return false
        } catch { return error.code == .locked }
    }

    /// - Parameter progress: bytes of segments that are read, and how many there are.
    /// - Throws: where the directory itself can't be listed. All else is a finding.
    public func run(progress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }) throws(FileError) -> LogReport {
        var report = LogReport()
        let entries = try fileSystem.list(folder.path).sorted { $0.name < $1.name }
        let cleaned = checkpoint(OffsetCheckpoint.cleaner, entries, &report)
        let starts = checkpoint(OffsetCheckpoint.logStart, entries, &report)
        var partitions: [(TopicPartition, Folder, [String])] = []
        var total: Int64 = 0
        for entry in entries where entry.isDirectory {
            if entry.name == SegmentRepair.quarantine || entry.name.hasSuffix("-delete") { continue }
            let own = Folder(folder.file(entry.name))
            guard let partition = LogDirectory.partition(folder: entry.name) else {
                report.add(LogFinding(kind: .strange, path: own.path, message: "is no partition's folder"))
                continue
            }
            do throws(FileError) {
                let names = try fileSystem.list(own.path).map(\.name).sorted()
                for base in Folder.offsets(names, Segment.logSuffix) {
                    total += try fileSystem.status(own.segmentFile(base, Segment.logSuffix))?.size ?? 0
                }
                partitions.append((partition, own, names))
            } catch {
                // What a running broker deletes may be gone by now.
                if isInUse, error.code == .noSuchFile { continue }
                report.add(LogFinding(kind: .unreadable, path: own.path, message: "\(error)"))
            }
        }
        var ends: [TopicPartition: Offset] = [:]
        for (partition, own, names) in partitions {
            var verifier = PartitionVerifier(
                folder: own, names: names, fileSystem: fileSystem, isInUse: isInUse,
                cleanedTo: cleaned[partition] ?? .zero, logStart: starts[partition])
            verifier.run(&report) { progress($0, max(total, $0)) }
            ends[partition] = verifier.end
        }
        let durable = checkpoint(OffsetCheckpoint.recoveryPoint, entries, &report)
        for (name, offsets) in [
            (OffsetCheckpoint.recoveryPoint, durable), (OffsetCheckpoint.logStart, starts),
            (OffsetCheckpoint.cleaner, cleaned),
        ] {
            for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
                judge(offset, of: partition, in: name, ends: ends, &report)
            }
        }
        checkNames(entries, &report)
        return report
    }

    private func judge(
        _ offset: Offset, of partition: TopicPartition, in name: String, ends: [TopicPartition: Offset],
        _ report: inout LogReport
    ) {
        let path = folder.file(name)
        guard let end = ends[partition] else {
            if !isInUse {
                report.add(
                    LogFinding(kind: .checkpoint, path: path, message: "speaks of \(partition), which has no folder"))
            }
            return
        }
        guard offset > end, !isInUse else { return }
        report.add(
            LogFinding(
                kind: .checkpoint, path: path, message: "says \(offset) of \(partition), which ends at \(end)"))
    }

    private func checkpoint(
        _ name: String, _ entries: [DirectoryEntry], _ report: inout LogReport
    ) -> [TopicPartition: Offset] {
        guard entries.contains(where: { $0.name == name }) else { return [:] }
        do throws(FileError) {
            if let checkpoint = try OffsetCheckpoint.load(name, in: folder, fileSystem) { return checkpoint.offsets }
            report.add(LogFinding(kind: .checkpoint, path: folder.file(name), message: "is not whole"))
        } catch { report.add(LogFinding(kind: .unreadable, path: folder.file(name), message: "\(error)")) }
        return [:]
    }

    private func checkNames(_ entries: [DirectoryEntry], _ report: inout LogReport) {
        let known: Set<String> = [
            LogDirectory.lockName, LogDirectory.cleanMarkName, OffsetCheckpoint.recoveryPoint,
            OffsetCheckpoint.logStart, OffsetCheckpoint.cleaner, LogDirectoryHealth.noteName, LogDirectories.listName,
            ScrubPosition.fileName, "meta.properties",
        ]
        for entry in entries where !entry.isDirectory && !known.contains(entry.name) {
            if entry.name.hasPrefix(LogDirectoryHealth.siblingNotePrefix) { continue }
            // A replacement that a crash cut short.
            if entry.name.hasSuffix(".tmp") { continue }
            report.add(
                LogFinding(kind: .strange, path: folder.file(entry.name), message: "is no file of a log directory"))
        }
    }
}
