import Base

/// How a client's connections behave.
public struct ConnectionSettings: Sendable {
    /// What the broker's logs and quotas call this client (`client.id`).
    public var clientID = "millrace"
    /// Name and version that ApiVersions tells the broker (KIP-511).
    public var softwareName = "millrace"
    public var softwareVersion = "0.1.0"
    public var connectTimeout = Duration.seconds(10)
    /// Without an answer for this long a request fails, and its connection is closed: what comes after waits behind it (`request.timeout.ms`).
    public var requestTimeout = Duration.seconds(30)
    /// The longest that a broker may keep a connection silent by its quotas (`throttle_time_ms`).
    public var throttleMax = Duration.seconds(60)
    /// The largest response that is believed.
    public var responseBytesMax = ByteCount.mib(128)
    /// Requests that may wait for their answers; further ones are refused at once.
    public var requestsInFlightMax = 1024

    /// Encrypts the connections; nil: plaintext.
    public var security: (any ClientTransportSecurity)?
    /// Says who the client is, before anything else is sent; nil where nobody asks.
    public var authentication: (any ClientAuthentication)?

    public init() {}
}
