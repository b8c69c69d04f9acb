import Base
import DequeModule
import SystemPackage

/// Reads all files that the `file` and `nginx` sources name, through every kind of rotation.
///
/// A file is known by its device, inode, first bytes and the bytes before the position, never by its name alone. Its name says which
/// source it belongs to and how old it is: `access.log.2.gz`, `access.log.1` and `access.log` are one source, read in this order. Folders
/// are watched, files are not: a file that nobody writes to costs nothing until the next reconcile.
///
/// - `FileTailer+Folders`: which folders there are, and when they are looked at
/// - `FolderScan`: one look at one folder
/// - `Lineage`: what the files of a source are, decided from names, times and contents
/// - `FileTailer+Lineage`, `FileTailer+Recognising`: what becomes of the streams, and by what they are known again
/// - `FileTailer+Reading`, `LineReader`: lines
/// - `FileTailer+Descriptors`, `FileTailer+Housekeeping`: what is open, and what time brings
public final class FileTailer: Input {
    let files: any FileSystem
    let notifier: any ChangeNotifier
    let settings: FileTailerSettings
    let patterns: FilePatterns
    let reader: LineReader
    let nextStreamID: () -> StreamID
    let wallTime: () -> Timestamp

    /// Sources by path, and their paths by folder.
    var sources: [String: TailedSource] = [:]
    var sourcesByFolder: [String: Set<String>] = [:]
    /// Folders by path.
    var folders: [String: TailedFolder] = [:]
    var watches: [WatchID: TailedFolder] = [:]
    /// Streams by the file that they stand in, or stood in when they were last seen.
    private var streamsByFile: [FileID: [FileStream]] = [:]
    /// Streams that time does something to: open ones, and those that are not where they were.
    var attended: [StreamID: FileStream] = [:]
    /// Open streams, in the order in which they were opened.
    var opened: [FileStream] = []
    /// Patterns whose first files are all known.
    var marks: Set<PatternMark> = []

    var ready: Deque<TailedSource> = []
    /// In the order of their times.
    var delayed: Deque<TailedSource> = []
    /// Those whose topic wasn't open when it was their turn, by topic.
    private var shut: [String: [TailedSource]] = [:]
    var events: Deque<InputEvent> = []

