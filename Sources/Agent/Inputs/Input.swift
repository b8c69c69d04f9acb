import Base

/// Something that lines come from: the files of all `file` and `nginx` sources together, or one journal.
///
/// It reads only when it is asked, so whoever has no room just doesn't ask: the source is the buffer. An input belongs to one thread at a
/// time; the blocks that it hands out are free to travel. `poll` may read a disk, and never waits.
///
/// An input is made with the checkpoints of earlier runs (each takes those it understands) and with a function that gives out stream ids.
public protocol Input: AnyObject {
    /// The next block or event, or how long nothing needs to be done.
    ///
    /// Blocks of one stream come in the order of its lines, without gap or repetition since its checkpoint. Sources take turns; those whose topic
    /// isn't open are left alone, as if they had nothing.
    ///
    /// - Parameter isOpen: whether lines may go to a topic now. Asked anew at each call.
    func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll

    /// Looks around without reading: new files are opened and renames followed, so that nothing vanishes unread while nobody has room
    /// for a block. To be called at least each second meanwhile; returns when it would like to be called again.
    func attend(now: Instant) -> Instant

    /// What an operator wants to know of each stream that has a file or journal now.
    func streamStatuses() -> [StreamStatus]

    /// True while it can't tell what waits to be read: before the first look around is over, or before a journal was read to its end.
    var isBehind: Bool { get }

    /// What is sealed is on disk, up to these positions (of whatever input's streams): what stands before them is not needed any more.
    func sealed(_ checkpoints: [StreamCheckpoint])

    /// True once it has come to an end (standard input was closed) and everything was handed out: nothing will come any more.
    var isFinished: Bool { get }

    /// Lets go of descriptors, watches and children. Later polls are idle for ever.
    func close()
}

extension Input {
    public var isBehind: Bool { false }
    public var isFinished: Bool { false }
    public func sealed(_ checkpoints: [StreamCheckpoint]) {}

    /// With every topic open.
    public func poll(now: Instant) -> InputPoll { poll(now: now) { _ in true } }
}

public enum InputPoll: Sendable {
    case block(LineBlock)
    case event(InputEvent)
    /// Nothing to read before `until`, or, where there is a `wake` descriptor, before it can be read (`poll(2)`, POLLIN). While the
    /// descriptor is nil the input wants to be left alone until then, so that a busy file makes large blocks rather than many.
    case idle(until: Instant, wake: CInt?)
}

/// What happened besides lines. Counted by whoever polls; none may be ignored silently.
public enum InputEvent: Sendable, Equatable {
    /// The stream was read to its end and is gone: its checkpoint may go too, once everything that this input delivered before this
    /// event, of whatever stream, is sealed.
    case retired(StreamID)
    /// The stream's position is this although no line was delivered (start at the end): keep it as if a block had ended here.
    case positioned(StreamCheckpoint)
    /// A line longer than the limit was delivered cut to the limit.
    case lineCut(SourceKey, byteCount: Int64)
    /// A line longer than the limit was left out, as configured.
    case lineSkipped(SourceKey, byteCount: Int64)
    /// A run of NUL bytes, as a crash or a truncated file leaves them, was left out.
    case nulBytesSkipped(SourceKey, byteCount: Int64)
    /// The last line of a file that is gone for good had no newline; it was delivered as a line.
    case lineUnterminated(SourceKey, byteCount: Int64)
    /// A file got shorter than what was read of it, or was written anew: it is read again from its beginning as a new stream.
    case truncated(SourceKey)
    /// Something of the source was deleted before it was read. `detail` says what is known.
    case gap(SourceKey, detail: String)
    /// Something can't be read now and will be tried again: a file without permission, a crashed journal reader.
    case trouble(source: String, detail: String)
    /// Records were left out or redacted, as configured. Said by the core for a whole block.
    case relieved(SourceKey, ReliefCounts)
    /// What an earlier `trouble` was about works again.
    case recovered(source: String)
}

/// One stream as an operator sees it.
public struct StreamStatus: Sendable, Equatable {
    public var stream: StreamID
    public var source: SourceKey
    /// Where it is now: the file's present path, or the journal.
    public var place: String
    /// Bytes read so far; for a journal, entries.
    public var offset: Int64
    /// Bytes that wait to be read, where known.
    public var unread: Int64?

    public init(stream: StreamID, source: SourceKey, place: String, offset: Int64, unread: Int64?) {
        self.stream = stream
        self.source = source
        self.place = place
        self.offset = offset
        self.unread = unread
    }
}
