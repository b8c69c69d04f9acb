import Base
import Broker
import BrokerTestKit
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import NIOPosix
import Sasl
import TestKit
import Testing
import TransportSecurity

/// A broker with a listener for whoever reaches it, and one that asks who is there.
@Suite struct ListenerSaslTests {
    private func withUsers<Value>(
        _ users: [(String, ScramMechanism)] = [("alice", .sha256), ("alice", .sha512)],
        time: any TimeSource = SystemTime(), reauthentication: Duration? = nil, log: RecordedLog = RecordedLog(),
        _ body: (TestBroker, Address) async throws -> Value
    ) async throws -> Value {
        try await TestBroker.with(
            time: time, telemetry: log.telemetry,
            configure: {
                var asking = ListenerSettings(name: "asking", bind: Address(host: "127.0.0.1", port: 0))
                asking.sasl = SaslMechanism.allCases
                asking.reauthentication = reauthentication
                $0.listeners.append(asking)
            },
            { broker in
                try await admin(broker) { admin in
                    for (user, mechanism) in users {
                        try await set("secret of \(user)", of: user, mechanism, by: admin)
                    }
                }
                return try await body(broker, broker.server.addresses[1])
            })
    }

    private func admin<Value>(_ broker: TestBroker, _ body: (Admin) async throws -> Value) async throws -> Value {
        let cluster = KafkaCluster(
            settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
        defer { cluster.shutDown() }
        return try await body(Admin(cluster))
    }

    private func set(
        _ password: String, of user: String, _ mechanism: ScramMechanism, iterations: Int = 4096, by admin: Admin
    ) async throws(ClientError) {
        let salt = Array("salt of \(user)".utf8)
        try await admin.setCredential(
            NewScramCredential(
                user: user, mechanism: mechanism, iterations: iterations, salt: salt,
                saltedPassword: ScramKeys.saltedPassword(
                    mechanism, password: Array(password.utf8), salt: salt, iterations: iterations)))
    }

    private func logIn(
        _ address: Address, _ mechanism: ClientSaslSettings.Mechanism, _ user: String, _ password: String
    ) async throws(ClientError) {
        var settings = ConnectionSettings()
        settings.authentication = SaslClient(
            ClientSaslSettings(mechanism: mechanism, user: user, password: password))
        let connection = try await ClientConnection.connect(
            to: address, on: MultiThreadedEventLoopGroup.singleton, settings: settings)
        defer { connection.close() }
        _ = try await connection.send(MetadataRequest())
    }

    private func refusal(
        _ address: Address, _ mechanism: ClientSaslSettings.Mechanism, _ user: String, _ password: String
    ) async -> ClientError.Code? {
        do throws(ClientError) { try await logIn(address, mechanism, user, password) } catch { return error.code }
        return nil
    }

    @Test(arguments: ClientSaslSettings.Mechanism.allCases)
    func whoKnowsThePasswordIsLetInAndNobodyElse(mechanism: ClientSaslSettings.Mechanism) async throws {
        let log = RecordedLog()
        try await withUsers(log: log) { broker, address in
            try await logIn(address, mechanism, "alice", "secret of alice")
            #expect(await refusal(address, mechanism, "alice", "secret of bob") == .authenticationFailed)
            #expect(await refusal(address, mechanism, "bob", "secret of bob") == .authenticationFailed)
            #expect(await refusal(address, mechanism, "alice", "") != nil)
            // The other listener asks nobody, and does not speak it.
            #expect(await refusal(broker.address, mechanism, "alice", "secret of alice") == .authenticationFailed)
        }
        #expect(log.lines.contains { $0.contains("with that password is known") })
        #expect(!log.lines.contains { $0.contains("secret of") })
    }

    @Test func nothingIsServedBefore() async throws {
        let log = RecordedLog()
        try await withUsers(log: log) { _, address in
            let early = try WireSocket(to: address)
            #expect(try await early.call(ApiVersionsRequest(), version: 2).errorCode == .none)
            try await early.send(MetadataRequest(), version: 9)
            #expect(await early.isEndedByBroker())

            let unasked = try WireSocket(to: address)
            #expect(
                try await unasked.call(SaslAuthenticateRequest(), version: 2).errorCode == .saslAuthenticationFailed)
            #expect(await unasked.isEndedByBroker())

            // Nothing that says who one is is that long.
            let long = try WireSocket(to: address)
            await long.send(bytes: ByteBuffer(bytes: [0, 1, 0, 1, 0, 36, 0, 2]))
            #expect(await long.isEndedByBroker())

            let other = try WireSocket(to: address)
            var handshake = SaslHandshakeRequest()
            handshake.mechanism = "GSSAPI"
            let offer = try await other.call(handshake, version: 1)
            #expect(offer.errorCode == .unsupportedSaslMechanism)
            #expect(offer.mechanisms == ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
        }
        #expect(log.lines.contains { $0.contains("before it authenticated") })
    }

    @Test func aSessionEndsUnlessItIsRenewed() async throws {
        let time = ManualTime()
        try await withUsers(time: time, reauthentication: .seconds(60)) { _, address in
            let renewed = try WireSocket(to: address)
            let forgotten = try WireSocket(to: address)
            for socket in [renewed, forgotten] {
                #expect(try await authenticate(socket, "alice") == 60_000)
                #expect(try await socket.call(MetadataRequest(), version: 9).brokers.count == 1)
            }
            time.advance(by: .seconds(50))
            #expect(try await authenticate(renewed, "alice") == 60_000)
            time.advance(by: .seconds(20))
            #expect(try await renewed.call(MetadataRequest(), version: 9).brokers.count == 1)
            try await forgotten.send(MetadataRequest(), version: 9)
            #expect(await forgotten.isEndedByBroker())
        }
    }

