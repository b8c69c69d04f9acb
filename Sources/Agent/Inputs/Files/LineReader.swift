import Base

#if canImport(Glibc)
    import Glibc
#endif

/// What one look into a file brought.
enum ReadOutcome {
    /// Lines; the stream's position is after them.
    case block(LineBlock)
    /// The position moved over bytes that make no line.
    case skipped(InputEvent)
    /// A block, and something to tell about its only line.
    case oddLine(LineBlock, InputEvent)
    /// No complete line stands after the position.
    case end
    /// Come again: it takes more steps to get at the line.
    case unfinished
    /// The file is not, or no longer, what the position was made from.
    case changed
}

/// Finds complete lines after a stream's position. A read begins `tailBytesMax` before it, so that every boundary has its mark at hand, and
/// compares what stands there with the mark of the position: a file that was cut and written anew between two reads doesn't pass.
struct LineReader {
    /// Looked through at most by one call for the end of a very long line.
    private static let scanBytes: Int64 = 4 << 20

    let pool: LineBufferPool

    /// Moves the stream's position to the end of what it returns.
    func read(_ stream: FileStream, _ content: any FileContent) throws(FileError) -> ReadOutcome {
        stream.hasOpenEvent = false
        let offset = stream.position.offset
        let lead = Int(min(offset, Int64(FilePosition.tailBytesMax)))
        guard try content.approach(offset - Int64(lead)) else { return .unfinished }
        var buffer = pool.take()
        if stream.scanned > offset { return try readLong(stream, content, lead: lead) }

        var count = try content.read(into: buffer.bytes, at: offset - Int64(lead))
        guard try isSame(stream, content, buffer, lead: lead, count: count) else { return .changed }
        stream.endSeen = offset + Int64(count - lead)
        guard count > lead else { return .end }
        if buffer.base.load(fromByteOffset: lead, as: UInt8.self) == 0 {
            return try skipNULs(stream, content, buffer, lead: lead, count: count)
        }
        let limit = stream.source.settings.lineBytesMax.bytes
        var last = lastNewline(buffer.base + lead, count - lead)
        if last == nil {
            guard count == buffer.capacity else { return .end }
            if buffer.capacity < lead + limit + 1 {
                buffer = pool.take(bytes: lead + limit + 1)
                count = try content.read(into: buffer.bytes, at: offset - Int64(lead))
                stream.endSeen = offset + Int64(count - lead)
                last = lastNewline(buffer.base + lead, count - lead)
            }
            if last == nil {
                guard count == buffer.capacity else { return .end }
                stream.scanned = offset + Int64(count - lead)
                return .unfinished
            }
        }
        let lines = last! + 1
        let plain = plainBytes(buffer, lead, lines, limit)
        guard let multiline = stream.source.settings.multiline, plain > 0 else {
            return deliver(stream, buffer, lead: lead, byteCount: plain, of: lines)
        }
        return try joined(
            stream, content, buffer, lead: lead, plain: plain, hasOdd: plain < lines,
            isFull: count == buffer.capacity, multiline)
    }

