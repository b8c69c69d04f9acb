public import KafkaConnection

/// The client's side of one SCRAM exchange (RFC 5802, RFC 7677), without I/O. The server has to prove that it knows the password, too.
public struct ScramClient: ClientExchange, Sendable {
    /// A server that asks for more wants to keep this client busy.
    static let iterationsMax = 1_000_000

    private enum State {
        case beginning
        case waitingForSalt(bare: String)
        case waitingForSignature([UInt8])
        case over
    }

    private let mechanism: ScramMechanism
    private let user: String
    private let password: String
    private let nonce: String
    private var state = State.beginning

    /// - Parameter nonce: random but in tests.
    public init(_ mechanism: ScramMechanism, user: String, password: String, nonce: String? = nil) {
        self.mechanism = mechanism
        self.user = user
        self.password = password
        self.nonce = nonce ?? ScramMessages.nonce()
    }

    public mutating func next(received: [UInt8]?) throws(AuthenticationFailure) -> [UInt8]? {
        switch state {
        case .beginning:
            let bare = "n=\(ScramMessages.escape(user)),r=\(nonce)"
            state = .waitingForSalt(bare: bare)
            return Array("n,,\(bare)".utf8)
        case .waitingForSalt(let bare):
            state = .over
            return try saltReceived(try attributes(received), bare: bare)
        case .waitingForSignature(let expected):
            state = .over
            guard let signature = try attributes(received).list.first, signature.name == "v",
                let bytes = Base64.decode(signature.value), ScramKeys.areEqual(bytes, expected)
            else { throw AuthenticationFailure("the server does not prove that it knows the password of \(user)") }
            return nil
        case .over: throw AuthenticationFailure("the server goes on though the exchange is over")
        }
    }

    private func attributes(
        _ received: [UInt8]?
    ) throws(AuthenticationFailure) -> (text: String, list: [(name: Character, value: String)]) {
        guard let text = received.flatMap(ScramMessages.text), let list = ScramMessages.attributes(text) else {
            throw AuthenticationFailure("the server does not speak \(mechanism.name)")
        }
        if let error = list.first(where: { $0.name == "e" }) {
            throw AuthenticationFailure("the server refused \(user): \(error.value)")
        }
        return (text, list)
    }

    private mutating func saltReceived(
        _ message: (text: String, list: [(name: Character, value: String)]), bare: String
    ) throws(AuthenticationFailure) -> [UInt8] {
        let list = message.list
        guard list.count >= 3, list[0].name == "r", list[1].name == "s", list[2].name == "i",
            let salt = Base64.decode(list[1].value), let iterations = Int(list[2].value)
        else { throw AuthenticationFailure("the server does not speak \(mechanism.name)") }
        guard list[0].value.hasPrefix(nonce), list[0].value.utf8.count > nonce.utf8.count,
            ScramMessages.isNonce(list[0].value)
        else { throw AuthenticationFailure("the server answered another client's nonce") }
        guard (ScramCredential.iterationsServed.lowerBound...Self.iterationsMax).contains(iterations) else {
            throw AuthenticationFailure("the server wants \(iterations) iterations, at least 4096 are safe")
        }
        let salted = ScramKeys.saltedPassword(
            mechanism, password: Array(password.utf8), salt: salt, iterations: iterations)
        let clientKey = ScramKeys.mac(mechanism, key: salted, "Client Key")
        let last = "c=biws,r=\(list[0].value)"
        let authMessage = "\(bare),\(message.text),\(last)"
        let signature = ScramKeys.mac(mechanism, key: ScramKeys.hash(mechanism, clientKey), authMessage)
        let serverKey = ScramKeys.mac(mechanism, key: salted, "Server Key")
        state = .waitingForSignature(ScramKeys.mac(mechanism, key: serverKey, authMessage))
        return Array("\(last),p=\(Base64.encode(ScramKeys.xor(clientKey, signature)))".utf8)
    }
}
