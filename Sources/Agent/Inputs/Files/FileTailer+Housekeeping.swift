import Base

/// What time alone brings: closing, last lines, forgetting.
extension FileTailer {
    func keepHouse(now: Instant) {
        for id in attended.keys.sorted() {
            if let stream = attended[id] { keepHouse(stream, now: now) }
        }
        nextHousekeeping = attended.isEmpty ? .distantFuture : now + .seconds(1)
        for path in sources.keys.sorted() {
            let source = sources[path]!
            guard source.streams.isEmpty, source.passed.isEmpty, !source.isQueued else { continue }
            sources[path] = nil
            sourcesByFolder[source.folder]?.remove(path)
        }
    }

    private func keepHouse(_ stream: FileStream, now: Instant) {
        guard !stream.needsRead else { return }
        let idle = now - stream.lastChange
        if stream.isMissing {
            // Its folder is gone: with it, whatever there was.
            if folders[stream.source.folder] == nil, wasDiscovered, idle >= settings.forgetAfter {
                gone(stream, isTold: true, now: now)
            }
            return
        }
        switch stream.location?.age {
        case .current?:
            if idle >= settings.idleClose, stream.content != nil {
                // Never with unread bytes, nor where nothing else leads to them.
                if hasGrown(stream) { return wake(stream, now: now) }
                if isFoundAgain(stream) { close(stream) }
            }
            if stream.content == nil { attended[stream.id] = nil }
        case .rotated?, .stray?, nil:
            guard idle >= settings.linger, !finishesLastLine(stream, now: now) else { return }
            finish(stream)
        }
    }

    /// True where there still is something to read, or a last line without newline to deliver first.
    private func finishesLastLine(_ stream: FileStream, now: Instant) -> Bool {
        guard stream.position.progress == .reading else { return false }
        if stream.hasOpenEvent {
            stream.lastChange = now
            wantEvent(stream, now: now)
            return true
        }
        if let gzip = stream.content as? GzipContent {
            if !gzip.isFinal {
                let detail = "a compressed file ends in the middle, after \(stream.endSeen) bytes of its content"
                events.append(.gap(stream.source.origin.source, detail: detail))
            }
            return false
        }
        if let size = try? stream.content?.status().size, size > stream.endSeen {
            wake(stream, now: now)
            return true
        }
        guard stream.endSeen > stream.position.offset, stream.location?.isCompressed != true else { return false }
        stream.wantsLastLine = true
        stream.lastChange = now
        wake(stream, now: now)
        return true
    }
}
