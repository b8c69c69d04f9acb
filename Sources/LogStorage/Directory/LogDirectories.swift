public import Base
import Synchronization
public import SystemPackage

/// The log directories of one broker, each on a disk of its own. A partition lives in one of them; one that fails goes offline with its partitions, and
/// the others go on.
///
/// Each directory holds what concerns the others:
///
/// ```
/// log-directories                       one path a line: all directories that were used together with this one, and itself
/// offline-reason-1f3c…                  why a sibling is offline (its path, then the reason), for its own disk may not say so
/// ```
///
/// So a disk that is not mounted (its folder does not know itself) or stands no more in the settings is told from one that is new, and no partition that it
/// may hold is begun anew elsewhere.
///
/// All calls block and may come from any thread.
public final class LogDirectories: Sendable {
    static let listName = "log-directories"
    private static let listBytesMax = ByteCount.kib(256)

    private struct State: Sendable {
        /// Used before and not named now, with what is said of them.
        var absent: [FilePath: String] = [:]
        /// Partitions that stand in two directories.
        var torn: [TopicPartition: String] = [:]
    }

    /// In the order of the settings.
    public let all: [LogDirectory]
    private let fileSystem: any FileSystem
    private let onFact: @Sendable (LogFact) -> Void
    private let state = Mutex(State())

    /// - Parameter paths: at least one, each another.
    public init(
        paths: [FilePath], fileSystem: any FileSystem, time: any TimeSource,
        settings: LogDirectorySettings = LogDirectorySettings(),
        onFact: @escaping @Sendable (LogFact) -> Void = { _ in }
    ) {
        precondition(!paths.isEmpty && Set(paths).count == paths.count, "log directories \(paths)")
        self.fileSystem = fileSystem
        self.onFact = onFact
        all = paths.map { path in
            LogDirectory(
                path: path, siblings: paths.filter { $0 != path }, fileSystem: fileSystem, time: time,
                settings: settings, onFact: onFact)
        }
    }

    // MARK: - Opening

    /// Opens all. A directory whose disk can't be used is offline, with its partitions.
    ///
    /// - Throws: `.locked` where another process has one of them; with a single directory also what keeps it from being made.
    public func open() throws(LogError) {
        var opened: [LogDirectory] = []
        do throws(LogError) {
            let known = lists()
            for directory in all {
                try open(directory, known: known)
                opened.append(directory)
            }
            noteAbsent(known)
            settleTwins()
            try writeLists(known)
        } catch {
            for directory in opened { try? directory.shutDown() }
            throw error
        }
    }

    private func open(_ directory: LogDirectory, known: [FilePath: [FilePath]]) throws(LogError) {
        let path = directory.path
        let witness = all.first { $0 !== directory && known[$0.path]?.contains(path) ?? false }
        if let witness, known[path] == nil {
            directory.openOffline(
                "\(path) has no \(Self.listName) file, though \(witness.path) says that it is in use: mount its disk and start again; if the disk was "
                    + "replaced and what it held is given up, remove the line \(path) from the \(Self.listName) files of the others"
            )
            return
        }
        do throws(LogError) { try directory.open() } catch {
            guard all.count > 1, error.code != .locked, error.cause?.code != .crashed else { throw error }
            directory.openOffline(error.message)
        }
    }

