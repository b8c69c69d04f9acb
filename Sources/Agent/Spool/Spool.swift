import Base
import Synchronization
import SystemPackage

/// How large a spool may get and when it is synced.
public struct SpoolSettings: Sendable, Equatable {
    /// Bytes of all its segments. At this size senders that can wait do, and the messages of those that can't are counted and dropped.
    public var capacity = ByteCount.mib(256)
    /// How long what was written may stay unsynced: what a power cut may take. A killed process loses nothing that was written.
    public var syncInterval = Duration.seconds(1)

    public init() {}

    var segmentBytes: Int { min(ByteCount.mib(16).bytes, capacity.bytes / 4) }
}

/// What opening a spool found.
struct SpoolRecovery: Equatable {
    /// Bytes of a message that was being written when the process or the machine died, cut off.
    var tornBytes: Int64 = 0
    /// Segments without a header that can be read, set aside.
    var quarantined: [String] = []
}

/// A bounded queue of messages on disk, for inputs that can't wait for a broker: a folder of segments (`SpoolFormat`), each named by its number.
///
/// One thread writes, another reads; the position of the reader is a position like a file's, so that what stands here is shipped exactly once. Each process writes
/// into segments of its own: a number that stood in a position never comes back with other bytes behind it, whatever a power cut took. The youngest
/// segment is therefore kept although it was read.
public final class Spool: Sendable {
    struct Segment: Equatable {
        var number: UInt64
        /// What may be read of it.
        var byteCount: Int64
    }

    private struct Index {
        /// In the order of their numbers.
        var segments: [Segment]
        var isEnded = false
        var events: [InputEvent] = []
        var eventsDropped = 0
    }

    /// What only the writing thread touches.
    private struct Writing {
        var file: (any File)?
        var number: UInt64
        var position: Int64 = 0
        var isDirty = false
    }

    let name: String
    let nameHash: UInt64
    let id: UInt64
    let recovery: SpoolRecovery
    let settings: SpoolSettings
    let folder: FilePath
    let fileSystem: any FileSystem
    private let index: Mutex<Index>
    private let writing: Mutex<Writing>
    /// Readable when there is something for the reader.
    let wake = WakePipe()

    static let quarantineMax = 4
    private static let eventsMax = 64
    private static let suffix = ".spool"
    private static let damagedSuffix = ".damaged"

    /// Opens the folder, makes it where it is missing. Whatever stands there, it opens, unless the disk refuses.
    ///
    /// - Parameter newID: an id for a spool that is new; random unless a test says otherwise.
    init(
        name: String, folder: FilePath, in fileSystem: any FileSystem, settings: SpoolSettings,
        newID: UInt64 = .random(in: .min ... .max)
    ) throws(FileError) {
        self.name = name
        self.folder = folder
        self.fileSystem = fileSystem
        self.settings = settings
        nameHash = StableHash.of(name)
        try fileSystem.createDirectory(folder)
        // The folder's name, and that of the one above it, which may both be new, are durable before a message stands in it.
        try fileSystem.syncDirectory(folder.removingLastComponent())
        try fileSystem.syncDirectory(folder.removingLastComponent().removingLastComponent())
        var found = try Self.look(folder, fileSystem)
        id = found.spool ?? newID
        if let last = found.segments.last {
            let (end, torn) = try Self.endOfWhole(
                last, path: Self.path(last.number, in: folder), marker: UInt32(truncatingIfNeeded: id), fileSystem)
            found.segments[found.segments.count - 1].byteCount = end
            found.recovery.tornBytes = torn
        }
        recovery = found.recovery
        index = Mutex(Index(segments: found.segments))
        writing = Mutex(Writing(file: nil, number: found.numberMax))
    }

    var marker: UInt32 { UInt32(truncatingIfNeeded: id) }

    static func path(_ number: UInt64, in folder: FilePath, suffix: String = Spool.suffix) -> FilePath {
        let digits = String(number)
        return folder.appending(String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + suffix)
    }

