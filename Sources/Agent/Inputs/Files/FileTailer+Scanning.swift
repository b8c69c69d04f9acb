import Base
import SystemPackage

/// Finding files: which folders to look into, and what stands there now.
extension FileTailer {
    private static let depthMax = 32
    private static let foldersMax = 10_000

    // MARK: - Checkpoints

    /// Takes over what earlier runs knew. The files are looked for when their folders are scanned.
    func restore(_ checkpoints: [StreamCheckpoint]) {
        for checkpoint in checkpoints.sorted(by: { $0.stream < $1.stream }) {
            guard let position = FilePosition(checkpoint.position),
                let slash = checkpoint.source.bytes.firstIndex(of: UInt8(ascii: "/"))
            else { continue }
            let path = String(decoding: checkpoint.source.bytes[slash...], as: UTF8.self)
            guard let index = patterns.settings(for: path) else { continue }
            let source = source(path, patterns.settings[index])
            let stream = FileStream(
                id: checkpoint.stream, source: source, position: position, isKnownOutside: true, now: .zero)
            stream.needsRead = false
            stream.copySearchUntil = .distantFuture
            source.streams.append(stream)
            if !source.hasHistory { restored[source.folder, default: []].append(source) }
            source.hasHistory = true
            source.newestModified = max(source.newestModified, position.modified)
            // Where a file was cut and written anew, two share an inode: the younger has it.
            if position.inode != 0 { streams[stream.fileID] = stream }
        }
    }

    private func source(_ path: String, _ settings: FileInputSettings) -> TailedSource {
        if let source = sources[path] { return source }
        let source = TailedSource(path: path, settings: settings, host: self.settings.host)
        sources[path] = source
        return source
    }

    // MARK: - Folders

    /// Walks all folders that may hold matches, and looks at every file in them.
    func reconcile(now: Instant) {
        nextReconcile = now + settings.reconcileInterval
        var visited = Visited()
        for root in patterns.roots.sorted() {
            var path = root
            while (try? files.status(FilePath(path)))??.kind != .directory, path != "/" {
                path = FilePath(path).removingLastComponent().string
            }
            visit(path, isWaiting: path != root, depth: 0, &visited, now: now)
        }
        for folder in folders.values where !visited.paths.contains(folder.path) { leave(folder, now: now) }
        if !wasDiscovered {
            wasDiscovered = true
            restoredWithoutFile(now: now)
        }
    }

    private func visit(_ path: String, isWaiting: Bool, depth: Int, _ visited: inout Visited, now: Instant) {
        guard depth < Self.depthMax, visited.paths.count < Self.foldersMax, !visited.paths.contains(path),
            let status = try? files.status(FilePath(path)), visited.folders.insert(FileID(status)).inserted
        else { return }
        visited.paths.insert(path)
        let folder: TailedFolder
        if let known = folders[path], known.isWaiting == isWaiting {
            folder = known
        } else {
            if let known = folders[path] { leave(known, now: now) }
            folder = TailedFolder(path: path, isWaiting: isWaiting)
            folders[path] = folder
        }
        if folder.watch == nil, let watch = notifier.watch(path) {
            folder.watch = watch
            watches[watch] = folder
        }
        if folder.watch == nil, nextPoll == .distantFuture { nextPoll = now + settings.pollInterval }
        if isWaiting {
            folder.isDirty = false
            return
        }
        for entry in scan(folder, now: now) where entry.isDirectory {
            let below = folder.path(of: entry.name)
            if patterns.mayMatchBelow(below) {
                visit(below, isWaiting: false, depth: depth + 1, &visited, now: now)
            }
        }
    }

    /// Folders by path and by inode: links may lead in circles.
    private struct Visited {
        var paths: Set<String> = []
        var folders: Set<FileID> = []
    }

    private func leave(_ folder: TailedFolder, now: Instant) {
        if let watch = folder.watch {
            notifier.unwatch(watch)
            watches[watch] = nil
        }
        for stream in Array(folder.streams.values) { lose(stream, now: now) }
        folders[folder.path] = nil
    }

    /// The checkpoints whose folder isn't there.
    private func restoredWithoutFile(now: Instant) {
        for source in sources.values {
            for stream in source.streams where stream.location == nil && stream.content == nil {
                attend(stream, now: now)
            }
        }
    }

    func scanDirtyFolders(now: Instant) {
        for folder in Array(folders.values) where folder.isDirty && folder.nextScan <= now {
            if folder.isWaiting {
                folder.isDirty = false
                nextReconcile = min(nextReconcile, now + .milliseconds(10))
            } else {
                scan(folder, now: now)
            }
        }
    }

