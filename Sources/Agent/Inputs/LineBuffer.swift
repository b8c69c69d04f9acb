import Base
import Synchronization

/// Memory for one block; goes back to its pool with the last reference.
final class LineBuffer: Sendable {
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let capacity: Int
    private let pool: LineBufferPool

    fileprivate init(base: UnsafeMutableRawPointer, capacity: Int, pool: LineBufferPool) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
    }

    deinit { pool.giveBack(base, capacity: capacity) }

    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: capacity) }
}

/// Hands out buffers and takes them back, so that reading allocates nothing once it runs.
///
/// It keeps a few of the usual size; longer ones, made for a long line, are freed after use. How many are out is up to who holds blocks.
public final class LineBufferPool: Sendable {
    private struct Idle: @unchecked Sendable {
        var buffers: [UnsafeMutableRawPointer] = []
    }

    let bufferBytes: Int
    private let keptMax: Int
    private let idle = Mutex(Idle())

    public init(bufferBytes: ByteCount = .kib(256), keptMax: Int = 4) {
        self.bufferBytes = bufferBytes.bytes
        self.keptMax = keptMax
    }

    deinit { idle.withLock { for buffer in $0.buffers { buffer.deallocate() } } }

    /// A buffer of at least `bytes`, its content undefined.
    func take(bytes: Int) -> LineBuffer {
        let capacity = max(bytes, bufferBytes)
        let kept = capacity == bufferBytes ? idle.withLock { $0.buffers.popLast().map(SendablePointer.init) } : nil
        let base = kept?.pointer ?? .allocate(byteCount: capacity, alignment: 64)
        return LineBuffer(base: base, capacity: capacity, pool: self)
    }

    func take() -> LineBuffer { take(bytes: bufferBytes) }

    fileprivate func giveBack(_ base: UnsafeMutableRawPointer, capacity: Int) {
        let returned = SendablePointer(pointer: base)
        let kept =
            capacity == bufferBytes
            && idle.withLock { idle in
                guard idle.buffers.count < keptMax else { return false }
                idle.buffers.append(returned.pointer)
                return true
            }
        if !kept { base.deallocate() }
    }
}

private struct SendablePointer: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
}
