import Base
import NIOCore
import NIOPosix
import Synchronization

/// A listening socket whose connections speak the Kafka protocol to one dispatcher.
public final class ServerListener: Sendable {
    private let channel: any Channel
    private let open: OpenConnections
    /// Where it listens; the port is the real one where 0 was asked for.
    public let address: Address

    private init(channel: any Channel, open: OpenConnections, address: Address) {
        self.channel = channel
        self.open = open
        self.address = address
    }

    /// Binds and listens. Throws `ClientError` (`.listenFailed`) where the address can't be had.
    public static func bind(
        _ address: Address, on group: any EventLoopGroup, settings: ServerSettings, dispatcher: any RequestDispatcher
    ) async throws(ClientError) -> ServerListener {
        let open = OpenConnections(countMax: settings.connectionsMax)
        let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
            low: settings.unsentBytesLow.bytes, high: settings.unsentBytesHigh.bytes)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard open.admit(channel) else {
                        dispatcher.connectionRefused(
                            remoteAddress: channel.remoteAddress?.description ?? "?", openCount: settings.connectionsMax
                        )
                        throw ChannelError.inappropriateOperationForState
                    }
                    // A TLS handler goes in front of the connection, once there is one; SASL is a matter of the dispatcher.
                    try channel.pipeline.syncOperations.addHandler(
                        ServerConnection(channel: channel, settings: settings, dispatcher: dispatcher))
                }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            let port = channel.localAddress?.port ?? address.port
            return ServerListener(channel: channel, open: open, address: Address(host: address.host, port: port))
        } catch {
            throw ClientError(.listenFailed, "can't listen on \(address): \(error)", cause: error)
        }
    }

    /// How many connections are open.
    public var connectionCount: Int { open.count }

    /// Stops listening and closes every connection; returns when all are closed.
    public func close() async {
        try? await channel.close().get()
        for connection in open.close() { try? await connection.close().get() }
    }
}

/// The connections of one listener, counted against its limit.
private final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosed = false
    }

    private let countMax: Int
    private let state = Mutex(State())

    init(countMax: Int) { self.countMax = countMax }

    var count: Int { state.withLock { $0.channels.count } }

    /// False where the connection may not be opened.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdmitted = state.withLock { state in
            guard !state.isClosed && state.channels.count < countMax else { return false }
            state.channels[id] = channel
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.channels.removeValue(forKey: id) } }
        return true
    }

    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            defer { state.channels = [:] }
            return Array(state.channels.values)
        }
    }
}