    // MARK: - One folder

    /// Looks at every file of a folder: who moved, who is new, who is gone. Returns what stands there.
    @discardableResult
    func scan(_ folder: TailedFolder, now: Instant) -> [DirectoryEntry] {
        folder.isDirty = false
        let entries: [DirectoryEntry]
        do throws(FileError) {
            entries = try files.list(FilePath(folder.path))
            if troubled.remove(folder.path) != nil { events.append(.recovered(source: folder.path)) }
        } catch {
            if error.code == .noSuchFile {
                for stream in Array(folder.streams.values) { lose(stream, now: now) }
                nextReconcile = min(nextReconcile, now + .seconds(1))
            } else if troubled.insert(folder.path).inserted {
                events.append(.trouble(source: folder.path, detail: "\(error)"))
            }
            return []
        }
        // A scan costs with the number of files; however fast they rotate, most of the time is left for reading.
        folder.nextScan = now + .milliseconds(2) + .microseconds(20 * entries.count)
        FolderScan(tailer: self, folder: folder, entries: entries, now: now).run()
        folder.wasScanned = true
        return entries
    }
}

/// One look at one folder.
private struct FolderScan {
    let tailer: FileTailer
    let folder: TailedFolder
    let entries: [DirectoryEntry]
    let now: Instant

    func run() {
        let names = Set(entries.lazy.filter { !$0.isDirectory }.map(\.name))
        var found: [String: [FoundFile]] = [:]
        var seen: Set<FileID> = []
        var others: [String] = []
        let before = folder.streams
        folder.streams = [:]
        for entry in entries where !entry.isDirectory {
            let isKnown = { (path: String) in
                tailer.sources[path]?.hasHistory == true
                    || names.contains(String(path.dropFirst(folder.path == "/" ? 1 : folder.path.count + 1)))
            }
            guard let place = tailer.patterns.place(of: entry.name, in: folder.path, isKnown: isKnown) else {
                others.append(entry.name)
                continue
            }
            guard let status = status(entry.name), seen.insert(FileID(status)).inserted else { continue }
            let location = FileLocation(folder: folder.path, name: entry.name, age: place.age)
            if takesByInode(location, status) { continue }
            found[place.source, default: []].append(
                FoundFile(
                    location: location, file: FileID(status), size: status.size, modified: status.modified,
                    isMatch: place.isMatch))
            _ = source(place)
        }
        let missing = before.values.filter { !isHere($0) && $0.location?.folder == folder.path }
        findStrays(among: others, for: missing, &seen)
        for stream in missing where !isHere(stream) && stream.location?.folder == folder.path {
            tailer.lose(stream, now: now)
        }
        resolve(found)
    }

    private func isHere(_ stream: FileStream) -> Bool {
        stream.location.map { folder.streams[$0.name] === stream } ?? false
    }

    private func status(_ name: String) -> FileStatus? {
        guard let status = try? tailer.files.status(FilePath(folder.path(of: name))), status.kind == .file else {
            return nil
        }
        return status
    }

    private func source(_ place: FilePatterns.Place) -> TailedSource {
        if let source = tailer.sources[place.source] { return source }
        let source = TailedSource(
            path: place.source, settings: tailer.patterns.settings[place.settings], host: tailer.settings.host)
        tailer.sources[place.source] = source
        return source
    }

    // MARK: - By inode

    /// True where a stream is known to live in this file.
    private func takesByInode(_ location: FileLocation, _ status: FileStatus) -> Bool {
        guard let stream = tailer.streams[FileID(status)] else { return false }
        let isCompressed = location.name.hasSuffix(".gz")
        if (!isCompressed && status.size < stream.position.offset) || !isVerified(stream, location, status) {
            // Cut, or another file that got the inode.
            if location.age == .current { tailer.events.append(.truncated(stream.source.origin.source)) }
            forget(stream)
            return false
        }
        let moved = stream.location != location
        if moved {
            if let old = stream.location, old.folder != folder.path,
                tailer.folders[old.folder]?.streams[old.name] === stream
            {
                tailer.folders[old.folder]?.streams[old.name] = nil
            }
            let wasCurrent = stream.location?.age == .current
            stream.location = location
            if wasCurrent || location.age != .current { stream.lastChange = now }
            tailer.attend(stream, now: now)
            sort(stream.source)
        }
        folder.streams[location.name] = stream
        let isUnread = moved ? status.size > stream.position.offset : status.size != stream.endSeen
        if (isUnread || status.modified != stream.position.modified || stream.isInTrouble) && !stream.isFinished {
            if !isCompressed { stream.endSeen = max(stream.endSeen, stream.position.offset) }
            tailer.wake(stream, now: now)
        }
        return true
    }

