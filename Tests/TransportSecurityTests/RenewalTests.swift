import Base
import Broker
import BrokerTestKit
import KafkaConnection
import SystemPackage
import TestKit
import Testing
import TransportSecurity

/// Certificates are replaced while the broker runs.
@Suite struct RenewalTests {
    /// A folder with `agg.pem` and `agg.key`, which can be replaced.
    private struct Folder {
        let path = FilePath("/tmp/millrace-test-tls-\(UInt64.random(in: 0...UInt64.max))")
        let files = PosixFileSystem()

        init(_ name: String) throws {
            try files.createDirectory(path)
            try install("\(name).pem", as: "agg.pem")
            try install("\(name).key", as: "agg.key")
        }

        func install(_ name: String, as target: String) throws {
            let bytes = try files.contents(of: FilePath(fixture(name)), bytesMax: .mib(1))!
            try files.replace(path.appending(target), with: bytes)
        }

        var settings: ServerTLSSettings {
            ServerTLSSettings(
                certificate: path.appending("agg.pem").string, key: path.appending("agg.key").string)
        }

        func remove() {
            for entry in (try? files.list(path)) ?? [] { try? files.unlink(path.appending(entry.name)) }
            try? files.removeDirectory(path)
        }
    }

    @Test func newConnectionsGetTheNewCertificate() async throws {
        let folder = try Folder("byname")
        defer { folder.remove() }
        var renewed = clientTLS()
        renewed.serverName = "renewed.example"
        try await withSecureBroker(folder.settings) { broker in
            await expectFailure(broker, renewed, "for other names")
            try folder.install("renewed.pem", as: "agg.pem")
            try folder.install("renewed.key", as: "agg.key")
            await broker.server.refreshCertificates()
            try await connect(broker, renewed)
        }
    }

    @Test func halfARenewalChangesNothing() async throws {
        let folder = try Folder("server")
        defer { folder.remove() }
        let log = RecordedLog()
        var renewed = clientTLS()
        renewed.serverName = "renewed.example"
        try await withSecureBroker(folder.settings, telemetry: log.telemetry) { broker in
            try folder.install("renewed.pem", as: "agg.pem")
            await broker.server.refreshCertificates()
            try await connect(broker, clientTLS())
            #expect(log.lines.contains { $0.contains("error: the new certificate of listener main can't be used") })
            // The other half comes.
            try folder.install("renewed.key", as: "agg.key")
            await broker.server.refreshCertificates()
            try await connect(broker, renewed)
        }
    }
}