    var nextDrain = Instant.zero
    var nextReconcile = Instant.zero
    var nextPoll = Instant.distantFuture
    var nextHousekeeping = Instant.distantFuture
    /// Streams with an event of several lines that may go on, and when the first of them is done.
    var openEvents: [StreamID: FileStream] = [:]
    var nextEventEnd = Instant.distantFuture
    var wasDiscovered = false
    var isClosed = false
    /// Folders that can't be read, so that it is said once.
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
        notifier: any ChangeNotifier, checkpoints: [StreamCheckpoint],
        wallTime: @escaping () -> Timestamp = { SystemTime().wallTime }, nextStreamID: @escaping () -> StreamID
    ) throws(InputSettingsError) {
        self.files = files
        self.notifier = notifier
        self.settings = settings
        self.nextStreamID = nextStreamID
        self.wallTime = wallTime
        patterns = try FilePatterns(sources)
        reader = LineReader(pool: LineBufferPool(bufferBytes: settings.blockBytes))
        restore(checkpoints)
    }

    deinit { close() }

    public func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll {
        guard !isClosed else { return .idle(until: .distantFuture, wake: nil) }
        lookAround(now: now)
        if let event = events.popFirst() { return .event(event) }
        for topic in shut.keys where isOpen(topic) { ready += shut.removeValue(forKey: topic)! }
        var turns = 0
        while let source = ready.popFirst() {
            let topic = source.origin.topic
            guard shut[topic] == nil, isOpen(topic) else {
                shut[topic, default: []].append(source)
                continue
            }
            source.isQueued = false
            if let block = takeTurn(source, now: now) { return .block(block) }
            if let event = events.popFirst() { return .event(event) }
            turns += 1
            if turns >= 256 { return .idle(until: now, wake: nil) }
        }
        var until = min(min(nextReconcile, nextPoll), min(nextHousekeeping, nextEventEnd))
        for folder in folders.values where folder.isDirty { until = min(until, folder.nextScan) }
        guard let next = delayed.first else { return .idle(until: until, wake: notifier.descriptor) }
        return .idle(until: min(until, next.notBefore), wake: nil)
    }

    public func attend(now: Instant) -> Instant {
        guard !isClosed else { return .distantFuture }
        lookAround(now: now)
        for source in [ready, delayed].joined() { hold(source, now: now) }
        for source in shut.values.joined() { hold(source, now: now) }
        scanDirtyFolders(now: now)
        return now + .milliseconds(500)
    }

    /// Opens what waits to be read, so that it can't vanish.
    private func hold(_ source: TailedSource, now: Instant) {
        for stream in source.streams where stream.needsRead && stream.location != nil {
            if stream.content == nil, opened.count < settings.descriptorsMax { _ = open(stream, now: now) }
            // That it was cut before anything of it was read is seen by its first bytes.
            if needsFirstLook(stream) { holdForLook(source) }
        }
    }

    public var isBehind: Bool { !wasDiscovered }

    public func streamStatuses() -> [StreamStatus] {
        sources.keys.sorted().flatMap { sources[$0]!.streams }.filter { $0.position.progress == .reading }.map {
            stream in
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

    // MARK: - Sources and streams

    /// Takes over what earlier runs knew. The files are looked for when their folders are scanned.
    private func restore(_ checkpoints: [StreamCheckpoint]) {
        for checkpoint in checkpoints.sorted(by: { $0.stream < $1.stream }) {
            if let mark = PatternMark(checkpoint.position) { marks.insert(mark) }
        }
        for checkpoint in checkpoints.sorted(by: { $0.stream < $1.stream }) {
            guard let position = FilePosition(checkpoint.position),
                let slash = checkpoint.source.bytes.firstIndex(of: UInt8(ascii: "/"))
            else { continue }
            let path = String(decoding: checkpoint.source.bytes[slash...], as: UTF8.self)
            guard let index = patterns.settings(for: path) else { continue }
            let source = source(path, index)
            source.isKnown = true
            source.isHeld = true
            add(FileStream(id: checkpoint.stream, source: source, position: position, isRestored: true, now: .zero))
        }
    }

    func source(_ place: FilePatterns.Place) -> TailedSource { source(place.source, place.settings) }

    private func source(_ path: String, _ settingsIndex: Int) -> TailedSource {
        if let source = sources[path] { return source }
        let isKnown =
            wasDiscovered || patterns.patterns(for: path).contains { marks.contains(PatternMark(pattern: $0)) }
        let source = TailedSource(
            path: path, settings: patterns.settings[settingsIndex], host: settings.host, isKnown: isKnown)
        sources[path] = source
        sourcesByFolder[source.folder, default: []].insert(path)
        return source
    }

    /// Of streams that were noted when births were not, too.
    func streams(in file: FileID) -> [FileStream] {
        let streams = streamsByFile[file] ?? []
        guard file.born != 0, let unborn = streamsByFile[file.withoutBirth] else { return streams }
        return streams + unborn
    }

    func add(_ stream: FileStream) {
        stream.source.streams.append(stream)
        enlist(stream)
    }

    /// Notes which file the stream stands in.
    func enlist(_ stream: FileStream) {
        if stream.position.inode != 0 { streamsByFile[stream.position.file, default: []].append(stream) }
    }

    func forget(_ stream: FileStream, in file: FileID) {
        streamsByFile[file]?.removeAll { $0 === stream }
        if streamsByFile[file]?.isEmpty == true { streamsByFile[file] = nil }
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
        if now >= nextEventEnd { endEvents(now: now) }
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
                if stream.location?.isCompressed != true || stream.position.progress == .reading {
                    wake(stream, now: now)
                }
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

    func wake(_ stream: FileStream, now: Instant) {
        stream.needsRead = true
        enqueue(stream.source, now: now)
    }

    func enqueue(_ source: TailedSource, now: Instant) {
        guard !source.isQueued else { return }
        source.isQueued = true
        if source.notBefore > now { delayed.append(source) } else { ready.append(source) }
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
