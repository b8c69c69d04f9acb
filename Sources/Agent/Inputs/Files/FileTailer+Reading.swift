import Base
import SystemPackage

extension FileTailer {
    enum Turn {
        case block(LineBlock)
        /// Nothing now, but it isn't at its end.
        case later
        /// It is at its end, or can't be read.
        case nothing
    }

    /// One step of one stream.
    func read(_ stream: FileStream, now: Instant) -> Turn {
        do throws(FileError) {
            guard let content = try content(of: stream, now: now) else { return stream.needsRead ? .later : .nothing }
            let outcome = try reader.read(stream, content)
            recovered(stream)
            switch outcome {
            case .block(let block):
                delivered(stream, now: now)
                return .block(block)
            case .oddLine(let block, let event):
                events.append(event)
                delivered(stream, now: now)
                return .block(block)
            case .skipped(let event):
                events.append(event)
                stream.lastChange = now
                return .later
            case .unfinished: return .later
            case .end: return try reachedEnd(stream, content, now: now)
            case .changed:
                changedContent(stream, now: now)
                return .later
            }
        } catch {
            failed(stream, error)
            return .nothing
        }
    }

    private func delivered(_ stream: FileStream, now: Instant) {
        stream.isKnownOutside = true
        stream.wantsLastLine = false
        stream.lastChange = now
    }

    private func reachedEnd(
        _ stream: FileStream, _ content: any FileContent, now: Instant
    ) throws(FileError) -> Turn {
        let status = try content.status()
        let grew = !(content is GzipContent) && status.size > stream.endSeen
        stream.position.modified = status.modified
        stream.source.newestModified = max(stream.source.newestModified, status.modified)
        if grew { return .later }
        if content.isFinal || stream.wantsLastLine {
            stream.wantsLastLine = false
            switch try reader.readLastLine(stream, content) {
            case .oddLine(let block, let event):
                events.append(event)
                stream.isKnownOutside = true
                return .block(block)
            case .skipped(let event): events.append(event)
            case .block, .end, .unfinished, .changed: break
            }
        }
        stream.needsRead = false
        if content.isFinal {
            stream.isFinished = true
            close(stream)
        }
        return .nothing
    }

    // MARK: - Descriptors

    /// The stream's open file; nil where it can't be had now: `needsRead` stays set where it is to be tried again at the next turn.
    private func content(of stream: FileStream, now: Instant) throws(FileError) -> (any FileContent)? {
        if let content = stream.content { return content }
        guard opened.count < settings.descriptorsMax || closeIdlest() else { return nil }
        return open(stream, now: now)
    }

    /// Opens the file that the stream's name leads to, if it is still the one.
    func open(_ stream: FileStream, now: Instant) -> (any FileContent)? {
        guard let location = stream.location else {
            stream.needsRead = false
            return nil
        }
        do throws(FileError) {
            guard case .content(let content) = try OpenedContent.open(location.path, in: files) else {
                stream.needsRead = false
                return nil
            }
            let status = try content.status()
            guard FileID(status) == stream.fileID else {
                content.close()
                stream.needsRead = false
                folders[location.folder]?.isDirty = true
                return nil
            }
            stream.content = content
            opened.append(stream)
            attend(stream, now: now)
            return content
        } catch {
            failed(stream, error)
            return nil
        }
    }

    func close(_ stream: FileStream) {
        guard stream.content != nil else { return }
        stream.close()
        opened.removeAll { $0 === stream }
    }

    /// Makes room for another file by closing one that is read to its end and has a name by which it is found again.
    private func closeIdlest() -> Bool {
        guard let stream = opened.first(where: { !$0.needsRead && $0.location != nil && !$0.wantsLastLine }) else {
            return false
        }
        close(stream)
        return true
    }

    // MARK: - Trouble

    private func failed(_ stream: FileStream, _ error: FileError) {
        stream.needsRead = false
        if error.code == .noSuchFile {
            if let folder = stream.location?.folder { folders[folder]?.isDirty = true }
            return
        }
        close(stream)
        if !stream.isInTrouble {
            stream.isInTrouble = true
            events.append(.trouble(source: stream.source.origin.source.text, detail: "\(error)"))
        }
    }

