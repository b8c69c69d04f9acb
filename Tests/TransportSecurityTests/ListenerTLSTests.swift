import Base
import Broker
import BrokerTestKit
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import NIOPosix
import Records
import TestKit
import Testing
import TransportSecurity

@Suite struct ListenerTLSTests {
    @Test func recordsGoInAndOutAsTheyAre() async throws {
        try await withSecureBroker(serverTLS("server")) { broker in
            var settings = ClusterSettings(bootstrap: [broker.address])
            settings.connection.security = ClientTLS(clientTLS())
            let cluster = KafkaCluster(settings: settings, on: MultiThreadedEventLoopGroup.singleton)
            defer { cluster.shutDown() }
            // Some pieces, several batches, and an answer that is longer than what a connection holds unsent.
            var random = SeededRandom(seed: 7)
            var values: [[UInt8]] = []
            for number in 0..<5000 {
                let length = Int.random(in: 1...2000, using: &random)
                values.append(Array("\(number) ".utf8) + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* number) })
            }
            var producer = try await RecordProducer.open(cluster: cluster, topic: "t")
            for value in values { try await producer.append(NewRecord(timestamp: SystemTime().wallTime, value: value)) }
            try await producer.flush()

            let partition = TopicPartition(topic: "t", partition: 0)
            let reader = PartitionReader(cluster: cluster, partitions: [partition: .earliest])
            var read: [[UInt8]] = []
            try await reader.run { data in
                for batch in data.batches {
                    var records = try batch.records(decompressedMax: .mib(64))
                    while let record = try records.next() { read.append(Array(buffer: record.value ?? ByteBuffer())) }
                }
                return read.count < values.count
            }
            #expect(read == values)
        }
    }

    @Test func aServerIsWhoItsCertificateSays() async throws {
        try await withSecureBroker(serverTLS("server")) { broker in
            try await connect(broker, clientTLS())
            await expectFailure(broker, clientTLS(ca: "other-ca"), "no CA that is trusted here")
            await expectFailure(broker, clientTLS(ca: nil), "no CA that is trusted here")
        }
        try await withSecureBroker(serverTLS("byname")) { broker in
            var named = clientTLS()
            await expectFailure(broker, named, "for other names")
            named.serverName = "elsewhere.example"
            await expectFailure(broker, named, "for other names")
            named.serverName = "localhost"
            try await connect(broker, named)
        }
        try await withSecureBroker(serverTLS("elsewhere")) { broker in
            await expectFailure(broker, clientTLS(), "for other names")
            var anyName = clientTLS()
            anyName.verifiesHostname = false
            try await connect(broker, anyName)
        }
        try await withSecureBroker(serverTLS("expired")) { broker in
            await expectFailure(broker, clientTLS(), "not valid at this time")
        }
    }

    @Test func clientsShowWhoTheyAreWhereThatIsWanted() async throws {
        let log = RecordedLog()
        try await withSecureBroker(serverTLS("server", clientCA: "ca"), telemetry: log.telemetry) { broker in
            try await connect(broker, clientTLS(certificate: "client"))
            await expectFailure(broker, clientTLS(), "wants a certificate")
            await expectFailure(broker, clientTLS(certificate: "stranger"), "does not accept")
        }
        #expect(log.lines.contains { $0.contains("the client showed no certificate") })
        var requested = serverTLS("server", clientCA: "ca")
        requested.clientCertificates = .requested
        try await withSecureBroker(requested) { broker in
            try await connect(broker, clientTLS())
            try await connect(broker, clientTLS(certificate: "client"))
            await expectFailure(broker, clientTLS(certificate: "stranger"), "does not accept")
        }
    }

    @Test func whatIsNoTLSIsClosedAndEverybodyGoesOn() async throws {
        let log = RecordedLog()
        try await withSecureBroker(serverTLS("server"), telemetry: log.telemetry) { broker in
            var random = SeededRandom(seed: 1)
            let bad: [(String, ByteBuffer)] = [
                ("HTTP", ByteBuffer(string: "GET / HTTP/1.1\r\nHost: broker\r\n\r\n")),
                ("Kafka in plaintext", try WireSocket.lengthFramed(ApiVersionsRequest(), version: 3)),
                ("a TLS record of nothing", ByteBuffer(bytes: [0x16, 0x03, 0x01, 0x00, 0x05, 0, 0, 0, 0, 0])),
                ("a TLS record of a false length", ByteBuffer(bytes: [0x16, 0x03, 0x01, 0xff, 0xff, 1, 2, 3])),
                ("noise", ByteBuffer(bytes: (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) })),
            ]
            for (name, bytes) in bad {
                let peer = try WireSocket(to: broker.address)
                await peer.send(bytes: bytes)
                #expect(await peer.isEndedByBroker(), "\(name)")
                try await connect(broker, clientTLS())
            }
        }
        #expect(log.lines.contains { $0.contains("the client does not speak TLS") })
    }

    @Test func whoIsSilentIsTurnedOutInTime() async throws {
        try await withSecureBroker(
            serverTLS("server"), configure: { $0.limits.authenticationMax = .milliseconds(200) }
        ) { broker in
            let silent = try WireSocket(to: broker.address)
            #expect(await silent.isEndedByBroker())
        }
    }

    @Test func thoseWhoAreNotInYetAreLimited() async throws {
        let log = RecordedLog()
        try await withSecureBroker(
            serverTLS("server"), telemetry: log.telemetry, configure: { $0.limits.unauthenticatedMax = 2 }
        ) { broker in
            // Two that are in don't count.
            var settings = ConnectionSettings()
            settings.security = ClientTLS(clientTLS())
            var inside: [ClientConnection] = []
            for _ in 0..<2 {
                inside.append(
                    try await ClientConnection.connect(
                        to: broker.address, on: MultiThreadedEventLoopGroup.singleton, settings: settings))
            }
            let waiting = [try WireSocket(to: broker.address), try WireSocket(to: broker.address)]
            let third = try WireSocket(to: broker.address)
            #expect(await third.isEndedByBroker())
            for connection in inside { _ = try await connection.send(MetadataRequest()) }
            withExtendedLifetime(waiting) {}
            inside.forEach { $0.close() }
        }
        #expect(log.lines.contains { $0.contains("limits: unauthenticated_connections") })
    }

    @Test func aBrokerWithoutAUsableCertificateDoesNotStart() async throws {
        var mixed = serverTLS("server")
        mixed.key = fixture("renewed.key")
        for (tls, words) in [
            (mixed, "is not the key of the certificate"), (serverTLS("nobody"), "there is no file"),
            (ServerTLSSettings(certificate: fixture("make.sh"), key: fixture("server.key")), "holds no certificate"),
            (ServerTLSSettings(certificate: fixture("server.pem"), key: fixture("server.pem")), "holds no private key"),
        ] {
            let error = await #expect(throws: BrokerSettingsError.self) { try await withSecureBroker(tls) { _ in } }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "–")")
        }
    }
}
