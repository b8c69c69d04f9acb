import KafkaConnection
import Testing

@testable import Sasl

/// The exchange of RFC 7677, section 3, and one for SHA-512 computed with Python's hashlib.
@Suite struct ScramTests {
    private static let user = "user"
    private static let password = "pencil"

    struct Exchange: Sendable, CustomStringConvertible {
        var mechanism: ScramMechanism
        var salt: String
        var clientNonce: String
        var serverNonce: String
        var proof: String
        var signature: String

        var description: String { mechanism.name }
        var clientFirst: String { "n,,n=user,r=\(clientNonce)" }
        var serverFirst: String { "r=\(clientNonce)\(serverNonce),s=\(salt),i=4096" }
        var clientFinal: String { "c=biws,r=\(clientNonce)\(serverNonce),p=\(proof)" }
        var serverFinal: String { "v=\(signature)" }

        var credential: ScramCredential {
            ScramCredential(
                mechanism: mechanism, password: ScramTests.password, salt: Base64.decode(salt)!, iterations: 4096)
        }

        func server(_ user: String = ScramTests.user) -> ScramServer {
            let credential = credential
            return ScramServer(mechanism, secret: [1, 2, 3], nonce: serverNonce) { $0 == user ? credential : nil }
        }

        func client(_ password: String = ScramTests.password) -> ScramClient {
            ScramClient(mechanism, user: ScramTests.user, password: password, nonce: clientNonce)
        }
    }

    static let exchanges = [
        Exchange(
            mechanism: .sha256, salt: "W22ZaJ0SNY7soEsUEjb6gQ==", clientNonce: "rOprNGfwEbeRWgbNEkqO",
            serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Exchange(
            mechanism: .sha512, salt: "W22ZaJ0SNY7soEsUEjb6gQ==", clientNonce: "rOprNGfwEbeRWgbNEkqO",
            serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            proof: "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
            signature: "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="),
    ]

    @Test(arguments: exchanges) func theClientSpeaksAsTheRFCDoes(_ exchange: Exchange) throws {
        var client = exchange.client()
        #expect(try client.next(received: nil) == Array(exchange.clientFirst.utf8))
        #expect(try client.next(received: Array(exchange.serverFirst.utf8)) == Array(exchange.clientFinal.utf8))
        #expect(try client.next(received: Array(exchange.serverFinal.utf8)) == nil)
    }

    @Test(arguments: exchanges) func theServerSpeaksAsTheRFCDoes(_ exchange: Exchange) throws {
        var server = exchange.server()
        #expect(try server.received(Array(exchange.clientFirst.utf8)) == .challenge(Array(exchange.serverFirst.utf8)))
        #expect(
            try server.received(Array(exchange.clientFinal.utf8))
                == .authenticated(user: "user", last: Array(exchange.serverFinal.utf8)))
    }

    private func run(_ client: inout ScramClient, _ server: inout ScramServer) throws(AuthenticationFailure) -> String {
        var received: [UInt8]?
        while true {
            guard let message = try client.next(received: received) else { return "no user was told" }
            switch try server.received(message) {
            case .challenge(let bytes): received = bytes
            case .authenticated(let user, let last):
                guard try client.next(received: last) == nil else { return "the client goes on" }
                return user
            }
        }
    }

    @Test(arguments: ScramMechanism.allCases) func namesAndPasswordsMayHoldAnything(mechanism: ScramMechanism) throws {
        let (user, password) = ("a=b,c=2C é", "p,=\u{1F511} ")
        let credential = ScramCredential(mechanism: mechanism, password: password, salt: [9, 8, 7], iterations: 5000)
        var server = ScramServer(mechanism, secret: []) { $0 == user ? credential : nil }
        var client = ScramClient(mechanism, user: user, password: password)
        #expect(try run(&client, &server) == user)
        #expect(credential.matches(password: password))
        #expect(!credential.matches(password: password + "x"))
    }

    @Test(arguments: exchanges) func aWrongPasswordIsRefused(_ exchange: Exchange) throws {
        var server = exchange.server()
        var client = exchange.client("pencils")
        #expect(throws: AuthenticationFailure.self) { try run(&client, &server) }
    }

    /// Whoever asks for a user that isn't there gets as far as with a wrong password, and the same salt each time.
    @Test(arguments: exchanges) func nobodyLearnsWhoIsKnown(_ exchange: Exchange) throws {
        var salts: [String] = []
        for _ in 0..<2 {
            var server = exchange.server("another")
            var client = exchange.client()
            let first = try #require(try client.next(received: nil))
            guard case .challenge(let challenge) = try server.received(first) else {
                Issue.record("no challenge")
                return
            }
            salts.append(String(decoding: challenge, as: UTF8.self))
            let proof = try #require(try client.next(received: challenge))
            let error = #expect(throws: AuthenticationFailure.self) { try server.received(proof) }
            #expect(error?.message.contains("with that password") == true)
        }
        #expect(salts[0] == salts[1])
    }

