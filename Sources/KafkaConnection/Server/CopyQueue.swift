import Base
import DequeModule
import NIOCore

/// What a connection has still to send where the kernel can't send files by itself: under TLS, since the bytes have to be encrypted, and for files without a
/// descriptor. In order, and a piece at a time, so that an answer of any length takes the memory of one piece.
struct CopyQueue {
    /// As much of a file as is copied at a time.
    static let pieceBytes = 256 << 10

    private var parts: Deque<ResponsePart> = []

    var isEmpty: Bool { parts.isEmpty }

    mutating func append(_ part: ResponsePart) { parts.append(part) }

    /// The next bytes, or the next piece of a file.
    mutating func next() -> ResponsePart? {
        guard let first = parts.popFirst() else { return nil }
        guard case .file(var slice) = first, slice.byteCount > Self.pieceBytes else { return first }
        var piece = slice
        piece.byteCount = Self.pieceBytes
        slice.position += Int64(Self.pieceBytes)
        slice.byteCount -= Self.pieceBytes
        parts.prepend(.file(slice))
        return .file(piece)
    }
}

extension FileSlice {
    /// Its bytes; fails where the file ends before it does. Blocks where they are not in memory.
    func contents(allocator: ByteBufferAllocator) -> Result<ByteBuffer, TransportFailure> {
        var buffer = allocator.buffer(capacity: byteCount)
        do {
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { bytes in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<byteCount]), at: position)
            }
            guard count == byteCount else {
                return .failure(TransportFailure("a file ended \(byteCount - count) bytes before its slice did"))
            }
            return .success(buffer)
        } catch {
            return .failure(TransportFailure("a file slice can't be read: \(error)"))
        }
    }

    /// False where reading it would wait for the disk.
    var isInMemory: Bool { PageCache.holds(file, position: position, byteCount: byteCount) }
}
