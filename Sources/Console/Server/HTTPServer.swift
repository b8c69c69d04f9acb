import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Telemetry

/// The console's own HTTP/1.1 server: GET and HEAD, no bodies, few connections, idle ones closed.
final class HTTPServer: Sendable {
    typealias Answer = @Sendable (Request) async -> Response

    private let channel: any Channel
    let address: SocketAddress?

    private init(channel: any Channel) {
        self.channel = channel
        address = channel.localAddress
    }

    static func start(
        settings: ConsoleSettings, on group: any EventLoopGroup, answer: @escaping Answer
    ) async throws -> HTTPServer {
        let open = Slots(settings.limits.connectionsMax)
        let access = AccessCheck(token: settings.token, isLoopback: settings.listen.isLoopback)
        let targetBytesMax = settings.limits.targetBytesMax
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard open.take() else { return channel.close() }
                channel.closeFuture.whenComplete { _ in open.giveBack() }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(60)))
                    try pipeline.addHandler(
                        HTTPExchange(access: access, targetBytesMax: targetBytesMax, answer: answer))
                }
            }
            .bind(host: settings.listen.host, port: settings.listen.port).get()
        return HTTPServer(channel: channel)
    }

    func stop() async { try? await channel.close() }
}

/// So many of something at a time.
final class Slots: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    func take() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func giveBack() { free.withLock { $0 += 1 } }
}