    /// A connection stays whose it is.
    @Test func nobodyBecomesSomebodyElse() async throws {
        try await withUsers([("alice", .sha512), ("bob", .sha512)], reauthentication: .seconds(60)) { _, address in
            let socket = try WireSocket(to: address)
            #expect(try await authenticate(socket, "alice") == 60_000)
            #expect(try await authenticate(socket, "bob") == nil)
            #expect(await socket.isEndedByBroker())
        }
    }

    /// By PLAIN; the session's lifetime, or nil where it was refused.
    private func authenticate(_ socket: WireSocket, _ user: String) async throws -> Int64? {
        var handshake = SaslHandshakeRequest()
        handshake.mechanism = "PLAIN"
        #expect(try await socket.call(handshake, version: 1).errorCode == .none)
        var request = SaslAuthenticateRequest()
        request.authBytes = ByteBuffer(string: "\0\(user)\0secret of \(user)")
        let answer = try await socket.call(request, version: 2)
        return answer.errorCode == .none ? answer.sessionLifetimeMs : nil
    }

    @Test func usersComeAndGo() async throws {
        try await withUsers([("alice", .sha512)]) { broker, address in
            try await admin(broker) { admin in
                let users = try await admin.listUsers()
                #expect(users.map(\.name) == ["alice"])
                #expect(users[0].credentials.map { "\($0.mechanism) \($0.iterations)" } == ["sha512 4096"])
                #expect(await refusal(address, .scramSHA256, "alice", "secret of alice") == .authenticationFailed)
                try await set("other", of: "alice", .sha512, iterations: 16384, by: admin)
                #expect(await refusal(address, .scramSHA512, "alice", "secret of alice") == .authenticationFailed)
                try await logIn(address, .scramSHA512, "alice", "other")
                for iterations in [4095, 16385] {
                    let error = await #expect(throws: ClientError.self) {
                        try await set("x", of: "carol", .sha256, iterations: iterations, by: admin)
                    }
                    #expect(error?.kafkaError == .unacceptableCredential)
                }
                try await admin.removeCredentials([("alice", .sha512)])
                #expect(try await admin.listUsers() == [])
                #expect(await refusal(address, .scramSHA512, "alice", "other") == .authenticationFailed)
                let error = await #expect(throws: ClientError.self) {
                    try await admin.removeCredentials([("alice", .sha512)])
                }
                #expect(error?.kafkaError == .resourceNotFound)
            }
        }
    }

    @Test func aUsersChangesAreMadeTogetherOrNotAtAll() async throws {
        try await withUsers([("alice", .sha512)]) { broker, _ in
            let socket = try WireSocket(to: broker.address)
            var request = AlterUserScramCredentialsRequest()
            func upsertion(_ user: String, _ mechanism: Int8, bytes: Int = 32)
                -> AlterUserScramCredentialsRequest.ScramCredentialUpsertion
            {
                var upsertion = AlterUserScramCredentialsRequest.ScramCredentialUpsertion()
                upsertion.name = user
                upsertion.mechanism = mechanism
                upsertion.iterations = 4096
                upsertion.salt = ByteBuffer(bytes: [UInt8](repeating: 1, count: 16))
                upsertion.saltedPassword = ByteBuffer(bytes: [UInt8](repeating: 2, count: bytes))
                return upsertion
            }
            var deletion = AlterUserScramCredentialsRequest.ScramCredentialDeletion()
            deletion.name = "alice"
            deletion.mechanism = 2
            request.deletions = [deletion]
            request.upsertions = [
                upsertion("alice", 3), upsertion("bob", 1), upsertion("carol", 1), upsertion("carol", 1),
                upsertion("dave", 2, bytes: 32), upsertion("", 1),
            ]
            let answer = try await socket.call(request, version: 0)
            #expect(
                answer.results.map { "\($0.user) \($0.errorCode)" } == [
                    " UNACCEPTABLE_CREDENTIAL", "alice UNSUPPORTED_SASL_MECHANISM", "bob NONE",
                    "carol DUPLICATE_RESOURCE", "dave UNACCEPTABLE_CREDENTIAL",
                ])
            var ask = DescribeUserScramCredentialsRequest()
            ask.users = ["alice", "bob", "carol", "bob"].map { .init(name: $0) }
            let told = try await socket.call(ask, version: 0)
            #expect(
                told.results.map { "\($0.user) \($0.errorCode) \($0.credentialInfos.map(\.mechanism))" } == [
                    "alice NONE [2]", "bob DUPLICATE_RESOURCE []", "carol RESOURCE_NOT_FOUND []",
                ])
        }
    }

    @Test func usersOutliveTheBroker() async throws {
        let files = SimulatedFileSystem()
        var broker = try await TestBroker.start(data: "/data", fileSystem: files)
        try await admin(broker) { try await set("s", of: "a b%=é", .sha256, by: $0) }
        broker = try await broker.killed()
        let users = try await admin(broker) { try await $0.listUsers() }
        #expect(users.map(\.name) == ["a b%=é"])
        await broker.shutDown()
    }

    @Test func passwordsInTheClearWantAWord() throws {
        var listener = ListenerSettings(bind: Address("10.0.0.1:9092")!)
        listener.sasl = [.scramSHA512]
        var settings = BrokerSettings(data: "/data", listeners: [listener])
        try settings.validate()
        settings.listeners[0].sasl = [.scramSHA512, .plain]
        let error = #expect(throws: BrokerSettingsError.self) { try settings.validate() }
        #expect(error?.message.contains("PLAIN") == true)
        settings.listeners[0].tls = serverTLS("server")
        try settings.validate()
    }
}
