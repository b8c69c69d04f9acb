import NIOCore

/// What made a stream of frames unreadable. The connection can't go on: where the next frame begins is unknown.
public enum FrameError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The peer announced a frame of this many bytes.
    case illegalLength(Int, bytesMax: Int)
    /// The channel took a buffer and never brought it back, so bytes of the stream are missing.
    case bytesLost

    public var description: String {
        switch self {
        case .illegalLength(let length, let bytesMax):
            "a frame of \(length) bytes was announced; 1 to \(bytesMax) expected (socket.request.max.bytes). "
                + "Is the peer speaking the Kafka protocol, and without TLS?"
        case .bytesLost: "bytes of the stream were lost between socket and frame"
        }
    }
}

/// Cuts the byte stream of one connection into frames, without copying a frame that arrives as it is expected.
///
///     | length i32 | length bytes: one request or response | length i32 | …
///
/// Once a frame's length is known, the socket reads straight into a buffer of that frame's own (`lend` gives it to the channel, `received` takes
/// it back), so that a batch is received once and handed on as a slice. A frame above `growthStart` gets its memory as its bytes arrive:
/// an announced length alone costs nothing.
///
/// Lives on one event loop; it is a class because the channel's receive allocator shares it.
public final class FrameAssembly {
    /// Lengths below this are taken at the peer's word and allocated at once.
    static let growthStart = 1 << 20
    static let readBytesMin = 4 << 10
    static let readBytesMax = 256 << 10
    /// What the channel keeps hold of for its lifetime; see `FrameReceiveAllocator`.
    static let firstReadBytes = 512
    private static let lengthBytes = 4

    private enum Lending {
        case home
        /// The channel has the buffer; `accumulated` bytes of it were received before.
        case lent(accumulated: Int)
    }

    /// A longer frame ends the stream.
    public var frameBytesMax: Int
    private let allocator: ByteBufferAllocator
    /// Received bytes that were not yet looked at in full.
    private var current: ByteBuffer?
    /// The beginning of a frame, at reader index 0, with room for more.
    private var partial: ByteBuffer?
    private var lending = Lending.home
    private var isDamaged = false
    private var isFirstRead = true
    /// A stream's frames tend to be alike: reading just as much as the last one had ends at the next one's start.
    private var readBytesNext = FrameAssembly.readBytesMin

    public init(frameBytesMax: Int, allocator: ByteBufferAllocator = ByteBufferAllocator()) {
        self.frameBytesMax = frameBytesMax
        self.allocator = allocator
    }

    /// The buffer for the next read of the socket.
    func lend() -> ByteBuffer {
        if case .lent(let accumulated) = lending, accumulated > 0 { isDamaged = true }
        if isFirstRead {
            isFirstRead = false
            lending = .lent(accumulated: 0)
            return allocator.buffer(capacity: Self.firstReadBytes)
        }
        if let started = partial {
            partial = nil
            lending = .lent(accumulated: started.readableBytes)
            return started
        }
        lending = .lent(accumulated: 0)
        return buffer(exactly: readBytesNext)
    }

    /// Takes what was read: the lent buffer with new bytes in it, or, where the channel lends none, a buffer of new bytes only.
    public func received(_ buffer: ByteBuffer) throws(FrameError) {
        let wasLent =
            switch lending {
            case .lent: true
            case .home: false
            }
        lending = .home
        if isDamaged { throw .bytesLost }
        if var waiting = current {
            // Only where a read came although none was asked for.
            current = nil
            waiting.writeImmutableBuffer(buffer)
            current = waiting
        } else if !wasLent, var started = partial {
            partial = nil
            started.writeImmutableBuffer(buffer)
            current = started
        } else {
            current = buffer
        }
    }

    /// True where bytes wait that `next` has not been asked about.
    public var hasUnreadBytes: Bool { current != nil }

    /// True where a frame was begun and is not whole yet.
    public var hasPartialFrame: Bool { partial != nil }

    /// The length of the frame that the received bytes begin with, checked; nil where it is not known yet. `next` may still be nil.
    public func announcedBytes() throws(FrameError) -> Int? {
        guard let length = current.flatMap({ $0.getInteger(at: $0.readerIndex, as: Int32.self) }) else { return nil }
        guard length > 0 && Int(length) <= frameBytesMax else {
            throw .illegalLength(Int(length), bytesMax: frameBytesMax)
        }
        return Int(length)
    }

    /// The next whole frame, without its length; nil until more is received.
    public func next() throws(FrameError) -> ByteBuffer? {
        guard let length = try announcedBytes() else {
            settle(bytesNeeded: nil)
            return nil
        }
        let bytesNeeded = Self.lengthBytes + length
        guard current!.readableBytes >= bytesNeeded else {
            settle(bytesNeeded: bytesNeeded)
            return nil
        }
        current!.moveReaderIndex(forwardBy: Self.lengthBytes)
        let frame = current!.readSlice(length: length)
        if current!.readableBytes == 0 { current = nil }
        readBytesNext = min(max(bytesNeeded, Self.readBytesMin), Self.readBytesMax)
        return frame
    }

    /// Keeps the unfinished rest, in a buffer with room for what is missing.
    private func settle(bytesNeeded: Int?) {
        guard let rest = current else { return }
        current = nil
        let have = rest.readableBytes
        guard have > 0 else { return }
        let capacity =
            switch bytesNeeded {
            case nil: Self.readBytesMin
            case .some(let needed) where needed <= Self.growthStart: needed
            case .some(let needed): min(needed, max(Self.growthStart, 2 * have))
            }
        if rest.readerIndex == 0 && rest.capacity >= capacity {
            partial = rest
        } else {
            var started = buffer(exactly: capacity)
            started.writeImmutableBuffer(rest)
            partial = started
        }
    }

    /// A buffer that ends where it is told to: `ByteBufferAllocator` rounds up to a power of two, and a socket would fill that.
    private func buffer(exactly bytes: Int) -> ByteBuffer {
        var whole = allocator.buffer(capacity: bytes)
        whole.moveWriterIndex(forwardBy: bytes)
        var exact = whole.readSlice(length: bytes)!
        exact.moveWriterIndex(to: 0)
        return exact
    }
}
