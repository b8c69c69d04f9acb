import NIOCore
import NIOHTTP1

/// Writes the answer of one request, with the headers that every answer carries.
struct AnswerWriter: Sendable {
    let head: HTTPRequestHead
    let channel: any Channel

    func write(_ response: Response) async {
        guard case .stream(let run) = response.body else { return send(response) }
        await stream(response, run)
    }

    /// An answer whose bytes are there.
    func send(_ response: Response) {
        guard case .bytes(let bytes) = response.body else { return }
        var headers = self.headers(response)
        headers.add(name: "content-length", value: String(bytes.count))
        if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
        channel.write(HTTPServerResponsePart.head(answerHead(response, headers)), promise: nil)
        if head.method != .HEAD, !bytes.isEmpty {
            channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
        }
        let done = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !head.isKeepAlive { done.whenComplete { [channel] _ in channel.close(promise: nil) } }
    }

    /// An answer that goes on; the connection ends with it.
    private func stream(_ response: Response, _ run: @Sendable (EventStream) async -> Void) async {
        var headers = self.headers(response)
        headers.add(name: "connection", value: "close")
        channel.writeAndFlush(HTTPServerResponsePart.head(answerHead(response, headers)), promise: nil)
        if head.method != .HEAD { await run(EventStream(channel: channel)) }
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { [channel] _ in channel.close(promise: nil)
        }
    }

    private func answerHead(_ response: Response, _ headers: HTTPHeaders) -> HTTPResponseHead {
        HTTPResponseHead(version: head.version, status: response.status, headers: headers)
    }

    private func headers(_ response: Response) -> HTTPHeaders {
        var headers = HTTPHeaders(SecurityHeaders.all)
        headers.add(name: "content-type", value: response.contentType)
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        return headers
    }
}
