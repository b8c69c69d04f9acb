import Base
import SystemPackage

/// What is open. A file with a name may be closed at any time, for it is found again; one without is kept until it is read.
extension FileTailer {
    /// The stream's open file; nil where it can't be had now: `needsRead` stays set where it is to be tried again.
    func content(of stream: FileStream, now: Instant) throws(FileError) -> (any FileContent)? {
        if let content = stream.content { return content }
        if stream.position.prefix.length < FilePosition.prefixBytesMax, folders[stream.source.folder]?.isDirty == true {
            // Names have changed: a file that begins like this one may stand under its name, and inode, by now.
            stream.source.isHeld = true
            return nil
        }
        let limit = settings.descriptorsMax
        guard opened.count < limit || closeOne() || opened.count < limit + FileTailerSettings.descriptorsReserve else {
            return nil
        }
        return try openThrowing(stream, now: now)
    }

    /// Opens the file that the stream's name leads to, if it is still the one.
    func open(_ stream: FileStream, now: Instant) -> (any FileContent)? { (try? openThrowing(stream, now: now)) ?? nil }

    private func openThrowing(_ stream: FileStream, now: Instant) throws(FileError) -> (any FileContent)? {
        guard let location = stream.location else {
            stream.needsRead = false
            return nil
        }
        guard case .content(let content) = try OpenedContent.open(location.path, in: files) else {
            stream.needsRead = false
            return nil
        }
        var isHeld = false
        defer { if !isHeld { content.close() } }
        // Its inode may have been given to another file while it was closed.
        guard FileID(try content.status()).mayBe(stream.position.file), try content.begins(with: stream.position.prefix)
        else {
            stream.source.isHeld = true
            folders[location.folder]?.isDirty = true
            return nil
        }
        isHeld = true
        stream.content = content
        opened.append(stream)
        attend(stream, now: now)
        return content
    }

    func close(_ stream: FileStream) {
        guard stream.content != nil else { return }
        stream.close()
        opened.removeAll { $0 === stream }
    }

    /// Makes room for another file: closes one that is read to its end, else any that has a name.
    private func closeOne() -> Bool {
        let named = opened.lazy.filter { $0.location != nil }
        let isIdle = { (stream: FileStream) in
            !stream.needsRead && !stream.wantsLastLine && !stream.hasOpenEvent && !self.hasGrown(stream)
        }
        let found = named.first { isIdle($0) && self.isFoundAgain($0) } ?? named.first(where: isFoundAgain)
        guard let stream = found else { return false }
        close(stream)
        return true
    }

    /// Whether an open stream's name still leads to its file. Where it doesn't, what is open is all there is of it.
    func isFoundAgain(_ stream: FileStream) -> Bool {
        guard let location = stream.location else { return false }
        if let status = try? files.status(FilePath(location.path)), FileID(status).mayBe(stream.position.file) {
            return true
        }
        folders[location.folder]?.isDirty = true
        return false
    }

    /// Whether an open file, which others may still flush into, is longer than when it was last looked at.
    func hasGrown(_ stream: FileStream) -> Bool {
        guard let content = stream.content as? PlainContent, let status = try? content.status() else { return false }
        return status.size > stream.endSeen
    }
}
