/// The hash functions with which SCRAM is spoken (RFC 5802, RFC 7677), under the numbers that Kafka's APIs have for them (KIP-554).
public enum ScramMechanism: Int8, Sendable, Hashable, CaseIterable {
    case sha256 = 1
    case sha512 = 2

    /// As SASL names it.
    public var name: String {
        switch self {
        case .sha256: "SCRAM-SHA-256"
        case .sha512: "SCRAM-SHA-512"
        }
    }

    /// Of a salted password and of both keys.
    public var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        }
    }
}

/// What a server keeps of a password: enough to check it, not enough to log in with (RFC 5802, section 3).
public struct ScramCredential: Sendable, Hashable {
    /// Fewer make guessing too cheap, more make a login too dear (Kafka's bounds).
    public static let iterationsServed = 4096...16384

    public var mechanism: ScramMechanism
    public var iterations: Int
    public var salt: [UInt8]
    public var storedKey: [UInt8]
    public var serverKey: [UInt8]

    public init(
        mechanism: ScramMechanism, iterations: Int, salt: [UInt8], storedKey: [UInt8], serverKey: [UInt8]
    ) {
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }
}
