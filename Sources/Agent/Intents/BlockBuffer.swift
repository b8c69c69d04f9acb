import Base
import NIOCore

/// A buffer whose readable bytes begin where a block of memory does, as direct access to a file wants it.
struct BlockBuffer {
    private static let block = DirectAccess.blockBytes

    /// To be appended to within `capacity`: where it had to grow it would begin anywhere.
    var bytes: ByteBuffer
    let capacity: Int
    private let lead: Int

    /// - Parameter capacity: a multiple of a block is made of it.
    init(capacity: Int) {
        self.capacity = Self.whole(capacity)
        bytes = ByteBufferAllocator().buffer(capacity: self.capacity + Self.block)
        let address = bytes.withVeryUnsafeMutableBytes { Int(bitPattern: $0.baseAddress!) }
        lead = Self.whole(address) - address
        clear()
    }

    var count: Int { bytes.readableBytes }

    mutating func clear() {
        bytes.moveReaderIndex(to: 0)
        bytes.moveWriterIndex(to: lead)
        bytes.moveReaderIndex(to: lead)
    }

    /// The bytes up to the end of their last block, which is filled with zeros; and all of them where a block begins, though somebody held
    /// the buffer when it was written to, so that it was copied to anywhere.
    mutating func fillBlock() {
        bytes.writeRepeatingByte(0, count: Self.whole(count) - count)
        let isAligned = bytes.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress!) % Self.block == 0 }
        guard !isAligned else { return }
        var moved = BlockBuffer(capacity: max(capacity, count))
        moved.bytes.writeImmutableBuffer(bytes)
        self = moved
    }

    static func whole(_ count: Int) -> Int { (count + block - 1) & ~(block - 1) }
}
