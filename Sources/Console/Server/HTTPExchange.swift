import NIOCore
import NIOHTTP1

/// One connection: requests in, answers out, in order (NIO's pipelining handler holds the next request until the last is answered).
final class HTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let access: AccessCheck
    private let targetBytesMax: Int
    private let answer: HTTPServer.Answer
    private var head: HTTPRequestHead?
    private var work: Task<Void, Never>?

    init(access: AccessCheck, targetBytesMax: Int, answer: @escaping HTTPServer.Answer) {
        self.access = access
        self.targetBytesMax = targetBytesMax
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            take(head, context.channel)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        work?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func take(_ head: HTTPRequestHead, _ channel: any Channel) {
        let writer = AnswerWriter(head: head, channel: channel)
        if let refusal = refusal(head) { return writer.send(refusal) }
        guard let request = Request(target: head.uri) else {
            return writer.send(.error(RequestError(.badRequest, "the address is not one that a browser writes")))
        }
        work = Self.begin(answer, request, writer)
    }

    private static func begin(
        _ answer: @escaping HTTPServer.Answer, _ request: Request, _ writer: AnswerWriter
    ) -> Task<Void, Never> {
        Task { await writer.write(await answer(request)) }
    }

    /// What is answered without looking at the request any further.
    private func refusal(_ head: HTTPRequestHead) -> Response? {
        guard head.method == .GET || head.method == .HEAD else {
            return .error(RequestError(.methodNotAllowed, "GET and HEAD alone: the console changes nothing"))
        }
        guard head.uri.utf8.count <= targetBytesMax else {
            return .error(RequestError(.uriTooLong, "an address of \(targetBytesMax) bytes at most"))
        }
        let path = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) ?? "/"
        switch access.verdict(path: path, headers: head.headers) {
        case .allowed: return nil
        case .tokenWanted:
            return .text(
                "The console wants its token: as the password (any user), or as 'Authorization: Bearer TOKEN'.\n",
                status: .unauthorized,
                headers: [("www-authenticate", "Basic realm=\"Millrace\", charset=\"UTF-8\"")])
        case .forbidden(let reason): return .text("\(reason)\n", status: .forbidden)
        }
    }
}
