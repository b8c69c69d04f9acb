import Base
public import NIOCore

/// Encrypts the connections of a listener. What does it is chosen by who wires the modules together, so that this one knows no TLS library.
public protocol ServerTransportSecurity: Sendable {
    /// Puts what encrypts in front of everything that is added to the channel's pipeline later. On the channel's event loop; must not block.
    ///
    /// Once the peer may be talked to, a `TransportSecured` goes through the pipeline; what fails goes through it as a `TransportFailure`.
    func secure(_ channel: any Channel) throws

    /// Reads keys and certificates again where their files changed since they were last read; connections that are made from then on use them.
    /// Blocks: not on an event loop. Nil where nothing changed. Where the files can't be used, what was read before stays in use.
    func refresh() throws(TransportFailure) -> LoadedCertificate?
}

/// Encrypts a client's connections.
public protocol ClientTransportSecurity: Sendable {
    /// Reads what is needed for one connection, and returns what puts it into a channel's pipeline, on the channel's event loop. Blocks for small files.
    func prepare(for server: Address) throws(TransportFailure) -> @Sendable (any Channel) throws -> Void
}

/// Goes through the pipeline, from the socket on, once the handshake is done.
public struct TransportSecured: Sendable {
    /// The subject of the certificate that the peer showed and that was found good, as RFC 4514 writes it; nil where it showed none.
    public var peerName: String?

    public init(peerName: String?) { self.peerName = peerName }
}

/// What a secured transport failed for, in words for whoever runs the other side.
public struct TransportFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// A certificate that came into use.
public struct LoadedCertificate: Sendable, Equatable {
    /// For a person: whose it is.
    public var name: String
    /// It is refused by peers from then on.
    public var expires: Timestamp

    public init(name: String, expires: Timestamp) {
        self.name = name
        self.expires = expires
    }
}

/// Reads of files that have to wait for the disk, away from the event loops: for connections that can't leave the sending to the kernel.
public protocol FileReads: Sendable {
    /// Runs the job on a thread that may block. False, and nothing happens, where too many wait.
    func submit(byteCount: Int, for connection: ServerConnection, _ job: @escaping @Sendable () -> Void) -> Bool
}
