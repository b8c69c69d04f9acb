import Base
import KafkaConnection
import Telemetry

/// Makes what encrypts a listener's connections; chosen by who wires the modules together.
public typealias TransportSecurityMaker = @Sendable (ServerTLSSettings) -> any ServerTransportSecurity

/// The certificates of the listeners that have any: read at the start, and again where their files change, without a restart.
final class ListenerCertificates: Sendable {
    /// How often the files are looked at; a look is a few `stat` calls.
    static let lookInterval = Duration.seconds(1)

    private let listeners: [(listener: String, security: any ServerTransportSecurity)]
    private let telemetry: Telemetry

    init(_ settings: BrokerSettings, make: TransportSecurityMaker?, telemetry: Telemetry) throws(BrokerSettingsError) {
        var listeners: [(listener: String, security: any ServerTransportSecurity)] = []
        for listener in settings.listeners {
            guard let tls = listener.tls else { continue }
            guard let make else {
                throw BrokerSettingsError("listener '\(listener.name)' wants TLS, which this program was built without")
            }
            listeners.append((listener.name, make(tls)))
        }
        self.listeners = listeners
        self.telemetry = telemetry
    }

    var isEmpty: Bool { listeners.isEmpty }

    func security(of listener: String) -> (any ServerTransportSecurity)? {
        listeners.first { $0.listener == listener }?.security
    }

    /// The first reading: one that fails keeps the broker from starting. Blocks.
    func load() throws(BrokerSettingsError) {
        for (listener, security) in listeners {
            do throws(TransportFailure) {
                if let certificate = try security.refresh() { tell(certificate, listener) }
            } catch {
                throw BrokerSettingsError("listener '\(listener)' can't serve TLS: \(error)")
            }
        }
    }

    /// Reads again what changed. What can't be used is told, and changes nothing. Blocks.
    func refresh() {
        for (listener, security) in listeners {
            do throws(TransportFailure) {
                if let certificate = try security.refresh() { tell(certificate, listener) }
            } catch {
                telemetry.emit(CertificateUnusable(listener: listener, reason: error.message))
            }
        }
    }

    private func tell(_ certificate: LoadedCertificate, _ listener: String) {
        telemetry.emit(CertificateLoaded(listener: listener, certificate: certificate))
    }
}