    /// The stored key alone must not do as a proof for a user that is not known, whose keys are all zero.
    @Test func theKeysOfNobodyOpenNothing() throws {
        var server = ScramServer(.sha256, secret: [1], nonce: "S") { _ in nil }
        _ = try server.received(Array("n,,n=user,r=C".utf8))
        for proof in [[UInt8](repeating: 0, count: 32), []] {
            var copy = server
            let message = "c=biws,r=CS,p=\(Base64.encode(proof))"
            #expect(throws: AuthenticationFailure.self) { try copy.received(Array(message.utf8)) }
        }
    }

    @Test(arguments: [
        "", "n", "n,,", "n,,n=user", "n,,r=abc,n=user", "n,,n=,r=abc", "n,,n=user,r=", "n,,n=us=2Xer,r=abc",
        "p=tls-unique,,n=user,r=abc", "x,,n=user,r=abc", "n,a=root,n=user,r=abc", "n,,n=user,r=a b",
        "n,,m=1,n=user,r=abc",
    ]) func aFirstMessageThatIsNoneIsRefused(text: String) throws {
        var server = Self.exchanges[0].server()
        #expect(throws: AuthenticationFailure.self) { try server.received(Array(text.utf8)) }
        // Nothing may follow.
        #expect(throws: AuthenticationFailure.self) { try server.received(Array(Self.exchanges[0].clientFirst.utf8)) }
    }

    @Test func aLastMessageThatIsNoneIsRefused() throws {
        let exchange = Self.exchanges[0]
        let nonce = exchange.clientNonce + exchange.serverNonce
        for text in [
            "", "c=biws", "c=biws,r=\(nonce)", "c=biws,r=\(nonce),p=", "c=biws,r=\(nonce),p=@@@@",
            "c=biws,r=\(nonce)x,p=\(exchange.proof)", "c=eSws,r=\(nonce),p=\(exchange.proof)",
            "r=\(nonce),c=biws,p=\(exchange.proof)", "c=biws,r=\(nonce),p=\(exchange.proof),x=1",
            String(repeating: "a", count: 5000),
        ] {
            var server = exchange.server()
            _ = try server.received(Array(exchange.clientFirst.utf8))
            #expect(throws: AuthenticationFailure.self, "\(text)") { try server.received(Array(text.utf8)) }
        }
    }

    @Test func aServerThatDoesNotKnowThePasswordIsRefused() throws {
        let exchange = Self.exchanges[0]
        for serverFirst in [
            "r=\(exchange.serverNonce),s=\(exchange.salt),i=4096",
            "r=\(exchange.clientNonce),s=\(exchange.salt),i=4096",
            "r=\(exchange.clientNonce)x,s=\(exchange.salt),i=1",
            "r=\(exchange.clientNonce)x,s=\(exchange.salt),i=100000000",
            "e=other-error", "hello",
        ] {
            var client = exchange.client()
            _ = try client.next(received: nil)
            #expect(throws: AuthenticationFailure.self, "\(serverFirst)") {
                try client.next(received: Array(serverFirst.utf8))
            }
        }
        for serverFinal in ["v=AAAA", "v=", "e=invalid-proof", ""] {
            var client = exchange.client()
            _ = try client.next(received: nil)
            _ = try client.next(received: Array(exchange.serverFirst.utf8))
            #expect(throws: AuthenticationFailure.self, "\(serverFinal)") {
                try client.next(received: Array(serverFinal.utf8))
            }
        }
    }
}

@Suite struct PlainTests {
    @Test func userAndPasswordAreRead() throws {
        let (user, password) = try Plain.decode([0] + Array("alice".utf8) + [0] + Array("pass word".utf8))
        #expect(user == "alice" && password == "pass word")
        #expect(try Plain.decode(Array("bob\0bob\0x".utf8)).user == "bob")
        var client = PlainClient(user: "alice", password: "s")
        let message = try #require(try client.next(received: nil))
        #expect(try Plain.decode(message).password == "s")
        #expect(try client.next(received: []) == nil)
    }

    @Test(arguments: ["", "alice", "alice\0s", "\0\0s", "\0alice\0", "root\0alice\0s", "\0alice\0s\0t"])
    func whatIsNoneIsRefused(text: String) {
        #expect(throws: AuthenticationFailure.self) { try Plain.decode(Array(text.utf8)) }
    }
}

@Suite struct Base64Tests {
    @Test func bytesComeBack() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        #expect(Base64.encode(Array("fooba".utf8)) == "Zm9vYmE=")
    }

    @Test(arguments: ["A", "AA", "AAA", "A===", "====", "AA==AAAA", "AA=A", "AAA*", "AAAAA"])
    func whatIsNoneIsRefused(text: String) { #expect(Base64.decode(text) == nil) }
}