    private func recovered(_ stream: FileStream) {
        guard stream.isInTrouble else { return }
        stream.isInTrouble = false
        events.append(.recovered(source: stream.source.origin.source.text))
    }

    /// The file was cut or written anew. What was read of it may go on in a copy; what stands there now is another stream.
    func changedContent(_ stream: FileStream, now: Instant) {
        let folder = stream.location?.folder
        let wasCompressed = stream.content is GzipContent
        close(stream)
        if !wasCompressed { events.append(.truncated(stream.source.origin.source)) }
        lose(stream, now: now)
        stream.position.inode = 0
        stream.position.device = 0
        if wasCompressed { stream.copySearchUntil = .zero }
        if let folder, let tailed = folders[folder] { scan(tailed, now: now) }
    }

    /// No name leads to the stream's file any more.
    func lose(_ stream: FileStream, now: Instant) {
        if let location = stream.location {
            if folders[location.folder]?.streams[location.name] === stream {
                folders[location.folder]?.streams[location.name] = nil
            }
        }
        stream.location = nil
        if stream.content == nil {
            if streams[stream.fileID] === stream { streams[stream.fileID] = nil }
            stream.needsRead = false
            stream.copySearchUntil = now + settings.linger + .seconds(1)
        }
        stream.lastChange = now
        let source = stream.source
        source.newestGone = max(source.newestGone ?? .none, stream.position.modified)
        attend(stream, now: now)
    }

    // MARK: - Time

    /// What time alone brings: closing, last lines, forgetting.
    func keepHouse(now: Instant) {
        for stream in Array(attended.values) { keepHouse(stream, now: now) }
        nextHousekeeping = attended.isEmpty ? .distantFuture : now + .seconds(1)
    }

    private func keepHouse(_ stream: FileStream, now: Instant) {
        guard !stream.needsRead else { return }
        let idle = now - stream.lastChange
        switch stream.location?.age {
        case .current?:
            if idle >= settings.idleClose { close(stream) }
            if stream.content == nil { attended[stream.id] = nil }
        case .rotated?, .stray?:
            guard idle >= settings.linger else { return }
            if finishesLastLine(stream, now: now) { return }
            close(stream)
            attended[stream.id] = nil
        case nil:
            guard idle >= settings.linger else { return }
            if stream.content != nil {
                if finishesLastLine(stream, now: now) { return }
                close(stream)
                streams[stream.fileID] = nil
            }
            retire(stream, now: now)
        }
    }

    /// True where there still is something to read, or a last line without newline to deliver first.
    private func finishesLastLine(_ stream: FileStream, now: Instant) -> Bool {
        guard !stream.isFinished, !(stream.content is GzipContent), stream.content != nil || stream.location != nil
        else {
            return false
        }
        if let size = try? stream.content?.status().size, size > stream.endSeen {
            wake(stream, now: now)
            return true
        }
        guard stream.endSeen > stream.position.offset, stream.location?.name.hasSuffix(".gz") != true else {
            return false
        }
        stream.wantsLastLine = true
        stream.lastChange = now
        wake(stream, now: now)
        return true
    }

    /// Forgets a stream without a file, once a younger one of its source stands in the state directory: as long as it is the only one,
    /// it tells which rotated files are new.
    private func retire(_ stream: FileStream, now: Instant) {
        let source = stream.source
        if stream.endSeen > stream.position.offset, !stream.isFinished {
            events.append(
                .gap(
                    source.origin.source,
                    detail: "at least \(stream.endSeen - stream.position.offset) bytes were gone before they were read")
            )
            stream.endSeen = stream.position.offset
        }
        let hasYounger = source.streams.contains { $0.id > stream.id && $0.isKnownOutside && $0.position.offset > 0 }
        guard hasYounger || !stream.isKnownOutside || now - stream.lastChange >= settings.forgetAfter else { return }
        attended[stream.id] = nil
        source.streams.removeAll { $0 === stream }
        if stream.isKnownOutside { events.append(.retired(stream.id)) }
        if source.streams.isEmpty, source.ignored.isEmpty { sources[source.path] = nil }
    }
}
