import Base
import KafkaWire

/// What one peer may cost, and which versions are served.
public struct ServerSettings: Sendable {
    /// The largest request (`socket.request.max.bytes`). A longer one closes its connection before anything is allocated.
    public var requestBytesMax = ByteCount.mib(100)
    /// Requests of one connection that are being worked on at a time; at the limit its socket is not read.
    public var requestsInFlightMax = 64
    /// Bytes of such requests. One request is always let in, however large.
    public var requestBytesInFlightMax = ByteCount.mib(16)
    /// What the requests of all connections may take together; nil is without limit.
    public var budget: RequestBudget?
    /// A request that was begun and has not arrived in full after this long ends its connection, after twice as long at the latest.
    public var receiveMax = Duration.seconds(60)
    /// Above this many unsent response bytes a connection is not read, until they are below `unsentBytesLow`.
    public var unsentBytesHigh = ByteCount.mib(1)
    public var unsentBytesLow = ByteCount.kib(256)
    /// A connection on which nothing moved for this long is closed (`connections.max.idle.ms`).
    public var idleMax = Duration.seconds(600)
    /// Connections of one listener (`max.connections`); further ones are closed at once.
    public var connectionsMax = 10_000
    /// Of those, from one address (`max.connections.per.ip`).
    public var connectionsPerAddressMax = 10_000
    /// Encrypts the connections; nil: plaintext.
    public var security: (any ServerTransportSecurity)?
    /// Whether a peer has to say who it is before it is let in; the dispatcher sees to that.
    public var requiresAuthentication = false
    /// From connecting until a peer is let in: TLS handshake and authentication together. One that is later is closed.
    public var authenticationMax = Duration.seconds(15)
    /// Connections of one listener whose peers are not let in yet; further ones are closed at once.
    public var unauthenticatedMax = 1000
    /// Reads what is copied from files and is not in memory; nil: the event loop does.
    public var fileReads: (any FileReads)?
    public var versions: ServedVersions

    /// The largest request of a peer that is not let in yet: there is nothing long to say who one is.
    static let requestBytesMaxBefore = ByteCount.kib(64)

    /// Whether a connection is counted among the unauthenticated at first.
    var letsInLater: Bool { security != nil || requiresAuthentication }

    public init(versions: ServedVersions) { self.versions = versions }
}

/// The API versions that a server answers, and those it says it answers.
///
/// They differ in one place: Produce is advertised from 0 though 0–2 are refused, or librdkafka before 2.11.1 stops compressing (KIP-896).
public struct ServedVersions: Sendable {
    public struct Range: Sendable, Equatable {
        public var apiKey: ApiKey
        public var versions: ClosedRange<Int16>

        public init(apiKey: ApiKey, versions: ClosedRange<Int16>) {
            self.apiKey = apiKey
            self.versions = versions
        }
    }

    /// In the order of their keys, as ApiVersions lists them.
    public let advertised: [Range]
    private let served: [ClosedRange<Int16>?]

    public init(advertised: [Range], served: [Range]) {
        self.advertised = advertised.sorted { $0.apiKey.rawValue < $1.apiKey.rawValue }
        var table = [ClosedRange<Int16>?](repeating: nil, count: Int(served.map(\.apiKey.rawValue).max() ?? -1) + 1)
        for range in served { table[Int(range.apiKey.rawValue)] = range.versions }
        self.served = table
    }

    /// The versions that are answered; nil for an API that is not.
    public func served(_ apiKey: ApiKey) -> ClosedRange<Int16>? {
        let key = Int(apiKey.rawValue)
        return served.indices.contains(key) ? served[key] : nil
    }
}
