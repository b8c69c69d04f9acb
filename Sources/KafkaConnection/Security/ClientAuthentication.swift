/// Says who a client is, with one SASL mechanism. What does it is chosen by who wires the modules together, so that this one needs no cryptography.
public protocol ClientAuthentication: Sendable {
    /// As SASL names it, such as `SCRAM-SHA-512`.
    var mechanism: String { get }

    /// A new exchange, for one connection.
    func begin() -> any ClientExchange
}

/// One exchange of messages, without I/O.
public protocol ClientExchange {
    /// What to send next; the first time nothing was received. Nil where the exchange is over and the server has proved what the mechanism asks of it.
    /// Throws where the server is not who it should be, or does not speak the mechanism.
    mutating func next(received: [UInt8]?) throws(AuthenticationFailure) -> [UInt8]?
}

/// Why somebody was not believed; the text never holds a password.
public struct AuthenticationFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Who a client says it is.
public struct ClientSaslSettings: Sendable, Hashable {
    public enum Mechanism: String, Sendable, CaseIterable {
        /// The password itself goes over the wire: only under TLS.
        case plain = "PLAIN"
        case scramSHA256 = "SCRAM-SHA-256"
        case scramSHA512 = "SCRAM-SHA-512"
    }

    public var mechanism: Mechanism
    public var user: String
    public var password: String

    public init(mechanism: Mechanism = .scramSHA512, user: String, password: String) {
        self.mechanism = mechanism
        self.user = user
        self.password = password
    }
}
