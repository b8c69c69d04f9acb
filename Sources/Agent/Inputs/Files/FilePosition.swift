import Base

/// A place in a file, and what the file looked like when it was read up to there, so that it is found again under another name, in a
/// copy, or not taken for another that got its inode.
///
///     | kind u8 = 1 | version u8 = 4 | path u64 | device u64 | inode u64 | born i64 | offset i64 | modified i64 |
///     | prefix length u16 | prefix hash u64 | tail length u8 | tail hash u64 | progress u8 | form u8 |
///
/// Version 1 had no progress, version 2 no form, version 3 no birth.
struct FilePosition: Hashable, Sendable {
    static let prefixBytesMax = 1024
    static let tailBytesMax = 64
    static let encodedBytes = 71

    /// What is known of the rest of the file.
    enum Progress: UInt8, Sendable {
        case reading = 0
        /// It was rotated or removed, and read to its end since.
        case finished = 1
        /// It was there before its source was first looked at: nothing of it is wanted.
        case unwanted = 2
    }

    /// What the file is that was read. One never becomes the other in place: compression makes a new file.
    enum Form: UInt8, Sendable {
        case unknown = 0
        case plain = 1
        case compressed = 2
    }

    /// Hash of the path under which the source is known; files that were rotated away keep it.
    var path: UInt64
    var device: UInt64
    /// 0 where the content is no longer in the file where it was read.
    var inode: UInt64
    /// When the inode was made, in nanoseconds since 1970; 0 where it isn't known.
    var born: Int64
    /// How many bytes of the file (of its uncompressed content) were read: always the end of a line.
    var offset: Int64
    /// When the file had last been written to, as known then.
    var modified: Timestamp
    /// The first bytes of the file, as many as were there, at most `prefixBytesMax`.
    var prefix: ContentMark
    /// The bytes just before `offset`, as many as there are, at most `tailBytesMax`.
    var tail: ContentMark
    var progress = Progress.reading
    var form = Form.unknown

    init(
        path: UInt64, device: UInt64, inode: UInt64, born: Int64 = 0, offset: Int64, modified: Timestamp,
        prefix: ContentMark, tail: ContentMark, progress: Progress = .reading, form: Form = .unknown
    ) {
        self.path = path
        self.device = device
        self.inode = inode
        self.born = born
        self.offset = offset
        self.modified = modified
        self.prefix = prefix
        self.tail = tail
        self.progress = progress
        self.form = form
    }

    /// The beginning of a file of which nothing is known but its inode.
    init(path: UInt64, file: FileID, modified: Timestamp) {
        self.init(
            path: path, device: file.device, inode: file.inode, born: file.born, offset: 0, modified: modified,
            prefix: .empty, tail: .empty)
    }

    var file: FileID {
        get { FileID(device: device, inode: inode, born: born) }
        set {
            device = newValue.device
            inode = newValue.inode
            born = newValue.born
        }
    }

    /// The same file, read `count` bytes further; `tail` is what now stands before the offset.
    func advanced(by count: Int64, tail: UnsafeRawBufferPointer) -> FilePosition {
        var next = self
        next.offset += count
        next.tail = ContentMark(tail)
        return next
    }

    var encoded: StreamPosition {
        var writer = PositionWriter(.file, capacity: Self.encodedBytes)
        writer.write(UInt8(4))
        writer.write(path)
        writer.write(device)
        writer.write(inode)
        writer.write(born)
        writer.write(offset)
        writer.write(modified.milliseconds)
        writer.write(UInt16(prefix.length))
        writer.write(prefix.hash)
        writer.write(UInt8(tail.length))
        writer.write(tail.hash)
        writer.write(progress.rawValue)
        writer.write(form.rawValue)
        return StreamPosition(bytes: writer.bytes)
    }

    /// Nil where the bytes are not a file's position of a version known here.
    init?(_ position: StreamPosition) {
        guard var reader = PositionReader(position, .file), let version = reader.read(UInt8.self),
            (1...4).contains(version), let path = reader.read(UInt64.self), let device = reader.read(UInt64.self),
            let inode = reader.read(UInt64.self), let born = version < 4 ? 0 : reader.read(Int64.self),
            let offset = reader.read(Int64.self),
            let modified = reader.read(Int64.self), let prefixLength = reader.read(UInt16.self),
            let prefixHash = reader.read(UInt64.self), let tailLength = reader.read(UInt8.self),
            let tailHash = reader.read(UInt64.self), offset >= 0, Int64(tailLength) <= offset,
            let progress = version == 1 ? .reading : reader.read(UInt8.self).flatMap(Progress.init),
            let form = version < 3 ? .unknown : reader.read(UInt8.self).flatMap(Form.init)
        else { return nil }
        self.init(
            path: path, device: device, inode: inode, born: born, offset: offset,
            modified: Timestamp(milliseconds: modified),
            prefix: ContentMark(length: Int(prefixLength), hash: prefixHash),
            tail: ContentMark(length: Int(tailLength), hash: tailHash), progress: progress, form: form)
    }
}

/// Some bytes, known by their number and hash.
struct ContentMark: Hashable, Sendable {
    var length: Int
    var hash: UInt64

    static let empty = ContentMark(UnsafeRawBufferPointer(start: nil, count: 0))

    init(length: Int, hash: UInt64) {
        self.length = length
        self.hash = hash
    }

    init(_ bytes: UnsafeRawBufferPointer) { self.init(length: bytes.count, hash: StableHash.of(bytes)) }
}