    /// The last line of a file that gets no more, as if it ended with a newline.
    func readLastLine(_ stream: FileStream, _ content: any FileContent) throws(FileError) -> ReadOutcome {
        let offset = stream.position.offset
        let length = stream.endSeen - offset
        guard length > 0 else { return .end }
        let lead = Int(min(offset, Int64(FilePosition.tailBytesMax)))
        let limit = stream.source.settings.lineBytesMax.bytes
        let taken = Int(min(length, Int64(limit)))
        let buffer = pool.take(bytes: lead + taken + 1)
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<(lead + taken)])
        guard try content.read(into: wanted, at: offset - Int64(lead)) == wanted.count else { return .changed }
        let tail = try tailMark(content, end: offset + length)
        let block = oddBlock(stream, buffer, lead: lead, length: taken, end: offset + length, tail: tail).block
        let event = InputEvent.lineUnterminated(stream.source.origin.source, byteCount: length)
        return block.map { .oddLine($0, event) } ?? .skipped(event)
    }

    // MARK: - Identity

    /// Whether the bytes before the offset and the first ones are those of the position; lets the prefix grow with the file.
    private func isSame(
        _ stream: FileStream, _ content: any FileContent, _ buffer: LineBuffer, lead: Int, count: Int
    ) throws(FileError) -> Bool {
        let position = stream.position
        guard count >= lead, mark(of: buffer, lead) == position.tail else { return false }
        let known = position.prefix.length
        let isAtStart = position.offset == Int64(lead)
        if isAtStart, count >= known {
            guard mark(of: buffer, known) == position.prefix else { return false }
        } else if isAtStart {
            guard count == buffer.capacity, try content.begins(with: position.prefix) else { return false }
        }
        let wanted = Int(min(position.offset + Int64(count - lead), Int64(FilePosition.prefixBytesMax)))
        guard wanted > known else { return true }
        if isAtStart {
            stream.position.prefix = mark(of: buffer, wanted)
        } else {
            guard let prefix = try longer(position.prefix, wanted, content, buffer, at: position.offset - Int64(lead))
            else { return false }
            stream.position.prefix = prefix
        }
        return true
    }

    /// The mark of the first `count` bytes, if they go on from those that are known and are what `buffer` holds from `start` on: since
    /// that was read the file may have been cut and written anew.
    private func longer(
        _ known: ContentMark, _ count: Int, _ content: any FileContent, _ buffer: LineBuffer, at start: Int64
    ) throws(FileError) -> ContentMark? {
        let first = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { first.deallocate() }
        guard try content.read(into: first, at: 0) == count,
            ContentMark(UnsafeRawBufferPointer(rebasing: first[..<known.length])) == known
        else { return nil }
        let both = count - Int(min(start, Int64(count)))
        guard both == 0 || memcmp(first.baseAddress! + (count - both), buffer.base, both) == 0 else { return nil }
        return ContentMark(UnsafeRawBufferPointer(first))
    }

    private func mark(of buffer: LineBuffer, _ count: Int) -> ContentMark {
        ContentMark(UnsafeRawBufferPointer(start: buffer.base, count: count))
    }

    private func tailMark(_ content: any FileContent, end: Int64) throws(FileError) -> ContentMark {
        let count = min(end, Int64(FilePosition.tailBytesMax))
        return try content.mark(at: end - count, count: Int(count))
    }

    // MARK: - Lines

    /// How many of the first `lines` bytes can be delivered as they stand: up to a line that is too long or holds a run of NULs.
    private func plainBytes(_ buffer: LineBuffer, _ lead: Int, _ lines: Int, _ limit: Int) -> Int {
        let start = UnsafeRawPointer(buffer.base + lead)
        var end = lines
        if lines > limit + 1 {
            var index = 0
            while index < lines {
                let length = UnsafeRawPointer(memchr(start + index, 0x0A, lines - index)!) - (start + index)
                if length > limit { break }
                index += length + 1
            }
            end = index
        }
        var from = 0
        while from < end, let found = memchr(start + from, 0, end - from) {
            let index = UnsafeRawPointer(found) - start
            let lineStart = lastNewline(start, index).map { $0 + 1 } ?? 0
            if index == lineStart || start.load(fromByteOffset: index + 1, as: UInt8.self) == 0 { return lineStart }
            from = index + 1
        }
        return end
    }

    /// Events of several lines. The last one waits for what may belong to it, unless it is wanted as it is, an odd line follows, which is
    /// an event of its own, or it is as long as the longest line may be.
    private func joined(
        _ stream: FileStream, _ content: any FileContent, _ first: LineBuffer, lead: Int, plain: Int, hasOdd: Bool,
        isFull: Bool, _ multiline: Multiline
    ) throws(FileError) -> ReadOutcome {
        let limit = stream.source.settings.lineBytesMax.bytes
        var (buffer, byteCount, isFull) = (first, plain, isFull)
        func ends(_ isLastWhole: Bool) -> [Int] {
            let lines = UnsafeRawBufferPointer(start: buffer.base + lead, count: byteCount)
            return multiline.ends(in: lines, bytesMax: limit, isLastWhole: isLastWhole)
        }
        var found = ends(stream.wantsEvent && !isFull || hasOdd)
        // Room for the longest event and the line after it, which says that it is one.
        let roomy = lead + 2 * (limit + 1)
        if found.isEmpty, isFull, buffer.capacity < roomy {
            buffer = pool.take(bytes: roomy)
            let count = try content.read(into: buffer.bytes, at: stream.position.offset - Int64(lead))
            guard count > lead, let last = lastNewline(buffer.base + lead, count - lead) else { return .changed }
            stream.endSeen = stream.position.offset + Int64(count - lead)
            isFull = count == buffer.capacity
            byteCount = plainBytes(buffer, lead, last + 1, limit)
            guard byteCount > 0 else { return .changed }
            found = ends(stream.wantsEvent && !isFull || byteCount <= last)
        }
        // What follows then is longer than the longest line.
        if found.isEmpty, isFull { found = ends(true) }
        guard let end = found.last else {
            stream.hasOpenEvent = true
            return .end
        }
        stream.wantsEvent = false
        return deliver(stream, buffer, lead: lead, byteCount: end, of: end, recordEnds: found)
    }

    private func deliver(
        _ stream: FileStream, _ buffer: LineBuffer, lead: Int, byteCount: Int, of lines: Int, recordEnds: [Int]? = nil
    ) -> ReadOutcome {
        if byteCount == 0 {
            let start = UnsafeRawPointer(buffer.base + lead)
            let length = UnsafeRawPointer(memchr(start, 0x0A, lines)!) - start
            return deliverOdd(stream, buffer, lead: lead, length: length)
        }
        let block = LineBlock(
            stream: stream.id, origin: stream.source.origin, buffer: buffer, start: lead, byteCount: byteCount,
            positions: .file(stream.position), recordEnds: recordEnds)
        let boundary = lead + byteCount
        let tail = min(boundary, FilePosition.tailBytesMax)
        stream.move(
            to: stream.position.advanced(
                by: Int64(byteCount), tail: UnsafeRawBufferPointer(start: buffer.base + (boundary - tail), count: tail))
        )
        return .block(block)
    }

    /// The first line of the buffer, which is too long or holds runs of NULs.
    private func deliverOdd(_ stream: FileStream, _ buffer: LineBuffer, lead: Int, length: Int) -> ReadOutcome {
        let settings = stream.source.settings
        let boundary = lead + length + 1
        let tailCount = min(boundary, FilePosition.tailBytesMax)
        let tail = ContentMark(UnsafeRawBufferPointer(start: buffer.base + (boundary - tailCount), count: tailCount))
        let end = stream.position.offset + Int64(length + 1)
        let isLong = length > settings.lineBytesMax.bytes
        if isLong, settings.longLines == .skip { return skip(stream, to: end, tail: tail, length: Int64(length)) }
        let taken = min(length, settings.lineBytesMax.bytes)
        let key = stream.source.origin.source
        let (block, nulBytes) = oddBlock(stream, buffer, lead: lead, length: taken, end: end, tail: tail)
        let event =
            isLong
            ? InputEvent.lineCut(key, byteCount: Int64(length)) : .nulBytesSkipped(key, byteCount: Int64(nulBytes))
        return block.map { .oddLine($0, event) } ?? .skipped(event)
    }

    private func skip(_ stream: FileStream, to end: Int64, tail: ContentMark, length: Int64) -> ReadOutcome {
        var next = stream.position
        next.offset = end
        next.tail = tail
        stream.move(to: next)
        return .skipped(.lineSkipped(stream.source.origin.source, byteCount: length))
    }

    /// A block of the one line that the buffer holds from `lead` on, without its runs of NULs; moves the stream to `end`.
    /// Nil where nothing but NULs is left of a line without newline.
    private func oddBlock(
        _ stream: FileStream, _ buffer: LineBuffer, lead: Int, length: Int, end: Int64, tail: ContentMark
    ) -> (block: LineBlock?, nulBytes: Int) {
        let base = stream.position
        let line = (buffer.base + lead).assumingMemoryBound(to: UInt8.self)
        var kept = 0
        var index = 0
        while index < length {
            var run = index
            while run < length, line[run] == 0 { run += 1 }
            if run - index >= 2 || (run > index && index == 0) {
                index = run
                continue
            }
            line[kept] = line[index]
            kept += 1
            index += 1
        }
        line[kept] = 0x0A
        var next = base
        next.offset = end
        next.tail = tail
        stream.move(to: next)
        guard kept > 0 else { return (nil, length) }
        let block = LineBlock(
            stream: stream.id, origin: stream.source.origin, buffer: buffer, start: lead, byteCount: kept + 1,
            positions: .file(base), end: next.encoded)
        return (block, length - kept)
    }

    // MARK: - Very long lines and holes

    /// Goes on looking for the end of a line longer than the limit, or of a run of NULs, from where the last call stopped.
    private func readLong(_ stream: FileStream, _ content: any FileContent, lead: Int) throws(FileError) -> ReadOutcome
    {
        let offset = stream.position.offset
        let tail = try tailMark(content, end: offset)
        guard tail == stream.position.tail, try content.begins(with: stream.position.prefix) else { return .changed }
        let first = pool.take()
        let one = UnsafeMutableRawBufferPointer(rebasing: first.bytes[..<1])
        guard try content.read(into: one, at: offset) == 1 else { return .changed }
        let inHole = one[0] == 0
        let stop = stream.scanned + Self.scanBytes
        while stream.scanned < stop {
            guard try content.approach(stream.scanned) else { return .unfinished }
            let count = try content.read(into: first.bytes, at: stream.scanned)
            stream.endSeen = max(stream.endSeen, stream.scanned + Int64(count))
            guard count > 0 else {
                if try content.status().size < stream.scanned, content is PlainContent { return .changed }
                return .end
            }
            let bytes = UnsafeRawBufferPointer(start: first.base, count: count)
            let found = inHole ? bytes.firstIndex { $0 != 0 } : memchr(first.base, 0x0A, count).map { $0 - first.base }
            if let found {
                let end = stream.scanned + Int64(found)
                return inHole
                    ? try leaveHole(stream, content, at: end) : try deliverLong(stream, content, lead, newline: end)
            }
            stream.scanned += Int64(count)
        }
        return .unfinished
    }

    private func deliverLong(
        _ stream: FileStream, _ content: any FileContent, _ lead: Int, newline: Int64
    ) throws(FileError) -> ReadOutcome {
        let offset = stream.position.offset
        let tail = try tailMark(content, end: newline + 1)
        let settings = stream.source.settings
        if settings.longLines == .skip { return skip(stream, to: newline + 1, tail: tail, length: newline - offset) }
        let length = Int(min(newline - offset, Int64(settings.lineBytesMax.bytes)))
        let buffer = pool.take(bytes: lead + length + 1)
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<(lead + length)])
        guard try content.read(into: wanted, at: offset - Int64(lead)) == wanted.count else { return .changed }
        let event = InputEvent.lineCut(stream.source.origin.source, byteCount: newline - offset)
        let block = oddBlock(stream, buffer, lead: lead, length: length, end: newline + 1, tail: tail).block
        return block.map { .oddLine($0, event) } ?? .skipped(event)
    }

    private func skipNULs(
        _ stream: FileStream, _ content: any FileContent, _ buffer: LineBuffer, lead: Int, count: Int
    ) throws(FileError) -> ReadOutcome {
        let bytes = UnsafeRawBufferPointer(start: buffer.base + lead, count: count - lead)
        guard let end = bytes.firstIndex(where: { $0 != 0 }) else {
            // Up to the end of the file it may be room that the application has yet to fill.
            guard count == buffer.capacity else { return .end }
            stream.scanned = stream.position.offset + Int64(bytes.count)
            return .unfinished
        }
        return try leaveHole(stream, content, at: stream.position.offset + Int64(end))
    }

    private func leaveHole(_ stream: FileStream, _ content: any FileContent, at end: Int64) throws(FileError)
        -> ReadOutcome
    {
        let length = end - stream.position.offset
        var next = stream.position
        next.offset = end
        next.tail = try tailMark(content, end: end)
        stream.move(to: next)
        return .skipped(.nulBytesSkipped(stream.source.origin.source, byteCount: length))
    }
}

/// Where the last newline stands. Looks from the end, where it mostly is.
private func lastNewline(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
    var index = count - 1
    while index >= 0 {
        if bytes.load(fromByteOffset: index, as: UInt8.self) == 0x0A { return index }
        index -= 1
    }
    return nil
}
