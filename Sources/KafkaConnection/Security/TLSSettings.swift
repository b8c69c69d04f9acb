/// What a listener needs for TLS: PEM files. They are looked at again while the broker runs, so a certificate is renewed by replacing them.
public struct ServerTLSSettings: Sendable, Hashable {
    public enum ClientCertificates: String, Sendable, CaseIterable {
        /// A client that shows none is refused.
        case required
        /// A client may show none; one that it shows must be good.
        case requested
    }

    /// The server's certificate, then those between it and its CA.
    public var certificate: String
    /// Its private key, without a passphrase.
    public var key: String
    /// The CAs whose certificates clients may show; nil asks for none.
    public var clientCA: String?
    public var clientCertificates = ClientCertificates.required

    public init(certificate: String, key: String, clientCA: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientCA = clientCA
    }
}

/// What a client needs for TLS. All of it may be left out: then the system's CAs are trusted and no certificate is shown.
public struct ClientTLSSettings: Sendable, Hashable {
    /// The CAs that are trusted, in one PEM file; nil: the system's.
    public var ca: String?
    /// The certificate to show, and its key: both or neither.
    public var certificate: String?
    public var key: String?
    /// The name that the server's certificate must have; nil: the host that is connected to.
    public var serverName: String?
    /// False takes any name. The certificate must still be a trusted CA's.
    public var verifiesHostname = true

    public init(ca: String? = nil) { self.ca = ca }
}

/// How a client's connections are protected; with nothing set they are in plaintext.
public struct ClientSecuritySettings: Sendable, Hashable {
    public var tls: ClientTLSSettings?
    /// Who it says it is; nil: nobody asks.
    public var sasl: ClientSaslSettings?

    public init(tls: ClientTLSSettings? = nil, sasl: ClientSaslSettings? = nil) {
        self.tls = tls
        self.sasl = sasl
    }
}
