import NIOCore
import NIOHTTP1

/// The open answer of a server-sent event stream (HTML, "Server-sent events"). A slow browser slows its writer down; nothing piles up.
struct EventStream: Sendable {
    let channel: any Channel

    /// Sends one event and waits until the socket took it. False once the browser is gone.
    func send(_ json: [UInt8], event: String? = nil) async -> Bool {
        var buffer = channel.allocator.buffer(capacity: json.count + 32)
        if let event { buffer.writeString("event: \(event)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(json)
        buffer.writeString("\n\n")
        return await write(buffer)
    }

    /// Keeps proxies and idle timers from closing a silent stream.
    func sendBeat() async -> Bool { await write(ByteBuffer(string: ": \n\n")) }

    private func write(_ buffer: ByteBuffer) async -> Bool {
        do {
            try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(buffer))).get()
            return true
        } catch {
            return false
        }
    }
}
