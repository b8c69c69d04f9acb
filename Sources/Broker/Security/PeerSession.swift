import Base
import KafkaConnection
import KafkaWire

/// What the broker knows of one connection's peer. On the connection's event loop.
final class PeerSession {
    let listener: ListenerSettings
    /// Nil where the listener asks nobody.
    var sasl: SaslSession?

    init(_ listener: ListenerSettings) {
        self.listener = listener
        if !listener.sasl.isEmpty {
            sasl = SaslSession(mechanisms: listener.sasl, lifetimeMax: listener.reauthentication)
        }
    }

    /// Why a request may not be served now; nil where it may.
    func refusal(of apiKey: ApiKey, now: Instant) -> String? {
        guard let sasl else { return nil }
        switch apiKey {
        case .apiVersions, .saslHandshake, .saslAuthenticate: return nil
        default:
            switch sasl.gate(now: now) {
            case .open: return nil
            case .closed(let why): return "a \(apiKey) request came \(why)"
            }
        }
    }

    static func of(_ connection: ServerConnection) -> PeerSession? { connection.session as? PeerSession }
}
