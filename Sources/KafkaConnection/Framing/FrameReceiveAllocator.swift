import NIOCore

/// Makes a channel read into the buffer that its `FrameAssembly` lends.
///
/// It leans on how NIO's receive pool works with one message per read: the first buffer is kept by the pool for good (so it is a small one), and
/// as `record` promises a larger buffer each time, every later one comes from `buffer(allocator:)` and is not kept, so that writing into it
/// copies nothing. Were that to change, buffers would be copied, never mixed up: `ByteBuffer` copies on write.
///
/// Unchecked: the channel calls it on the assembly's event loop only.
struct FrameReceiveAllocator: RecvByteBufferAllocator, @unchecked Sendable {
    let assembly: FrameAssembly

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { assembly.lend() }
    func nextBufferSize() -> Int? { nil }
    func record(actualReadBytes: Int) -> Bool { true }
}

extension FrameReceiveAllocator {
    /// Sets it on a channel, on its event loop. Channels that have no such option (`EmbeddedChannel`) are left as they are.
    static func install(_ assembly: FrameAssembly, on channel: any Channel) {
        guard let options = channel.syncOptions else { return }
        do {
            try options.setOption(.maxMessagesPerRead, value: 1)
            try options.setOption(.recvAllocator, value: FrameReceiveAllocator(assembly: assembly))
        } catch {
            // Frames are then put together by copying.
        }
    }
}
