import Base

/// The content of one physical file as the tailer knows it: how far it was read, where it stands now, and whether it is open.
///
/// It is first a name's file, may move to other names, to a compressed or plain copy, lose its name while it is open, and is *missing*
/// while nothing leads to it: until its folder was looked at for a copy.
final class FileStream {
    let id: StreamID
    unowned let source: TailedSource

    /// How far it was read, and by what it is recognised. Its device and inode are those of the file that is read now.
    var position: FilePosition
    /// Where the file stands now; nil where it has no known name.
    var location: FileLocation?
    /// Its name is a link, and what that leads to is watched.
    var isWatchedLink = false
    /// The last name that it was known under after it was rotated.
    private(set) var lastName: RotatedName?
    var content: (any FileContent)?
    /// Where the content ended when it was last looked at.
    var endSeen: Int64
    /// How large the file was when it was last found in its folder.
    var sizeFound: Int64 = 0
    /// Up to here, at least, there is no end of the line (or of the run of NULs) that begins at the offset.
    var scanned: Int64 = 0
    /// There may be something to read.
    var needsRead: Bool
    /// When bytes were last found, or it lost its name or place: what `linger` counts from.
    var lastChange: Instant
    /// Its file was compared with it since the start of this process.
    var isVerified: Bool
    /// Its first bytes could not be read when they were looked at: whoever reads it will say why.
    var isUnpeekable = false
    /// It was told that its file was cut or written anew. What was there may stand in a copy only.
    var wasToldOf = false
    /// Its last line gets no newline any more, and is to be delivered as it is.
    var wantsLastLine = false
    /// Whole lines stand after the offset, of an event that may go on (`Multiline`).
    var hasOpenEvent = false
    /// That event gets no more lines, and is to be delivered as it is.
    var wantsEvent = false
    /// When it does, and where the file ended when that was set.
    var eventDeadline = Instant.distantFuture
    var eventEnd: Int64 = 0
    /// Since when it can't be read.
    var troubledSince: Instant?

    /// One that begins now, or goes on from a checkpoint.
    init(id: StreamID, source: TailedSource, position: FilePosition, isRestored: Bool, now: Instant) {
        self.id = id
        self.source = source
        self.position = position
        isVerified = !isRestored
        needsRead = false
        endSeen = position.offset
        lastChange = now
    }

    /// Nothing leads to its bytes.
    var isMissing: Bool { location == nil && content == nil }

    /// Nothing of its content is known: only its inode says which file it is.
    var isBlank: Bool {
        position.prefix.length == 0 && position.offset == 0 && position.progress == .reading
            && location?.isCompressed != true
    }

    /// It stands where its location says, beyond doubt.
    func verify() {
        guard let location else { return }
        isVerified = true
        if case .rotated(let name) = location.age { lastName = name }
    }

    var checkpoint: StreamCheckpoint {
        StreamCheckpoint(stream: id, source: source.origin.source, position: position.encoded)
    }

    /// The offset, kept with everything that follows from it.
    func move(to next: FilePosition) {
        position = next
        scanned = 0
        hasOpenEvent = false
        if endSeen < next.offset { endSeen = next.offset }
    }

    func close() {
        content?.close()
        content = nil
    }
}