    private func forget(_ stream: FileStream) {
        tailer.close(stream)
        tailer.lose(stream, now: now)
        if tailer.streams[stream.fileID] === stream { tailer.streams[stream.fileID] = nil }
        stream.position.inode = 0
        stream.position.device = 0
    }

    /// A stream from a checkpoint is compared with the file before it is believed, unless nothing was written to it since.
    private func isVerified(_ stream: FileStream, _ location: FileLocation, _ status: FileStatus) -> Bool {
        if stream.isVerified { return true }
        if status.modified == stream.position.modified, !location.name.hasSuffix(".gz") {
            stream.isVerified = true
        } else if case .content(let content)? = try? OpenedContent.open(location.path, in: tailer.files) {
            defer { content.close() }
            stream.isVerified = (try? isSame(content, stream.position)) ?? false
        }
        return stream.isVerified
    }

    /// Compares both marks; that before the offset is left to the first read where a compressed file is long.
    private func isSame(_ content: any FileContent, _ position: FilePosition) throws(FileError) -> Bool {
        if content is GzipContent, position.offset > 1 << 20 { return try content.begins(with: position.prefix) }
        return try content.fits(position)
    }

    /// Files with other names, for streams that lost theirs and aren't open.
    private func findStrays(among names: [String], for missing: [FileStream], _ seen: inout Set<FileID>) {
        let restored = tailer.restored[folder.path] ?? []
        guard !missing.isEmpty || restored.contains(where: { $0.streams.contains { $0.location == nil } }) else {
            return
        }
        for name in names {
            guard let status = status(name), tailer.streams[FileID(status)] != nil, seen.insert(FileID(status)).inserted
            else { continue }
            _ = takesByInode(FileLocation(folder: folder.path, name: name, age: .stray), status)
        }
    }

    // MARK: - By history

    private func resolve(_ found: [String: [FoundFile]]) {
        var paths = Set(found.keys)
        for source in tailer.restored.removeValue(forKey: folder.path) ?? [] { paths.insert(source.path) }
        for stream in tailer.attended.values where stream.source.folder == folder.path && needsCopy(stream) {
            paths.insert(stream.source.path)
        }
        for path in paths.sorted() {
            if let source = tailer.sources[path] { resolve(source, found[path] ?? []) }
        }
    }

    private func needsCopy(_ stream: FileStream) -> Bool {
        stream.location == nil && stream.content == nil && !stream.isFinished && stream.copySearchUntil > now
            && stream.position.offset > 0 && stream.position.prefix.length > 0
    }

    private func resolve(_ source: TailedSource, _ found: [FoundFile]) {
        let history = SourceHistory(
            streams: source.streams.map {
                .init(id: $0.id, location: $0.location, modified: $0.position.modified, needsCopy: needsCopy($0))
            },
            hasHistory: source.hasHistory, wasScanned: source.wasScanned, ignored: source.ignored,
            newestModified: source.newestModified, newestGone: newestGone(source))
        let streams = Dictionary(uniqueKeysWithValues: source.streams.map { ($0.id, $0) })
        let decisions = history.resolve(found: found) { id, file, likeness in isCopy(streams[id]!, file, likeness) }
        let isFirst = !source.wasScanned && !source.hasHistory && !tailer.wasDiscovered
        reportGap(source, decisions)
        for decision in decisions {
            switch decision {
            case .continues(let id, let file): carryOn(streams[id]!, file)
            case .begins(let file): begin(source, file, atEnd: isFirst && source.settings.start == .end)
            case .ignored(let file): source.ignored.insert(file.file)
            }
        }
        if !source.ignored.isEmpty { source.ignored.formIntersection(found.map(\.file)) }
        source.wasScanned = true
        for stream in source.streams where stream.location == nil && stream.content == nil && !stream.isVerified {
            // It was looked for among all that there is.
            stream.isVerified = true
            stream.lastChange = now
            stream.copySearchUntil = .zero
            tailer.attend(stream, now: now)
        }
        if !decisions.isEmpty { sort(source) }
        if source.streams.isEmpty, source.ignored.isEmpty, found.isEmpty { tailer.sources[source.path] = nil }
    }

    private func newestGone(_ source: TailedSource) -> Timestamp? {
        let gone = source.streams.filter { $0.location == nil }.map(\.position.modified)
        return (gone + (source.newestGone.map { [$0] } ?? [])).max()
    }

