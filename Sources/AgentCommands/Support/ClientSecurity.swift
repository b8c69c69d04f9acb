import KafkaClient
import KafkaConnection
import Sasl
import TransportSecurity

extension ConnectionSettings {
    /// Protects the connections as the settings say. Throws where a file that they name can't be used.
    public mutating func protect(_ settings: ClientSecuritySettings) throws(ConfigurationError) {
        authentication = settings.sasl.map { SaslClient($0) }
        guard let tls = settings.tls else { return }
        let security = ClientTLS(tls)
        do throws(TransportFailure) { try security.check() } catch { throw ConfigurationError("tls: \(error)") }
        self.security = security
    }
}