    /// What each directory says of the others. Nil for one that has no such file, or can't be read.
    private func lists() -> [FilePath: [FilePath]] {
        var lists: [FilePath: [FilePath]] = [:]
        for directory in all {
            let file = directory.folder.file(Self.listName)
            guard let bytes = try? fileSystem.contents(of: file, bytesMax: Self.listBytesMax) else { continue }
            lists[directory.path] = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
                FilePath(String($0))
            }
        }
        return lists
    }

    private func noteAbsent(_ known: [FilePath: [FilePath]]) {
        let named = Set(all.map(\.path))
        for directory in all {
            for path in known[directory.path] ?? [] where !named.contains(path) {
                let isNews = state.withLock { state in
                    defer {
                        state.absent[path] =
                            "\(path) was used together with \(directory.path) and is not among the settings' data folders any more: add it again; if what it "
                            + "held is given up, remove its line from the \(Self.listName) files of the others"
                    }
                    return state.absent[path] == nil
                }
                if isNews { onFact(.directoryOffline(path, reason: "it is not among the settings' data folders")) }
            }
        }
    }

    /// First each new directory gets to know itself, then all get to know each other: so one that others know and that does not know itself is not mounted.
    private func writeLists(_ known: [FilePath: [FilePath]]) throws(LogError) {
        guard all.count > 1 else { return }
        let online = all.filter { $0.offlineReason == nil }
        for directory in online where known[directory.path] == nil { try write([directory.path], in: directory) }
        for directory in online {
            var paths = all.map(\.path)
            for path in known[directory.path] ?? [] where !paths.contains(path) { paths.append(path) }
            if known[directory.path] != paths { try write(paths, in: directory) }
        }
    }

    private func write(_ paths: [FilePath], in directory: LogDirectory) throws(LogError) {
        let text = paths.map { $0.string + "\n" }.joined()
        do throws(FileError) {
            try directory.fileSystem.replace(Self.listName, in: directory.folder, with: Array(text.utf8))
        } catch {
            if error.code == .crashed { throw LogError(error) }
            // Its disk is full, or offline from now on. Written by a later start; until then a swapped disk is not told from a new one.
            onFact(.checkpointNotWritten(file: error.path, reason: error.description))
        }
    }

    /// A folder that was begun in one directory, whose disk then failed, and made in another: the one without records goes.
    private func settleTwins() {
        var places: [TopicPartition: [LogDirectory]] = [:]
        for directory in all {
            for log in directory.partitions { places[log.partition, default: []].append(directory) }
        }
        for (partition, directories) in places where directories.count > 1 {
            var kept: [LogDirectory] = []
            let ids = directories.compactMap { $0.log(for: partition)?.topicID }
            // Folders of different topics are told apart by their ids: a deletion that a failed disk put off.
            guard Set(ids).count < ids.count else { continue }
            for (place, directory) in directories.enumerated() {
                let isEmpty = directory.log(for: partition)?.logEndOffset == .zero
                let isLast = place == directories.count - 1 && kept.isEmpty
                if isEmpty, !isLast, (try? directory.delete(partition)) != nil { continue }
                kept.append(directory)
            }
            guard kept.count > 1 else { continue }
            let names = kept.map(\.path.string).joined(separator: " and ")
            let reason =
                "it stands in \(names): stop the broker, look at both with 'millrace log dump', and move one folder away"
            state.withLock { $0.torn[partition] = reason }
            onFact(.partitionOffline(partition, reason: reason))
        }
    }

    // MARK: - Looking

    /// Every open log, by partition.
    public var partitions: [PartitionLog] { all.flatMap(\.partitions).sorted { $0.partition < $1.partition } }

    /// The partition's log; where a deleted topic of the same name left one on another disk, that of the topic with this id comes first.
    public func log(for partition: TopicPartition, of id: TopicID) -> PartitionLog? {
        if state.withLock({ $0.torn[partition] != nil }) { return nil }
        let logs = all.compactMap { $0.log(for: partition) }
        return logs.first { $0.topicID == id } ?? logs.first
    }

    /// Partitions that could not be opened, and why.
    public var offlinePartitions: [TopicPartition: String] {
        var offline = state.withLock { $0.torn }
        for directory in all { offline.merge(directory.offlinePartitions) { first, _ in first } }
        return offline
    }

    /// Why a partition that no directory shows may be there all the same; nil where it is nowhere.
    public func mayHold(_ partition: TopicPartition) -> String? {
        if let reason = offlinePartitions[partition] { return reason }
        for directory in all {
            if let reason = directory.offlineReason {
                return "\(directory.path) may hold it, and is offline: \(reason)"
            }
        }
        return state.withLock { $0.absent.min { $0.key.string < $1.key.string }?.value }
    }

    // MARK: - Partitions

    /// Makes a partition in the directory with the fewest; among equals in the one whose disk has the most room. One whose disk is full, or fails, is
    /// passed over.
    ///
    /// - Throws: `.alreadyExists`; `.offline` where no directory is online; what the last disk that was tried throws.
    public func create(
        topic: String, id: TopicID, partition number: Int32, config: LogConfig
    ) throws(LogError) -> PartitionLog {
        let partition = TopicPartition(topic: topic, partition: number)
        if let log = log(for: partition, of: id) {
            throw LogError(.alreadyExists, "\(partition) exists already, in \(log.directory)")
        }
        if let reason = offlinePartitions[partition] { throw LogError(.offline, reason) }
        var failure: LogError?
        for directory in inOrderOfRoom() {
            do throws(LogError) {
                return try directory.create(topic: topic, id: id, partition: number, config: config)
            } catch {
                if error.cause?.code == .crashed { throw error }
                failure = failure ?? error
            }
        }
        throw failure ?? LogError(.offline, "no log directory is online")
    }

    private func inOrderOfRoom() -> [LogDirectory] {
        let places = all.map { directory in
            (
                directory: directory,
                isLast: directory.offlineReason != nil || directory.shared.health.isFull,
                count: directory.partitionCount, free: (try? fileSystem.space(at: directory.path).free) ?? 0
            )
        }
        return places.sorted { left, right in
            if left.isLast != right.isLast { return right.isLast }
            return left.count != right.count ? left.count < right.count : left.free > right.free
        }
        .map(\.directory)
    }

    /// Deletes the partition of the topic with this id, as `LogDirectory.delete`. Nothing happens where it is not here.
    public func delete(_ partition: TopicPartition, of id: TopicID) throws(LogError) {
        for directory in all where directory.log(for: partition)?.topicID == id { try directory.delete(partition) }
    }

    /// Closes all, cleanly where that goes.
    ///
    /// - Throws: the first that was not left clean.
    public func shutDown() throws(LogError) {
        var failure: LogError?
        for directory in all {
            do throws(LogError) { try directory.shutDown() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
