/// The server behind a listener: gets every request of every connection.
///
/// All calls for one connection come on that connection's event loop, in order; they must not block it.
public protocol RequestDispatcher: Sendable {
    func connectionOpened(_ connection: ServerConnection)

    /// The peer was let in: its transport is secured, and it is who it says. Never called where nothing keeps peers out.
    func connectionLetIn(_ connection: ServerConnection)

    /// A request of a served API and version. It is to be answered exactly once, now or later, from any thread.
    func requestReceived(_ request: ReceivedRequest)

    /// The connection is gone; answers to its requests have no effect any more.
    func connectionClosed(_ connection: ServerConnection, reason: CloseReason)

    /// A connection was turned away before it was opened: `openCount` are open, which is as many as the limit allows.
    func connectionRefused(remoteAddress: String, limit: ConnectionLimit, openCount: Int)
}

/// What turned a connection away.
public enum ConnectionLimit: String, Sendable {
    /// `ServerSettings.connectionsMax`.
    case all
    /// `ServerSettings.connectionsPerAddressMax`.
    case address
    /// `ServerSettings.unauthenticatedMax`.
    case unauthenticated
}

extension RequestDispatcher {
    public func connectionOpened(_ connection: ServerConnection) {}
    public func connectionLetIn(_ connection: ServerConnection) {}
    public func connectionClosed(_ connection: ServerConnection, reason: CloseReason) {}
    public func connectionRefused(remoteAddress: String, limit: ConnectionLimit, openCount: Int) {}
}

/// Why a connection ended.
public enum CloseReason: Sendable, Equatable, CustomStringConvertible {
    case peerClosed
    case idle
    case serverClosed
    /// The peer broke the protocol; the text says how.
    case refused(String)
    /// The socket failed.
    case failed(String)

    public var description: String {
        switch self {
        case .peerClosed: "the peer closed it"
        case .idle: "nothing moved on it for too long (connections.max.idle.ms)"
        case .serverClosed: "the server closed it"
        case .refused(let text): "refused: \(text)"
        case .failed(let text): "failed: \(text)"
        }
    }

    /// True where the peer did something that an operator wants to see.
    public var isRefusal: Bool {
        switch self {
        case .refused: true
        case .peerClosed, .idle, .serverClosed, .failed: false
        }
    }
}
