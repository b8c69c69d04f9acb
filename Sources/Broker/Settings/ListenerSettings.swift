/// Where a broker listens, and what it tells clients to connect to.
public struct ListenerSettings: Sendable, Equatable {
    public var name: String
    /// The address to bind; port 0 lets the system choose.
    public var bind: HostAndPort
    /// What Metadata answers; nil is the bound address, and port 0 the bound port.
    public var advertise: HostAndPort?
    /// Without it a listener without TLS is held to the loopback.
    public var allowsPlaintext: Bool

    public init(name: String = "main", bind: HostAndPort, advertise: HostAndPort? = nil, allowsPlaintext: Bool = false)
    {
        self.name = name
        self.bind = bind
        self.advertise = advertise
        self.allowsPlaintext = allowsPlaintext
    }

    func validate() throws(BrokerSettingsError) {
        guard bind.isLoopback || allowsPlaintext else {
            throw BrokerSettingsError(
                "listener '\(name)' binds \(bind) without TLS, so that anyone who reaches it can read and write: "
                    + "bind 127.0.0.1, or set allow_plaintext: true")
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

    /// What clients are told, once the port is known.
    func advertised(boundPort: Int) -> HostAndPort {
        var address = advertise ?? bind
        if address.port == 0 { address.port = boundPort }
        return address
    }
}

/// `HOST:PORT`; an IPv6 address stands in brackets.
public struct HostAndPort: Sendable, Hashable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil where the text is not `HOST:PORT`. Without a port it is `defaultPort`.
    public init?(_ text: String, defaultPort: Int = 9092) {
        var host = text
        var port: Int? = defaultPort
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { return nil }
                port = Int(rest.dropFirst())
            }
        } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
            host = String(text[..<colon])
            port = Int(text[text.index(after: colon)...])
        }
        guard let port, (0...65535).contains(port), !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public var isWildcard: Bool { ["0.0.0.0", "::", "*", "0"].contains(host) }

    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