    /// The file that was being written when the agent stopped is gone, and others came after it.
    private func reportGap(_ source: TailedSource, _ decisions: [HistoryDecision]) {
        guard !source.wasScanned, let last = source.streams.last, last.location == nil, last.content == nil else {
            return
        }
        let isFound = decisions.contains { if case .continues(last.id, _) = $0 { true } else { false } }
        let hasSuccessor = decisions.contains { if case .begins = $0 { true } else { false } }
        guard !isFound, hasSuccessor else { return }
        tailer.events.append(
            .gap(
                source.origin.source,
                detail: "the file that was read up to byte \(last.position.offset) was removed while the agent was away"
            ))
    }

    private func isCopy(_ stream: FileStream, _ file: FoundFile, _ likeness: SourceHistory.Likeness) -> Bool {
        let position = stream.position
        guard position.prefix.length > 0, likeness == .beginning || file.isCompressed || file.size >= position.offset,
            case .content(let content)? = try? OpenedContent.open(file.location.path, in: tailer.files)
        else { return false }
        defer { content.close() }
        switch likeness {
        case .beginning: return (try? content.begins(with: position.prefix)) ?? false
        case .upToPosition: return (try? isSame(content, position)) ?? false
        }
    }

    private func carryOn(_ stream: FileStream, _ file: FoundFile) {
        tailer.close(stream)
        if tailer.streams[stream.fileID] === stream { tailer.streams[stream.fileID] = nil }
        stream.position.device = file.file.device
        stream.position.inode = file.file.inode
        stream.position.modified = file.modified
        stream.isVerified = true
        settle(stream, file)
        tailer.wake(stream, now: now)
    }

    private func begin(_ source: TailedSource, _ file: FoundFile, atEnd: Bool) {
        let position = FilePosition(
            path: source.pathHash, device: file.file.device, inode: file.file.inode, offset: 0, modified: file.modified,
            prefix: .empty, tail: .empty)
        let stream = FileStream(
            id: tailer.nextStreamID(), source: source, position: position, isKnownOutside: false, now: now)
        source.streams.append(stream)
        source.hasHistory = true
        source.newestModified = max(source.newestModified, file.modified)
        if atEnd { moveToEnd(stream, file) }
        settle(stream, file)
        if !file.isCompressed { stream.endSeen = max(file.size, stream.position.offset) }
        stream.needsRead = false
        if file.size > stream.position.offset || file.isCompressed { tailer.wake(stream, now: now) }
    }

    private func settle(_ stream: FileStream, _ file: FoundFile) {
        stream.location = file.location
        stream.lastChange = now
        tailer.streams[file.file] = stream
        folder.streams[file.location.name] = stream
        tailer.attend(stream, now: now)
        if let watch = folder.watch {
            tailer.notifier.watchTarget(of: file.location.path, name: file.location.name, in: watch)
        }
    }

    /// Begins after the last complete line that stands there now.
    private func moveToEnd(_ stream: FileStream, _ file: FoundFile) {
        guard !file.isCompressed, file.size > 0,
            case .content(let content)? = try? OpenedContent.open(file.location.path, in: tailer.files)
        else { return }
        defer { content.close() }
        let count = Int(min(file.size, Int64(256 << 10)))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { memory.deallocate() }
        guard let read = try? content.read(into: memory, at: file.size - Int64(count)), read == count else { return }
        let newline = memory.lastIndex(of: 0x0A).map { $0 + 1 } ?? (count == Int(file.size) ? 0 : count)
        let offset = file.size - Int64(count - newline)
        let tail = Int(min(offset, Int64(FilePosition.tailBytesMax)))
        guard let mark = try? content.mark(at: offset - Int64(tail), count: tail),
            let prefix = try? content.mark(at: 0, count: FilePosition.prefixBytesMax)
        else { return }
        stream.position.offset = offset
        stream.position.tail = mark
        stream.position.prefix = prefix
        stream.isKnownOutside = true
        tailer.events.append(
            .positioned(
                StreamCheckpoint(
                    stream: stream.id, source: stream.source.origin.source, position: stream.position.encoded)))
    }

    /// Puts older streams first; those without a name stay where they are.
    private func sort(_ source: TailedSource) {
        let places = source.streams.indices.filter { source.streams[$0].location != nil }
        let sorted = places.map { source.streams[$0] }.sorted { left, right in
            SourceHistory.isOlder(
                (left.location!, left.position.modified), than: (right.location!, right.position.modified))
        }
        for (place, stream) in zip(places, sorted) { source.streams[place] = stream }
    }
}
