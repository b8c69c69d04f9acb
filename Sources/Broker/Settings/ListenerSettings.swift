import KafkaConnection

/// Where a broker listens, and what it tells clients to connect to.
public struct ListenerSettings: Sendable, Equatable {
    public var name: String
    /// The address to bind; port 0 lets the system choose.
    public var bind: Address
    /// What Metadata answers; nil is the bound address, and port 0 the bound port.
    public var advertise: Address?
    /// Without it a listener without TLS is held to the loopback.
    public var allowsPlaintext: Bool
    /// Its certificate, and those of its clients; nil: plaintext.
    public var tls: ServerTLSSettings?
    /// How clients may say who they are; empty: nobody is asked.
    public var sasl: [SaslMechanism] = []
    /// After which they have to say it again (`connections.max.reauth.ms`); nil: never.
    public var reauthentication: Duration?

    public init(
        name: String = "main", bind: Address, advertise: Address? = nil, allowsPlaintext: Bool = false,
        tls: ServerTLSSettings? = nil
    ) {
        self.name = name
        self.bind = bind
        self.advertise = advertise
        self.allowsPlaintext = allowsPlaintext
        self.tls = tls
    }

    func validate() throws(BrokerSettingsError) {
        guard bind.isLoopback || allowsPlaintext || tls != nil || !sasl.contains(.plain) else {
            throw BrokerSettingsError(
                "listener '\(name)' binds \(bind) and takes passwords (PLAIN) without TLS, for anyone on the way to read: "
                    + "give it a certificate (tls: {cert, key}), take a SCRAM mechanism, or set allow_plaintext: true")
        }
        guard bind.isLoopback || allowsPlaintext || tls != nil || !sasl.isEmpty else {
            throw BrokerSettingsError(
                "listener '\(name)' binds \(bind) without TLS and SASL, so that anyone who reaches it can read and write: "
                    + "give it a certificate (tls: {cert, key}), bind 127.0.0.1, or set allow_plaintext: true")
        }
        guard let advertise else {
            guard !bind.isWildcard else {
                throw BrokerSettingsError(
                    "listener '\(name)' binds \(bind), which no client can connect to: set advertise: HOST:PORT")
            }
            return
        }
        guard !advertise.isWildcard, !advertise.host.isEmpty else {
            throw BrokerSettingsError(
                "listener '\(name)' can't advertise \(advertise): no client can connect to it. Name the host")
        }
    }

    /// What protects it, for the log: nothing where it is in plaintext.
    var protection: String {
        let parts = (tls == nil ? [] : ["TLS"]) + sasl.map(\.rawValue)
        return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    }

    /// Whether anybody may connect who reaches it.
    public var isOpenToAll: Bool { tls == nil && sasl.isEmpty }

    /// What clients are told, once the port is known.
    func advertised(boundPort: Int) -> Address {
        var address = advertise ?? bind
        if address.port == 0 { address.port = boundPort }
        return address
    }
}

extension Address {
    /// All addresses of the machine: fine to bind, of no use to a client.
    var isWildcard: Bool { ["0.0.0.0", "::", "*", "0"].contains(host) }

    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
