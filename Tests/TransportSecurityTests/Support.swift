import Base
import Broker
import BrokerTestKit
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOPosix
import SystemPackage
import Telemetry
import Testing
import TransportSecurity

/// A file of `Fixtures/`.
func fixture(_ name: String) -> String {
    FilePath(#filePath).removingLastComponent().appending("Fixtures").appending(name).string
}

func serverTLS(_ name: String, clientCA: String? = nil) -> ServerTLSSettings {
    ServerTLSSettings(
        certificate: fixture("\(name).pem"), key: fixture("\(name).key"),
        clientCA: clientCA.map { fixture("\($0).pem") })
}

func clientTLS(ca: String? = "ca", certificate: String? = nil) -> ClientTLSSettings {
    var settings = ClientTLSSettings(ca: ca.map { fixture("\($0).pem") })
    settings.certificate = certificate.map { fixture("\($0).pem") }
    settings.key = certificate.map { fixture("\($0).key") }
    return settings
}

/// A broker whose only listener has TLS.
func withSecureBroker<Value>(
    _ tls: ServerTLSSettings, telemetry: Telemetry = .silent, configure: (inout BrokerSettings) -> Void = { _ in },
    _ body: (TestBroker) async throws -> Value
) async throws -> Value {
    try await TestBroker.with(
        telemetry: telemetry, transportSecurity: { ServerTLS($0) },
        configure: {
            $0.listeners[0].tls = tls
            configure(&$0)
        }, body)
}

/// One connection, and whether the broker answers on it.
func connect(_ broker: TestBroker, _ tls: ClientTLSSettings) async throws(ClientError) {
    var settings = ConnectionSettings()
    settings.security = ClientTLS(tls)
    let connection = try await ClientConnection.connect(
        to: broker.address, on: MultiThreadedEventLoopGroup.singleton, settings: settings)
    defer { connection.close() }
    _ = try await connection.send(MetadataRequest())
}

/// The connection fails, for that reason.
func expectFailure(_ broker: TestBroker, _ tls: ClientTLSSettings, _ words: String) async {
    do throws(ClientError) {
        try await connect(broker, tls)
        Issue.record("it connected; expected: \(words)")
    } catch {
        #expect(error.message.contains(words), "\(error.message)")
    }
}
