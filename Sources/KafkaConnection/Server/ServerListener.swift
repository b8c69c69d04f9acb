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
        let open = OpenConnections(settings)
        let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
            low: settings.unsentBytesLow.bytes, high: settings.unsentBytesHigh.bytes)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let limit = open.admit(channel) {
                        dispatcher.connectionRefused(
                            remoteAddress: channel.remoteAddress?.description ?? "?", limit: limit,
                            openCount: open.countMax(limit))
                        throw ChannelError.inappropriateOperationForState
                    }
                    try settings.security?.secure(channel)
                    let id = ObjectIdentifier(channel)
                    let connection = ServerConnection(channel: channel, settings: settings, dispatcher: dispatcher) {
                        open.letIn(id)
                    }
                    try channel.pipeline.syncOperations.addHandler(connection)
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
        // All begin to close before the first is waited for: under TLS each may wait a while for its peer's farewell.
        let closing = open.close().map { $0.close() }
        for connection in closing { try? await connection.get() }
    }
}

/// The connections of one listener, counted against its limits.
private final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// By IP address; sockets of other kinds count as one.
        var countByAddress: [String: Int] = [:]
        /// Those whose peers are not let in yet.
        var unauthenticated: Set<ObjectIdentifier> = []
        var isClosed = false
    }

    private let settings: ServerSettings
    private let state = Mutex(State())

    init(_ settings: ServerSettings) { self.settings = settings }

    func countMax(_ limit: ConnectionLimit) -> Int {
        switch limit {
        case .all: settings.connectionsMax
        case .address: settings.connectionsPerAddressMax
        case .unauthenticated: settings.unauthenticatedMax
        }
    }

    func letIn(_ id: ObjectIdentifier) { _ = state.withLock { $0.unauthenticated.remove(id) } }

    var count: Int { state.withLock { $0.channels.count } }

    /// The limit that keeps the connection from being opened, or nil.
    func admit(_ channel: any Channel) -> ConnectionLimit? {
        let id = ObjectIdentifier(channel)
        let address = channel.remoteAddress?.ipAddress ?? ""
        let limit = state.withLock { state -> ConnectionLimit? in
            guard !state.isClosed && state.channels.count < settings.connectionsMax else { return .all }
            guard state.countByAddress[address, default: 0] < settings.connectionsPerAddressMax else { return .address }
            if settings.letsInLater {
                guard state.unauthenticated.count < settings.unauthenticatedMax else { return .unauthenticated }
                state.unauthenticated.insert(id)
            }
            state.channels[id] = channel
            state.countByAddress[address, default: 0] += 1
            return nil
        }
        guard limit == nil else { return limit }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.channels[id] = nil
                state.unauthenticated.remove(id)
                let count = state.countByAddress[address, default: 1] - 1
                state.countByAddress[address] = count == 0 ? nil : count
            }
        }
        return nil
    }

    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            defer { state.channels = [:] }
            return Array(state.channels.values)
        }
    }
}
