import Base
import SystemPackage

/// Lines, from the oldest file of a source on.
extension FileTailer {
    enum Turn {
        case block(LineBlock)
        /// Nothing now, but it isn't at its end.
        case later
        /// It can't be had now, and what is younger has to wait.
        case blocked
        /// It is at its end, or can't be read.
        case nothing
    }

    /// Reads from the oldest stream of the source that has something. A younger one is not read while an older one is missing or
    /// can't be had, nor before the older ones were looked at once more.
    func takeTurn(_ source: TailedSource, now: Instant) -> LineBlock? {
        guard !source.isHeld else { return nil }
        let streams = source.streams
        for (index, stream) in streams.enumerated() {
            if stream.isMissing { return nil }
            if !stream.needsRead {
                guard streams[(index + 1)...].contains(where: \.needsRead), stream.hasOpenEvent || hasGrown(stream)
                else { continue }
                stream.needsRead = true
                if stream.hasOpenEvent { stream.wantsEvent = true }
            }
            if needsFirstLook(stream) {
                holdForLook(source)
                return nil
            }
            switch read(stream, now: now) {
            case .block(let block):
                enqueue(source, now: now)
                return block
            case .later:
                enqueue(source, now: now)
                return nil
            case .blocked:
                source.notBefore = now + .milliseconds(50)
                enqueue(source, now: now)
                return nil
            case .nothing:
                if source.isHeld { return nil }
                // Its writer went on to a younger file.
                if stream.hasOpenEvent, streams[(index + 1)...].contains(where: \.needsRead) {
                    wantEvent(stream, now: now)
                    return nil
                }
            }
        }
        if !source.isQueued { source.notBefore = now + settings.readDelay }
        return nil
    }

    /// Its first bytes are taken for its own only after a look at what stands beside it.
    func needsFirstLook(_ stream: FileStream) -> Bool {
        stream.isBlank && stream.location?.age == .current && !stream.isUnpeekable
    }

    func holdForLook(_ source: TailedSource) {
        source.isHeld = true
        folders[source.folder]?.isDirty = true
    }

    /// One step of one stream.
    private func read(_ stream: FileStream, now: Instant) -> Turn {
        do throws(FileError) {
            guard let content = try content(of: stream, now: now) else { return stream.needsRead ? .blocked : .nothing }
            let progress = stream.position.progress
            stream.position.progress = .reading
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
                delivered(stream, now: now)
                return .later
            case .unfinished: return .later
            case .end:
                let turn = try reachedEnd(stream, content, now: now)
                if progress != .reading, stream.position.offset == stream.endSeen {
                    stream.position.progress = progress
                }
                return turn
            case .changed:
                detach(stream, now: now)
                return .nothing
            }
        } catch {
            return failed(stream, error, now: now)
        }
    }

    private func delivered(_ stream: FileStream, now: Instant) {
        stream.wantsLastLine = false
        stream.lastChange = now
        attend(stream, now: now)
    }

    private func reachedEnd(_ stream: FileStream, _ content: any FileContent, now: Instant) throws(FileError) -> Turn {
        let status = try content.status()
        // Between the read and this look it may have grown, or been cut and written anew: that time is not the one of what was read.
        if !(content is GzipContent), status.size != stream.endSeen { return .later }
        stream.position.modified = status.modified
        if content.isFinal || stream.wantsLastLine {
            if stream.hasOpenEvent {
                stream.wantsEvent = true
                return .later
            }
            stream.wantsLastLine = false
            switch try reader.readLastLine(stream, content) {
            case .oddLine(let block, let event):
                events.append(event)
                return .block(block)
            case .skipped(let event): events.append(event)
            case .block, .end, .unfinished, .changed: break
            }
        }
        stream.needsRead = false
        if stream.hasOpenEvent {
            waitForMore(of: stream, now: now)
        } else {
            stream.wantsEvent = false
        }
        if content.isFinal { finish(stream) }
        // Now a copy of it may be taken for it.
        if stream.location == nil { folders[stream.source.folder]?.isDirty = true }
        return .nothing
    }

    // MARK: - Events of several lines

    /// The event is done when nothing came for its timeout.
    private func waitForMore(of stream: FileStream, now: Instant) {
        guard let multiline = stream.source.settings.multiline else { return }
        guard openEvents[stream.id] == nil || stream.endSeen > stream.eventEnd else { return }
        stream.eventEnd = stream.endSeen
        stream.eventDeadline = now + multiline.timeout
        openEvents[stream.id] = stream
        nextEventEnd = min(nextEventEnd, stream.eventDeadline)
    }

    func wantEvent(_ stream: FileStream, now: Instant) {
        openEvents[stream.id] = nil
        stream.wantsEvent = true
        wake(stream, now: now)
    }

    func endEvents(now: Instant) {
        for id in openEvents.keys.sorted() {
            guard let stream = openEvents[id], stream.eventDeadline <= now || !stream.hasOpenEvent else { continue }
            openEvents[id] = nil
            if stream.hasOpenEvent, stream.location != nil || stream.content != nil { wantEvent(stream, now: now) }
        }
        nextEventEnd = openEvents.values.map(\.eventDeadline).min() ?? .distantFuture
    }

    // MARK: - Trouble

    private func failed(_ stream: FileStream, _ error: FileError, now: Instant) -> Turn {
        close(stream)
        if error.code == .noSuchFile {
            stream.needsRead = false
            if let folder = stream.location?.folder { folders[folder]?.isDirty = true }
            stream.source.isHeld = true
            return .nothing
        }
        if stream.troubledSince == nil {
            stream.troubledSince = now
            events.append(.trouble(source: stream.source.origin.source.text, detail: "\(error)"))
        }
        // For a while what is younger waits for it, so that lines keep their order; then it is tried again at each look at the folder.
        if now - stream.troubledSince! < settings.linger, error.code != .damaged { return .blocked }
        stream.needsRead = false
        return .nothing
    }

    private func recovered(_ stream: FileStream) {
        guard stream.troubledSince != nil else { return }
        stream.troubledSince = nil
        events.append(.recovered(source: stream.source.origin.source.text))
    }
}
