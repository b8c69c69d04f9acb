import Base

/// By what a file is known again: its inode, its time, and the bytes that were seen of it.
extension FileTailer {
    /// The first bytes of the content; nil where they can't be read, or another file stands there by now.
    func firstBytes(of found: FoundFile) -> ContentMark? {
        guard case .content(let content)? = try? OpenedContent.open(found.location.path, in: files) else { return nil }
        defer { content.close() }
        guard (try? content.status()).map(FileID.init) == found.file else { return nil }
        return try? content.mark(at: 0, count: FilePosition.prefixBytesMax)
    }

    /// Whether the file that applications write to still begins as it did, so that it was not cut since.
    func beginsAsBefore(_ found: FoundFile, _ prefix: ContentMark) -> Bool {
        guard prefix.length > 0, case .content(let content)? = try? OpenedContent.open(found.location.path, in: files)
        else {
            return true
        }
        defer { content.close() }
        return (try? content.begins(with: prefix)) ?? true
    }

    /// Whether the stream still stands in this file, which has its inode; nil where it can't be told. `asOwn`: the name is one of its
    /// source.
    func stands(_ stream: FileStream, in found: FoundFile, asOwn: Bool) -> Bool? {
        let position = stream.position
        if position.form != .unknown, position.form != found.location.form { return false }
        if !found.location.isCompressed, found.size < max(position.offset, Int64(position.prefix.length)) {
            return false
        }
        if let content = stream.content {
            // Nobody else gets its inode now; but it may have been cut and written anew.
            if content is GzipContent || (found.size == stream.endSeen && found.modified == position.modified) {
                return true
            }
            return (try? content.fits(position)) ?? true
        }
        let isUnchanged = found.size == position.offset && found.modified == position.modified
        if isUnchanged, found.size > 0 || position.progress != .reading { return true }
        // A compressed file got its time from its original, and another that got its inode from another.
        if position.form == .compressed, found.modified == position.modified { return true }
        // While it was closed its inode may have been given to another file; until that is settled it stands here by that alone.
        stream.isVerified = false
        let isSure = position.prefix.length == FilePosition.prefixBytesMax
        if !asOwn, !isSure { return false }
        // What was rotated away doesn't come back under the name it had, but its inode may, in a file that begins alike.
        let wasRotated =
            switch stream.location?.age {
            case .rotated?, .stray?: true
            case .current?, nil: position.progress != .reading
            }
        if wasRotated, found.location.age == .current, !isSure { return false }
        return fits(stream, found)
    }

    /// Whether the file's content is the stream's, as far as that was read; nil where the file is no longer under its name. In a long
    /// compressed file the bytes before the position are left to the first read. Asks the content, not the size that was found: a copy may
    /// have been finished, and its original cut, since the file was found.
    func fits(_ stream: FileStream, _ found: FoundFile) -> Bool? {
        let position = stream.position
        guard let opened = try? OpenedContent.open(found.location.path, in: files) else { return nil }
        guard case .content(let content) = opened else { return false }
        defer { content.close() }
        do throws(FileError) {
            guard FileID(try content.status()) == found.file else { return nil }
            let isLong = content is GzipContent && position.offset > 1 << 20
            if position.progress == .unwanted || isLong { return try content.begins(with: position.prefix) }
            return try content.fits(position)
        } catch { return nil }
    }

    /// Whether all that stands in the stream's open file begins another's content: of a long one, its first and last bytes.
    func holdsAll(_ stream: FileStream, _ found: FoundFile) -> Bool {
        guard let own = stream.content as? PlainContent,
            case .content(let content)? = try? OpenedContent.open(found.location.path, in: files)
        else { return false }
        defer { content.close() }
        do throws(FileError) {
            let size = try own.status().size
            if content is GzipContent, size > 1 << 20 { return false }
            let first = try own.mark(at: 0, count: FilePosition.prefixBytesMax)
            let count = Int(min(size, Int64(FilePosition.tailBytesMax)))
            let last = try own.mark(at: size - Int64(count), count: count)
            guard try content.begins(with: first) else { return false }
            return try content.mark(at: size - Int64(count), count: count) == last
        } catch { return false }
    }

    /// Whether a file may be a copy of what the stream still has open though it lost its name: as far as both go, up to the length of a
    /// prefix, they are the same. True where nothing is open.
    func agrees(_ stream: FileStream, _ found: FoundFile) -> Bool {
        guard stream.location == nil, let own = stream.content as? PlainContent,
            case .content(let content)? = try? OpenedContent.open(found.location.path, in: files)
        else { return true }
        defer { content.close() }
        do throws(FileError) {
            let first = try own.mark(at: 0, count: FilePosition.prefixBytesMax)
            if try content.begins(with: first) { return true }
            let others = try content.mark(at: 0, count: FilePosition.prefixBytesMax)
            return others.length < first.length ? try own.begins(with: others) : false
        } catch { return false }
    }

    /// Whether all of one file's content begins another's: of a long one, its first and last bytes.
    func begins(_ one: FoundFile, with other: FoundFile) -> Bool {
        guard case .content(let content)? = try? OpenedContent.open(one.location.path, in: files) else { return true }
        defer { content.close() }
        guard case .content(let whole)? = try? OpenedContent.open(other.location.path, in: files) else { return false }
        defer { whole.close() }
        do throws(FileError) {
            let first = try content.mark(at: 0, count: FilePosition.prefixBytesMax)
            guard try whole.begins(with: first) else { return false }
            guard content is PlainContent else { return true }
            let size = try content.status().size
            let tail = min(size, Int64(FilePosition.tailBytesMax))
            let last = try content.mark(at: size - tail, count: Int(tail))
            return try whole.mark(at: size - tail, count: Int(tail)) == last
        } catch { return false }
    }
}