    func path(of number: UInt64) -> FilePath { Self.path(number, in: folder) }

    // MARK: - Opening

    private struct Found {
        var segments: [Segment] = []
        var spool: UInt64?
        var numberMax: UInt64 = 0
        var recovery = SpoolRecovery()
    }

    private static func look(_ folder: FilePath, _ fileSystem: any FileSystem) throws(FileError) -> Found {
        var found = Found()
        var numbers: [UInt64] = []
        for entry in try fileSystem.list(folder) where !entry.isDirectory {
            for suffix in [Self.suffix, Self.damagedSuffix] where entry.name.hasSuffix(suffix) {
                guard let number = UInt64(entry.name.dropLast(suffix.count)) else { continue }
                found.numberMax = max(found.numberMax, number)
                if suffix == Self.suffix { numbers.append(number) }
            }
        }
        // The youngest that can be read says which spool this is.
        for number in numbers.sorted(by: >) {
            let path = path(number, in: folder)
            let file = try fileSystem.open(path, .read)
            defer { file.close() }
            let bytes = try file.bytes(from: 0, count: SpoolFormat.headerBytes)
            let size = try file.status().size
            if let header = SpoolFormat.parse(header: bytes), header.segment == number,
                found.spool == nil || found.spool == header.spool
            {
                found.spool = header.spool
                found.segments.insert(Segment(number: number, byteCount: size), at: 0)
            } else if size <= SpoolFormat.headerBytes, number == found.numberMax {
                // It was being made when the process died: nothing stood in it.
                try fileSystem.unlink(path)
            } else {
                try setAside(number, in: folder, fileSystem)
                found.recovery.quarantined.append(path.string)
            }
        }
        return found
    }

    /// Puts a segment out of the way, for somebody to look at; where a few are there already, it is deleted.
    private static func setAside(_ number: UInt64, in folder: FilePath, _ fileSystem: any FileSystem) throws(FileError)
    {
        let path = path(number, in: folder)
        if try damagedCount(folder, fileSystem) >= quarantineMax { return try fileSystem.unlink(path) }
        try fileSystem.rename(path, to: Self.path(number, in: folder, suffix: damagedSuffix))
    }

    private static func damagedCount(_ folder: FilePath, _ fileSystem: any FileSystem) throws(FileError) -> Int {
        try fileSystem.list(folder).count { $0.name.hasSuffix(damagedSuffix) }
    }

    /// Where the last whole frame ends, and how much was cut off behind it. A bad frame with a good one behind it is damage, which is left to the reader.
    private static func endOfWhole(
        _ segment: Segment, path: FilePath, marker: UInt32, _ fileSystem: any FileSystem
    ) throws(FileError) -> (end: Int64, torn: Int64) {
        let file = try fileSystem.open(path, .readWrite)
        defer { file.close() }
        var scan = SpoolScan(file: file, marker: marker, offset: Int64(SpoolFormat.headerBytes))
        while true {
            switch try scan.next(upTo: segment.byteCount) {
            case .frame: scan.take()
            case .end: return (segment.byteCount, 0)
            case .damage(let next):
                guard next == nil else { return (segment.byteCount, 0) }
                let end = scan.offset
                try file.truncate(to: end)
                try file.sync()
                return (end, segment.byteCount - end)
            }
        }
    }

    // MARK: - Writing

    /// Bytes that more can be written; negative where it is over its size.
    var roomBytes: Int { settings.capacity.bytes - Int(clamping: heldBytes) }

    var heldBytes: Int64 { index.withLock { $0.segments.reduce(0) { $0 + $1.byteCount } } }

    /// Appends whole frames. After an error nothing of them can be read, and the same bytes may be tried again.
    func append(_ frames: [UInt8]) throws(FileError) {
        guard !frames.isEmpty else { return }
        do {
            try writing.withLock { writing in
                if writing.file == nil || Int(writing.position) + frames.count > settings.segmentBytes {
                    try begin(&writing)
                }
                try frames.withUnsafeBytes { try writing.file!.write($0, at: writing.position) }
                writing.position += Int64(frames.count)
                writing.isDirty = true
                index.withLock { $0.segments[$0.segments.count - 1].byteCount = writing.position }
            }
        } catch { throw error as? FileError ?? FileError(.other(0), .write, folder) }
        signal()
    }

