import Base

/// One physical file as the tailer knows it: how far it was read, under which name it stands now, and whether it is open.
final class FileStream {
    let id: StreamID
    unowned let source: TailedSource

    /// How far it was read, and by what it is recognised. Its device and inode are those of the file that is read now.
    var position: FilePosition
    /// Where the file stands now; nil where it has no known name (deleted, moved away, not found yet).
    var location: FileLocation?
    var content: (any FileContent)?
    /// Where the content ended when it was last looked at.
    var endSeen: Int64
    /// Up to here, at least, there is no end of the line (or of the run of NULs) that begins at the offset.
    var scanned: Int64 = 0
    /// There may be something to read.
    var needsRead = true
    /// A line was delivered, or the position came from a checkpoint: the name of this stream may stand in the state directory.
    var isKnownOutside: Bool
    /// It was read to its end and can't grow.
    var isFinished = false
    /// When bytes were last found, or it lost its name or place: what `linger` counts from.
    var lastChange: Instant
    /// It is the one that a path or an inode says it is: seen since the start, or compared with its checkpoint.
    var isVerified: Bool
    /// It has no name and nothing is open: until then a file with the same content is looked for.
    var copySearchUntil = Instant.zero
    /// Its last line gets no newline any more, and is to be delivered as it is.
    var wantsLastLine = false
    /// Said once that it can't be read.
    var isInTrouble = false

    init(id: StreamID, source: TailedSource, position: FilePosition, isKnownOutside: Bool, now: Instant) {
        self.id = id
        self.source = source
        self.position = position
        self.isKnownOutside = isKnownOutside
        isVerified = !isKnownOutside
        endSeen = position.offset
        lastChange = now
    }

    var fileID: FileID { FileID(device: position.device, inode: position.inode) }

    /// The offset, kept with everything that follows from it.
    func move(to next: FilePosition) {
        position = next
        scanned = 0
        if endSeen < next.offset { endSeen = next.offset }
    }

    func close() {
        content?.close()
        content = nil
    }
}

/// A name in a folder, and what it says about age.
struct FileLocation: Hashable, Sendable {
    enum Age: Hashable, Sendable {
        /// The name that the application writes to.
        case current
        case rotated(RotatedName)
        /// Some other name in the folder, which only the file's inode led to.
        case stray
    }

    var folder: String
    var name: String
    var age: Age

    var path: String { folder == "/" ? "/" + name : folder + "/" + name }

    /// True where a file here was rotated away before one there; nil where the names don't tell.
    func isOlder(than other: FileLocation) -> Bool? {
        switch (age, other.age) {
        case (.current, .current), (.stray, .stray), (.stray, .rotated), (.rotated, .stray): nil
        case (.current, .rotated), (.current, .stray): false
        case (.rotated, .current), (.stray, .current): true
        case (.rotated(let own), .rotated(let others)): own.isOlder(than: others)
        }
    }
}

/// What a source key stands for: a path, the file there, and those that were rotated away from it.
final class TailedSource {
    let path: String
    let folder: String
    let pathHash: UInt64
    let settings: FileInputSettings
    let origin: LineOrigin
    /// Older ones first; they are read in this order.
    var streams: [FileStream] = []
    /// Waits for its turn to be read.
    var isQueued = false
    /// Files that stood beside the path before the agent ever ran: not ours.
    var ignored: Set<FileID> = []
    /// Its folder was looked at, so a file that turns up from now on is new.
    var wasScanned = false
    /// There was a checkpoint, or a stream: files rotated since then are ours.
    var hasHistory = false
    /// The latest time at which one of its streams was written to, as known.
    var newestModified = Timestamp.none
    /// The same of those whose file has no name any more; nil where there were none.
    var newestGone: Timestamp?
    /// Nothing of it is read before this, so that lines gather.
    var notBefore = Instant.zero

    init(path: String, settings: FileInputSettings, host: String) {
        self.path = path
        self.settings = settings
        folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "/"
        pathHash = StableHash.of(path)
        origin = LineOrigin(source: SourceKey(host + path), topic: settings.topic, headers: settings.headers)
    }
}
