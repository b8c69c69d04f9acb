import KafkaConnection

/// How a client may say who it is.
public enum SaslMechanism: String, Sendable, CaseIterable {
    /// The password itself, under TLS; checked against what is kept for SCRAM.
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"

    /// The SCRAM that it is; nil for PLAIN.
    var scram: ScramMechanism? {
        switch self {
        case .plain: nil
        case .scramSHA256: .sha256
        case .scramSHA512: .sha512
        }
    }
}
