import Base
import DequeModule
import SystemPackage

/// Reads all files that the `file` and `nginx` sources name, through every kind of rotation.
///
/// A file is known by its device, inode, first bytes and the bytes before the position, never by its name alone. Its name says which
/// source it belongs to and how old it is: `access.log.2.gz`, `access.log.1` and `access.log` are one source, read in this order. Folders
/// are watched, files are not: a file that nobody writes to costs nothing until the next reconcile.
public final class FileTailer: Input {
    let files: any FileSystem
    let notifier: any ChangeNotifier
    let settings: FileTailerSettings
    let patterns: FilePatterns
    let reader: LineReader
    let nextStreamID: () -> StreamID

    /// Sources by path.
    var sources: [String: TailedSource] = [:]
    /// Folders by path.
    var folders: [String: TailedFolder] = [:]
    var watches: [WatchID: TailedFolder] = [:]
    /// Streams whose file has a name or is open.
    var streams: [FileID: FileStream] = [:]
    /// Sources that have checkpoints and whose folder was not looked at yet, by folder.
    var restored: [String: [TailedSource]] = [:]
    /// Open streams and streams without a name: those that time does something to.
    var attended: [StreamID: FileStream] = [:]
    /// Open streams, in the order in which they were opened.
    var opened: [FileStream] = []

    var ready: Deque<TailedSource> = []
    /// In the order of their times.
    var delayed: Deque<TailedSource> = []
    var events: Deque<InputEvent> = []

    var nextDrain = Instant.zero
    var nextReconcile = Instant.zero
    var nextPoll = Instant.distantFuture
    var nextHousekeeping = Instant.distantFuture
    var wasDiscovered = false
    var isClosed = false
    /// Folders and files that can't be read, so that it is said once.
    var troubled: Set<String> = []

    /// Throws where a pattern can't be understood. `checkpoints` of other inputs are left alone, as are those of files that no pattern
    /// names any more.
    public convenience init(
        sources: [FileInputSettings], settings: FileTailerSettings, files: any FileSystem = PosixFileSystem(),
        checkpoints: [StreamCheckpoint] = [], nextStreamID: @escaping () -> StreamID
    ) throws(InputSettingsError) {
        try self.init(
            sources: sources, settings: settings, files: files, notifier: InotifyNotifier() ?? NoNotifier(),
            checkpoints: checkpoints, nextStreamID: nextStreamID)
    }

    init(
        sources: [FileInputSettings], settings: FileTailerSettings, files: any FileSystem,
        notifier: any ChangeNotifier, checkpoints: [StreamCheckpoint], nextStreamID: @escaping () -> StreamID
    ) throws(InputSettingsError) {
        self.files = files
        self.notifier = notifier
        self.settings = settings
        self.nextStreamID = nextStreamID
        patterns = try FilePatterns(sources)
        reader = LineReader(pool: LineBufferPool(bufferBytes: settings.blockBytes))
        restore(checkpoints)
    }

    deinit { close() }

    public func poll(now: Instant) -> InputPoll {
        guard !isClosed else { return .idle(until: .distantFuture, wake: nil) }
        lookAround(now: now)
        if let event = events.popFirst() { return .event(event) }
        var turns = 0
        while let source = ready.popFirst() {
            source.isQueued = false
            if let block = takeTurn(source, now: now) { return .block(block) }
            if let event = events.popFirst() { return .event(event) }
            turns += 1
            if turns >= 256 { return .idle(until: now, wake: nil) }
        }
        var until = min(min(nextReconcile, nextPoll), nextHousekeeping)
        for folder in folders.values where folder.isDirty { until = min(until, folder.nextScan) }
        guard let next = delayed.first else { return .idle(until: until, wake: notifier.descriptor) }
        return .idle(until: min(until, next.notBefore), wake: nil)
    }

    public func attend(now: Instant) -> Instant {
        guard !isClosed else { return .distantFuture }
        lookAround(now: now)
        for source in [ready, delayed].joined() {
            for stream in source.streams where stream.needsRead && stream.content == nil {
                if opened.count < settings.descriptorsMax { _ = open(stream, now: now) }
            }
        }
        return now + .milliseconds(500)
    }

