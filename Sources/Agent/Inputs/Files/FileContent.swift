import Base
import SystemPackage

/// A device's number, an inode's, and when the inode was made (0 where nobody knows): the same file under every name. An inode that was
/// given to another file is another file's, where the file system tells the time.
struct FileID: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var born: Int64

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode, born: status.born) }

    init(device: UInt64, inode: UInt64, born: Int64) {
        self.device = device
        self.inode = inode
        self.born = born
    }

    /// As it was noted where the time wasn't known.
    var withoutBirth: FileID { FileID(device: device, inode: inode, born: 0) }

    /// Nil where nobody knows, or both were made within one tick of the file system's clock.
    func wasMadeBefore(_ other: FileID) -> Bool? {
        born == 0 || other.born == 0 || born == other.born ? nil : born < other.born
    }

    /// Nothing that is known of the two tells them apart.
    func mayBe(_ other: FileID) -> Bool {
        device == other.device && inode == other.inode && (born == other.born || born == 0 || other.born == 0)
    }
}

/// The bytes that an application wrote into a file, whether the file holds them as they are or compressed.
protocol FileContent: AnyObject {
    /// As `File.read`. A compressed content reads forward cheaply and backward at the cost of all that lies before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int

    /// Gets ready for a read at `position` by a bounded amount of work; true once it is.
    func approach(_ position: Int64) throws(FileError) -> Bool

    /// Nothing can be added to it any more: the compressed file is whole and was read to its end.
    var isFinal: Bool { get }

    /// Of the file itself.
    func status() throws(FileError) -> FileStatus

    func close()
}

extension FileContent {
    /// Whether the first bytes are those that `mark` knows.
    func begins(with mark: ContentMark) throws(FileError) -> Bool { try bytes(at: 0, are: mark) }

    /// Whether this is what `position` was made from: its first bytes, and those before the offset.
    func fits(_ position: FilePosition) throws(FileError) -> Bool {
        guard try begins(with: position.prefix) else { return false }
        return try bytes(at: position.offset - Int64(position.tail.length), are: position.tail)
    }

    private func bytes(at offset: Int64, are mark: ContentMark) throws(FileError) -> Bool {
        try self.mark(at: offset, count: mark.length) == mark
    }

    /// The mark of up to `count` bytes from `offset` on.
    func mark(at offset: Int64, count: Int) throws(FileError) -> ContentMark {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 8)
        defer { memory.deallocate() }
        let buffer = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        let read = try self.read(into: buffer, at: offset)
        return ContentMark(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
    }
}

/// A file whose bytes are the content.
final class PlainContent: FileContent {
    private let file: any File

    init(_ file: any File) { self.file = file }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        buffer.isEmpty ? 0 : try file.read(into: buffer, at: position)
    }

    func approach(_ position: Int64) -> Bool { true }
    var isFinal: Bool { false }
    func status() throws(FileError) -> FileStatus { try file.status() }
    func close() { file.close() }
}

/// Opens what a name says it is.
enum OpenedContent {
    case content(any FileContent)
    /// A `.gz` that has no header yet.
    case notYet

    static func open(_ path: String, in files: any FileSystem) throws(FileError) -> OpenedContent {
        let file = try files.open(FilePath(path), .read)
        guard path.hasSuffix(".gz") else { return .content(PlainContent(file)) }
        var magic: (UInt8, UInt8) = (0, 0)
        let count: Int
        do {
            count = try withUnsafeMutableBytes(of: &magic) { try file.read(into: $0, at: 0) }
        } catch { throw error as? FileError ?? FileError(.other(0), .read, FilePath(path)) }
        guard count == 2 else {
            file.close()
            return .notYet
        }
        return .content(magic == (0x1F, 0x8B) ? GzipContent(file, path: path) : PlainContent(file))
    }
}
