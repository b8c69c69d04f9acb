import Base
import SystemPackage

/// What a look at a folder means for the streams of a source.
extension FileTailer {
    /// What the files of a source are. Only looks.
    func decide(_ source: TailedSource, _ siblings: FolderScan.Siblings) -> [Lineage.Decision] {
        let standing = Dictionary(siblings.streams.map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        let found = Dictionary(siblings.found.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        let streams = Dictionary(uniqueKeysWithValues: source.streams.map { ($0.id, $0) })
        var lineage = Lineage(
            streams: source.streams.map { stream in
                Lineage.Known(
                    id: stream.id, place: place(of: stream, standing[stream.id].flatMap { found[$0] }),
                    prefixLength: stream.position.prefix.length, offset: stream.position.offset,
                    openSize: (stream.content as? PlainContent).flatMap { try? $0.status().size } ?? 0,
                    isDone: stream.position.progress != .reading,
                    isCompressed: stream.position.form == .compressed, isOpen: stream.content != nil,
                    isDoubtful: isDoubtful(stream),
                    modified: stream.position.modified, lastName: stream.lastName)
            },
            isKnown: source.isKnown, passed: source.passed, rememberedMax: settings.rememberedMax,
            fits: { [self] in (fits(streams[$0]!, $1) ?? false) && agrees(streams[$0]!, $1) },
            holdsAll: { [self] in holdsAll(streams[$0]!, $1) },
            begins: { [self] in begins($0, with: $1) })
        return lineage.resolve(siblings.found.filter { siblings.streams[$0.file] == nil })
    }

    /// What applications write to may have been cut and written anew; another file where it stood is known by the time of its birth.
    private func isDoubtful(_ stream: FileStream) -> Bool {
        if let age = stream.location?.age, age != .current, stream.position.born != 0 { return false }
        return stream.isBlank || !stream.isVerified && stream.position.prefix.length < FilePosition.prefixBytesMax
    }

    /// Puts it into effect.
    func conclude(
        _ source: TailedSource, _ siblings: FolderScan.Siblings, _ decisions: [Lineage.Decision], now: Instant
    ) {
        let isFirstLook = !source.isKnown
        let streams = Dictionary(uniqueKeysWithValues: source.streams.map { ($0.id, $0) })
        for decision in decisions {
            switch decision {
            case .moves(let id, let copy): move(streams[id]!, to: copy, now: now)
            case .gone(let id, let mayBeAmongNew): gone(streams[id]!, isTold: !mayBeAmongNew, now: now)
            case .begins(let file): begin(source, file, siblings.peeked[file.file], isFirstLook: isFirstLook, now: now)
            case .unwanted(let file): remember(file, of: source, now: now)
            case .passed(let file): source.passed.insert(file.trace)
            }
        }
        for (file, mark) in siblings.peeked {
            for stream in self.streams(in: file) where stream.isBlank {
                stream.position.prefix = mark
                stream.isUnpeekable = mark.length == 0
            }
        }
        source.isKnown = true
        source.passed.formIntersection(siblings.found.map(\.trace))
        release(source, now: now)
    }

    /// Where everything of the source stands is known: it may be read on.
    func release(_ source: TailedSource, now: Instant) {
        source.isHeld = false
        for stream in source.streams { stream.verify() }
        if source.streams.contains(where: \.needsRead) { enqueue(source, now: now) }
    }

    private func place(of stream: FileStream, _ found: FoundFile?) -> Lineage.Known.Place {
        if let found { return .named(found) }
        if stream.location != nil { return .elsewhere }
        guard let content = stream.content else { return .missing }
        if content is PlainContent, let size = try? content.status().size, size > stream.endSeen {
            stream.needsRead = true
        }
        return stream.needsRead || stream.endSeen > stream.position.offset ? .unnamed : .unnamedAtEnd
    }

    // MARK: - Placing

    /// The stream stands in this file: under its name, or a new one.
    func settle(_ stream: FileStream, in found: FoundFile, now: Instant) {
        let moved = stream.location != found.location
        // It was cut behind what was read of it: what stood there unread is gone.
        let isShorter = !moved && stream.position.file == found.file && found.size < stream.sizeFound
        if isShorter, stream.location?.age == .current, stream.sizeFound > stream.position.offset {
            events.append(.truncated(stream.source.origin.source))
        }
        stream.sizeFound = found.size
        if stream.position.file != found.file {
            // Its birth wasn't known.
            forget(stream, in: stream.position.file)
            stream.position.file = found.file
            enlist(stream)
        }
        stream.position.form = found.location.form
        if moved {
            unplace(stream)
            // What it was renamed from is where others write now; the clock of `linger` begins.
            stream.lastChange = now
            stream.location = found.location
        }
        // Another file, even one with the same inode, isn't watched though the link is the same.
        if moved || stream.isWatchedLink { watchTarget(of: found, by: stream) }
        folders[found.location.folder]?.streams[found.location.name] = stream
        let isFinal = stream.position.progress != .reading && found.location.isCompressed
        let isUnread =
            moved && stream.position.progress == .reading
            ? found.size > stream.position.offset : found.size != stream.endSeen
        if !stream.isVerified || isUnread || found.modified != stream.position.modified || stream.troubledSince != nil {
            let isWanted = stream.position.progress != .unwanted || !found.location.isCompressed
            if isWanted, !isFinal { wake(stream, now: now) }
        }
        if stream.isBlank, found.size == 0 { stream.needsRead = false }
        if moved || stream.needsRead { attend(stream, now: now) }
    }

    private func watchTarget(of found: FoundFile, by stream: FileStream) {
        let location = found.location
        stream.isWatchedLink = false
        guard location.age == .current, let folder = folders[location.folder], let watch = folder.watch,
            notifier.watchTarget(of: location.path, name: location.name, in: watch)
        else { return }
        stream.isWatchedLink = true
        // What came between the look at it and the watch is told by nobody.
        let status = try? files.status(FilePath(location.path))
        if status.map(FileID.init) != found.file || status?.size != found.size { folder.isDirty = true }
    }

    private func begin(
        _ source: TailedSource, _ file: FoundFile, _ prefix: ContentMark?, isFirstLook: Bool, now: Instant
    ) {
        var position = FilePosition(path: source.pathHash, file: file.file, modified: file.modified)
        position.form = file.location.form
        let stream = FileStream(id: nextStreamID(), source: source, position: position, isRestored: false, now: now)
        add(stream)
        stream.location = file.location
        folders[file.location.folder]?.streams[file.location.name] = stream
        watchTarget(of: file, by: stream)
        // By its inode alone it could be any file later on. What was rotated away is not cut, and may be looked at now.
        let isCurrent = file.location.age == .current
        if let prefix = prefix ?? (isCurrent ? nil : firstBytes(of: file)) { stream.position.prefix = prefix }
        if file.location.isCompressed {
            stream.needsRead = true
        } else {
            stream.endSeen = file.size
            // Held open from the start, it can't vanish unread.
            if file.size > 0, opened.count < settings.descriptorsMax { _ = open(stream, now: now) }
            if isFirstLook, beginsAtEnd(source, file) { moveToEnd(stream, file) }
            stream.needsRead = file.size > stream.position.offset
        }
        events.append(.positioned(stream.checkpoint))
        attend(stream, now: now)
    }

    private func beginsAtEnd(_ source: TailedSource, _ file: FoundFile) -> Bool {
        if source.settings.start == .end { return true }
        return source.settings.ignoreOlder.map { file.modified + $0 < wallTime() } ?? false
    }

    /// Puts the stream after the last complete line that stands there now.
    private func moveToEnd(_ stream: FileStream, _ file: FoundFile) {
        guard case .content(let content)? = try? OpenedContent.open(file.location.path, in: files) else { return }
        defer { content.close() }
        let count = Int(min(file.size, Int64(256 << 10)))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 8)
        defer { memory.deallocate() }
        let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        guard let read = try? content.read(into: bytes, at: file.size - Int64(count)), read == count else { return }
        let newline = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? (count == Int(file.size) ? 0 : count)
        let offset = file.size - Int64(count - newline)
        let tail = Int(min(offset, Int64(FilePosition.tailBytesMax)))
        guard let mark = try? content.mark(at: offset - Int64(tail), count: tail) else { return }
        stream.position.tail = mark
        stream.position.offset = offset
    }

    /// A file from before the source was known: what is written to it from now on is wanted, what stands there is not.
    private func remember(_ file: FoundFile, of source: TailedSource, now: Instant) {
        var position = FilePosition(path: source.pathHash, file: file.file, modified: file.modified)
        position.form = file.location.form
        position.progress = .unwanted
        let stream = FileStream(id: nextStreamID(), source: source, position: position, isRestored: false, now: now)
        add(stream)
        stream.location = file.location
        stream.endSeen = file.size
        folders[file.location.folder]?.streams[file.location.name] = stream
        if case .content(let content)? = try? OpenedContent.open(file.location.path, in: files) {
            if let prefix = try? content.mark(at: 0, count: FilePosition.prefixBytesMax) {
                stream.position.prefix = prefix
            }
            content.close()
        }
        if !file.location.isCompressed {
            moveToEnd(stream, file)
            stream.position.progress = .finished
        }
        events.append(.positioned(stream.checkpoint))
    }

    // MARK: - Moving

    /// Goes on in a copy of what it was read from.
    private func move(_ stream: FileStream, to copy: FoundFile, now: Instant) {
        close(stream)
        unplace(stream)
        forget(stream, in: stream.position.file)
        let isUnchanged = stream.position.progress != .reading && stream.position.modified == copy.modified
        stream.position.file = copy.file
        stream.position.modified = copy.modified
        stream.position.form = copy.location.form
        enlist(stream)
        stream.location = copy.location
        stream.isVerified = true
        stream.wasToldOf = false
        stream.hasOpenEvent = false
        stream.wantsEvent = false
        stream.lastChange = now
        folders[copy.location.folder]?.streams[copy.location.name] = stream
        if !copy.location.isCompressed { stream.endSeen = max(copy.size, stream.position.offset) }
        if !isUnchanged, stream.position.progress != .unwanted { wake(stream, now: now) }
        events.append(.positioned(stream.checkpoint))
        attend(stream, now: now)
    }

    /// What stands in the stream's file now is something else: what was there goes on in a copy, or is gone.
    func detach(_ stream: FileStream, now: Instant) {
        if stream.location?.age == .current, !(stream.content is GzipContent) {
            events.append(.truncated(stream.source.origin.source))
            stream.wasToldOf = true
        }
        close(stream)
        unplace(stream)
        forget(stream, in: stream.position.file)
        stream.position.file = FileID(device: 0, inode: 0, born: 0)
        stream.hasOpenEvent = false
        stream.wantsEvent = false
        stream.needsRead = false
        stream.source.isHeld = true
        // What passed for a copy of it may be more than that.
        stream.source.passed = []
        stream.lastChange = now
        folders[stream.source.folder]?.isDirty = true
        attend(stream, now: now)
    }

    /// No name leads to the stream's file any more. While it is open it is read on; else a copy is looked for.
    func loseName(of stream: FileStream, now: Instant) {
        unplace(stream)
        stream.lastChange = now
        if stream.isMissing { stream.source.isHeld = true }
        attend(stream, now: now)
    }

    private func unplace(_ stream: FileStream) {
        guard let location = stream.location else { return }
        if folders[location.folder]?.streams[location.name] === stream {
            folders[location.folder]?.streams[location.name] = nil
        }
        stream.location = nil
    }

    // MARK: - Ends

    /// Nothing leads to the stream's bytes, and no copy holds them.
    func gone(_ stream: FileStream, isTold: Bool, now: Instant) {
        if isTold, stream.position.progress == .reading, let detail = lossDetail(stream) {
            events.append(.gap(stream.source.origin.source, detail: detail))
        }
        retire(stream)
    }

    private func lossDetail(_ stream: FileStream) -> String? {
        let offset = stream.position.offset
        if stream.endSeen > offset {
            return "at least \(stream.endSeen - offset) bytes were gone before they were read"
        }
        if stream.wasToldOf { return nil }
        if !stream.isVerified {
            return "the file that was read up to byte \(offset) was removed or cut unseen"
        }
        return stream.needsRead ? "the file changed after byte \(offset), and was gone before it could be read" : nil
    }

    /// Its checkpoint may go once everything before it is sealed.
    func retire(_ stream: FileStream) {
        close(stream)
        unplace(stream)
        forget(stream, in: stream.position.file)
        attended[stream.id] = nil
        openEvents[stream.id] = nil
        stream.needsRead = false
        stream.source.streams.removeAll { $0 === stream }
        events.append(.retired(stream.id))
    }

    /// It was read to its end and gets no more. A few such are remembered while their files stand.
    func finish(_ stream: FileStream) {
        close(stream)
        attended[stream.id] = nil
        stream.wantsLastLine = false
        guard stream.location != nil else { return retire(stream) }
        stream.position.progress = .finished
        events.append(.positioned(stream.checkpoint))
        forgetOldest(of: stream.source)
    }

    /// Compressed files get no more; plain ones may, however late, and are remembered longer.
    private func forgetOldest(of source: TailedSource) {
        let finished = source.streams.filter {
            $0.position.progress != .reading && $0.location != nil && !$0.needsRead && $0.endSeen <= $0.position.offset
        }
        let compressed = finished.filter { $0.location?.isCompressed == true }
        for old in compressed.dropLast(settings.rememberedMax) { retire(old) }
        for old in finished.dropLast(settings.rememberedPlainMax) where old.location?.isCompressed == false {
            retire(old)
        }
    }
}