    /// Begins the next segment; its header and name are durable before a frame stands in it.
    private func begin(_ writing: inout Writing) throws {
        try sync(&writing)
        let number = writing.number + 1
        let file = try fileSystem.open(path(of: number), .create)
        do {
            try file.truncate(to: 0)
            try SpoolFormat.header(spool: id, segment: number).withUnsafeBytes { try file.write($0, at: 0) }
            try file.sync()
            try fileSystem.syncDirectory(folder)
        } catch {
            file.close()
            throw error
        }
        writing.file?.close()
        writing.file = file
        writing.number = number
        writing.position = Int64(SpoolFormat.headerBytes)
        index.withLock { $0.segments.append(Segment(number: number, byteCount: writing.position)) }
    }

    /// Makes durable what was written.
    ///
    /// - Throws: where the disk refuses; then the segment is closed, for a sync that failed is no evidence of anything, and the next is begun.
    func sync() throws(FileError) {
        do { try writing.withLock { try sync(&$0) } } catch {
            throw error as? FileError ?? FileError(.other(0), .sync, folder)
        }
    }

    private func sync(_ writing: inout Writing) throws {
        guard writing.isDirty, let file = writing.file else { return }
        writing.isDirty = false
        do { try file.sync() } catch {
            file.close()
            writing.file = nil
            throw error
        }
    }

    var isDirty: Bool { writing.withLock { $0.isDirty } }

    /// Nothing more comes; what stands there is to be shipped.
    func end() {
        index.withLock { $0.isEnded = true }
        signal()
    }

    /// Something for the operator, handed out by the input.
    func report(_ event: InputEvent) {
        index.withLock { index in
            if index.events.count < Self.eventsMax { index.events.append(event) } else { index.eventsDropped += 1 }
        }
        signal()
    }

    private func signal() { wake.signal() }

    // MARK: - Reading

    func takeEvents() -> [InputEvent] {
        index.withLock { index in
            defer { index.events = [] }
            return index.events
        }
    }

    var isEnded: Bool { index.withLock { $0.isEnded } }

    func segment(_ number: UInt64) -> Segment? { index.withLock { $0.segments.first { $0.number == number } } }

    /// The first segment after that one.
    func segment(after number: UInt64) -> Segment? { index.withLock { $0.segments.first { $0.number > number } } }

    /// Bytes of frames behind a position.
    func unread(after position: SpoolPosition) -> Int64 {
        index.withLock { index in
            index.segments.reduce(0) { sum, segment in
                if segment.number < position.segment { return sum }
                let from = segment.number == position.segment ? position.offset : Int64(SpoolFormat.headerBytes)
                return sum + max(0, segment.byteCount - from)
            }
        }
    }

    /// Deletes segments before the one in which the position stands: all that they held is sealed.
    func release(before position: SpoolPosition) {
        let gone = index.withLock { index in
            let gone = index.segments.dropLast().filter { $0.number < position.segment }.map(\.number)
            index.segments.removeAll { gone.contains($0.number) }
            return gone
        }
        // One that can't be deleted now is at the next start: its position is known.
        for number in gone { try? fileSystem.unlink(path(of: number)) }
    }

    /// Keeps a copy of a segment with damage. False where a few are kept already, or the disk refuses.
    func quarantine(_ number: UInt64) -> Bool {
        guard let count = try? Self.damagedCount(folder, fileSystem), count < Self.quarantineMax else { return false }
        let copy = Self.path(number, in: folder, suffix: Self.damagedSuffix)
        do { try fileSystem.link(path(of: number), to: copy) } catch { return error.code == .alreadyExists }
        return true
    }
}
