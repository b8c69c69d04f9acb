import Base
import Synchronization
import SystemPackage

/// Limits of a log directory.
public struct LogDirectorySettings: Sendable {
    /// How often the recovery point and log start checkpoints are written.
    public var checkpointInterval = Duration.seconds(60)
    /// A producer of which nothing arrived for so long is forgotten (`producer.id.expiration.ms`).
    public var producerExpiration = Duration.seconds(86_400)
    /// At most so many idempotent producers are remembered per partition; beyond it the one silent longest is forgotten.
    public var producersMax = 100_000
    /// What one batch may decompress to where its records are read.
    public var decompressedMax = ByteCount.mib(128)
    /// Appends are refused while less than this is free on the disk; reads, deletions and retention go on.
    public var reserve = ByteCount.mib(64)
    /// So many partitions are opened at a time.
    public var recoveryThreads = 1
    /// Memory for the keys of one compaction; a larger log is compacted in several goes.
    public var compactionKeyBytes = ByteCount.mib(64)

    public init() {}
}

/// What the logs of one directory have in common.
final class LogShared: Sendable {
    /// The log directory.
    let folder: Folder
    let fileSystem: any FileSystem
    let time: any TimeSource
    let settings: LogDirectorySettings
    let health: LogDirectoryHealth
    /// The directory, which writes the checkpoint files of its logs.
    let owner = Mutex(Weak(nil))
    private let onFact: @Sendable (LogFact) -> Void

    struct Weak: Sendable {
        weak var directory: LogDirectory?
        init(_ directory: LogDirectory?) { self.directory = directory }
    }

    init(
        folder: Folder, siblings: [Folder], fileSystem: any FileSystem, time: any TimeSource,
        settings: LogDirectorySettings,
        onFact: @escaping @Sendable (LogFact) -> Void
    ) {
        self.folder = folder
        self.time = time
        self.settings = settings
        self.onFact = onFact
        health = LogDirectoryHealth(
            folder: folder, siblings: siblings, fileSystem: fileSystem, onFact: onFact)
        self.fileSystem = DistrustfulFileSystem(disk: fileSystem, health: health)
    }

    func emit(_ fact: LogFact) { onFact(fact) }
}

/// Whether a log directory can still be trusted with records.
final class LogDirectoryHealth: Sendable {
    /// Says across restarts why the directory was taken offline. A person removes it, after the disk was checked.
    static let noteName = "offline-reason"

    /// Begins the name of the file that says so in the broker's other directories.
    static let siblingNotePrefix = "offline-reason-"

    private let folder: Folder
    private let siblings: [Folder]
    private let fileSystem: any FileSystem
    private let onFact: @Sendable (LogFact) -> Void
    private let failed = Atomic(false)
    private let full = Atomic(false)
    private let text = Mutex<String?>(nil)

    init(
        folder: Folder, siblings: [Folder], fileSystem: any FileSystem, onFact: @escaping @Sendable (LogFact) -> Void
    ) {
        self.folder = folder
        self.siblings = siblings
        self.fileSystem = fileSystem
        self.onFact = onFact
    }

    var reason: String? { failed.load(ordering: .acquiring) ? text.withLock { $0 } : nil }

    /// Too little is free: appends are refused.
    var isFull: Bool {
        get { full.load(ordering: .relaxed) }
        set { full.store(newValue, ordering: .relaxed) }
    }

    /// Takes the directory offline for the rest of this life, and for the next ones.
    func fail(_ reason: String) {
        guard goOffline(reason) else { return }
        // The disk that failed may well refuse this too.
        try? fileSystem.replace(Self.noteName, in: folder, with: Array((reason + "\n").utf8))
        for sibling in siblings {
            try? fileSystem.replace(siblingNoteName, in: sibling, with: Array("\(folder.path)\n\(reason)\n".utf8))
        }
    }

    /// The name of the note on this directory in another: `offline-reason-` and 16 digits that come from its path.
    private var siblingNoteName: String {
        // FNV-1a: paths may be longer than a file's name. The note holds the path itself.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in folder.path.string.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return Self.siblingNotePrefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Takes the directory offline for the rest of this life, and says so. False where it was already.
    @discardableResult
    func goOffline(_ reason: String) -> Bool {
        let isFirst = text.withLock { text in
            if text != nil { return false }
            text = reason
            return true
        }
        guard isFirst else { return false }
        failed.store(true, ordering: .releasing)
        onFact(.directoryOffline(folder.path, reason: reason))
        return true
    }

    /// A closed log's file, or a process that is being cut off, is no flaw of the disk; nor is a full one.
    func syncFailed(_ error: FileError) {
        guard ![.crashed, .closed, .noSpace].contains(error.code) else { return }
        fail("what was written may not be on the disk: \(error)")
    }

    /// Stays offline where an earlier life left its reason, here or in another directory.
    ///
    /// - Throws: what keeps this directory's own note from being read. One of another that can't be read says nothing.
    func recall() throws(FileError) {
        var notes: [(file: FilePath, reason: String)] = []
        for sibling in siblings {
            let file = sibling.file(siblingNoteName)
            guard let bytes = try? fileSystem.contents(of: file, bytesMax: .kib(64)) else { continue }
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            guard lines.first.map({ $0 == folder.path.string }) ?? false else { continue }
            notes.append((file, lines.dropFirst().joined(separator: " ")))
        }
        let own = folder.file(Self.noteName)
        do throws(FileError) {
            if let bytes = try fileSystem.contents(of: own, bytesMax: .kib(64)) {
                let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
                notes.insert((own, lines.joined(separator: " ")), at: 0)
            }
        } catch  where !notes.isEmpty {}
        guard let reason = notes.first?.reason else { return }
        goOffline(
            "it was taken offline before this start: \(reason). Check the disk, restore what it lost, then remove "
                + "\(notes.map(\.file.string).joined(separator: " and ")) and start again")
    }
}
