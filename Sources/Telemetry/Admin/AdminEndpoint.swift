public import NIOCore
import NIOHTTP1
import NIOPosix

/// The small HTTP endpoint of every Millrace process: `/metrics`, `/healthz`, `/readyz`. GET and HEAD alone; no keep-alive beyond 30 idle
/// seconds; at most `connectionsMax` connections at once, further ones are closed unanswered.
public final class AdminEndpoint: Sendable {
    public static let connectionsMax = 64

    private let channel: any Channel

    /// The address it listens on, with the port the system chose where 0 was asked for.
    public let address: SocketAddress?

    private init(channel: any Channel) {
        self.channel = channel
        address = channel.localAddress
    }

    public static func start(
        host: String, port: Int, metrics: MetricRegistry, health: Health, on group: any EventLoopGroup
    ) async throws -> AdminEndpoint {
        let open = ConnectionCount()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard open.enter(atMost: connectionsMax) else { return channel.close() }
                channel.closeFuture.whenComplete { _ in open.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: .seconds(30)))
                    try channel.pipeline.syncOperations.addHandler(AdminHandler(metrics: metrics, health: health))
                }
            }
            .bind(host: host, port: port).get()
        return AdminEndpoint(channel: channel)
    }

    public func stop() async { try? await channel.close() }
}

private final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let metrics: MetricRegistry
    private let health: Health
    private var head: HTTPRequestHead?

    init(metrics: MetricRegistry, health: Health) {
        self.metrics = metrics
        self.health = health
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        var status = HTTPResponseStatus.ok
        var text: String
        let path = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) ?? "/"
        switch (head.method, path) {
        case (.GET, "/metrics"), (.HEAD, "/metrics"): text = metrics.prometheusText(health: health)
        case (.GET, "/healthz"), (.HEAD, "/healthz"):
            status = health.isHealthy ? .ok : .serviceUnavailable
            text = health.text
        case (.GET, "/readyz"), (.HEAD, "/readyz"):
            status = health.isReady ? .ok : .serviceUnavailable
            text = health.text
        case (.GET, _), (.HEAD, _):
            status = .notFound
            text = "here are /metrics, /healthz and /readyz\n"
        default:
            status = .methodNotAllowed
            text = "GET and HEAD alone\n"
        }
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: "text/plain; version=0.0.4; charset=utf-8")
        headers.add(name: "content-length", value: String(text.utf8.count))
        headers.add(name: "x-content-type-options", value: "nosniff")
        if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: text)))), promise: nil)
        }
        let done = context.eventLoop.makePromise(of: Void.self)
        if !head.isKeepAlive {
            let channel = context.channel
            done.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    }
}