    public func streamStatuses() -> [StreamStatus] {
        sources.values.flatMap(\.streams).map { stream in
            StreamStatus(
                stream: stream.id, source: stream.source.origin.source,
                place: stream.location?.path ?? "\(stream.source.path) (no name any more)",
                offset: stream.position.offset, unread: max(0, stream.endSeen - stream.position.offset))
        }
    }

    public func close() {
        guard !isClosed else { return }
        isClosed = true
        for stream in opened { stream.close() }
        opened = []
        notifier.close()
    }

    // MARK: - Time and changes

    /// Everything that moves besides reading.
    private func lookAround(now: Instant) {
        if now >= nextDrain || ready.isEmpty { drainChanges(now: now) }
        if now >= nextReconcile { reconcile(now: now) }
        if now >= nextPoll {
            nextPoll = now + settings.pollInterval
            for folder in folders.values where folder.watch == nil { folder.isDirty = true }
        }
        scanDirtyFolders(now: now)
        if now >= nextHousekeeping { keepHouse(now: now) }
        while let source = delayed.first, source.notBefore <= now {
            delayed.removeFirst()
            ready.append(source)
        }
    }

    private func drainChanges(now: Instant) {
        nextDrain = now + .milliseconds(5)
        var rounds = 0
        while rounds < 64, notifier.drain({ changed($0, now: now) }) { rounds += 1 }
    }

    private func changed(_ change: Change, now: Instant) {
        switch change {
        case .written(let watch, let name):
            guard let folder = watches[watch] else { return }
            if let stream = folder.streams[name] {
                if !stream.isFinished { wake(stream, now: now) }
            } else if patterns.isRelevant(name, in: folder.path) {
                folder.isDirty = true
            }
        case .renamed(let watch, let name, let isFolder):
            guard let folder = watches[watch] else { return }
            if isFolder, folder.isWaiting || patterns.mayMatchBelow(folder.path, name) {
                nextReconcile = min(nextReconcile, now + .milliseconds(10))
            }
            if folder.streams[name] != nil || patterns.isRelevant(name, in: folder.path) { folder.isDirty = true }
        case .folderGone(let watch):
            watches[watch]?.watch = nil
            watches[watch] = nil
            nextReconcile = now
        case .overflow:
            nextReconcile = now
        }
    }

    // MARK: - Turns

    func wake(_ stream: FileStream, now: Instant) {
        stream.needsRead = true
        enqueue(stream.source, now: now)
    }

    func enqueue(_ source: TailedSource, now: Instant) {
        guard !source.isQueued else { return }
        source.isQueued = true
        if source.notBefore > now { delayed.append(source) } else { ready.append(source) }
    }

    /// Reads from the oldest stream of the source that has something.
    private func takeTurn(_ source: TailedSource, now: Instant) -> LineBlock? {
        for stream in source.streams where stream.needsRead {
            switch read(stream, now: now) {
            case .block(let block):
                enqueue(source, now: now)
                return block
            case .later:
                enqueue(source, now: now)
                return nil
            case .nothing: continue
            }
        }
        if !source.isQueued { source.notBefore = now + settings.readDelay }
        return nil
    }

    func attend(_ stream: FileStream, now: Instant) {
        attended[stream.id] = stream
        if nextHousekeeping == .distantFuture { nextHousekeeping = now + .seconds(1) }
    }
}

/// A setting of an input that can't be used: what is wrong with it.
public struct InputSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}

/// A folder that holds files of ours, or might.
final class TailedFolder {
    let path: String
    /// Nil where it has to be polled.
    var watch: WatchID?
    /// It is only watched for a folder that is to appear below it.
    let isWaiting: Bool
    /// The streams whose files stand in it, by name.
    var streams: [String: FileStream] = [:]
    var isDirty = true
    var nextScan = Instant.zero
    var wasScanned = false

    init(path: String, isWaiting: Bool) {
        self.path = path
        self.isWaiting = isWaiting
    }

    func path(of name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}
