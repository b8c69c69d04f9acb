public import KafkaConnection

/// The server's side of one SCRAM exchange (RFC 5802, RFC 7677), without I/O.
///
///     C: n,,n=user,r=NONCE
///     S: r=NONCE+OURS,s=SALT,i=ITERATIONS
///     C: c=biws,r=NONCE+OURS,p=PROOF
///     S: v=SIGNATURE                        or the exchange fails
///
/// A user that is not known gets a salt all the same, the same one each time, so that nobody learns who is.
public struct ScramServer: Sendable {
    public enum Outcome: Sendable, Equatable {
        /// Send this and wait for more.
        case challenge([UInt8])
        /// The client is who it says; send this.
        case authenticated(user: String, last: [UInt8])
    }

    private enum State {
        case waitingForFirst
        case waitingForProof(Exchange)
        case over
    }

    private struct Exchange {
        var user: String
        var credential: ScramCredential
        var isKnown: Bool
        /// `gs2-header`, which the proof repeats.
        var header: String
        var nonce: String
        /// `client-first-message-bare,server-first-message`.
        var messages: String
    }

    private let mechanism: ScramMechanism
    private let serverNonce: String
    private let secret: [UInt8]
    private let credential: @Sendable (_ user: String) -> ScramCredential?
    private var state = State.waitingForFirst

    /// - Parameters:
    ///   - secret: of this server, from which unknown users get their salts.
    ///   - nonce: this side's part of the nonce; random but in tests.
    ///   - credential: what is kept of a user's password.
    public init(
        _ mechanism: ScramMechanism, secret: [UInt8], nonce: String? = nil,
        credential: @escaping @Sendable (_ user: String) -> ScramCredential?
    ) {
        self.mechanism = mechanism
        self.secret = secret
        self.credential = credential
        serverNonce = nonce ?? ScramMessages.nonce()
    }

    public mutating func received(_ bytes: [UInt8]) throws(AuthenticationFailure) -> Outcome {
        let state = state
        self.state = .over
        guard let text = ScramMessages.text(bytes) else {
            throw AuthenticationFailure("a SCRAM message is no text, or too long")
        }
        switch state {
        case .waitingForFirst: return try firstReceived(text)
        case .waitingForProof(let exchange): return try proofReceived(text, exchange)
        case .over: throw AuthenticationFailure("a SCRAM message came after the exchange was over")
        }
    }

    private mutating func firstReceived(_ text: String) throws(AuthenticationFailure) -> Outcome {
        // gs2-cbind-flag , [authzid] , client-first-message-bare
        let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == "n" || parts[0] == "y" else {
            throw AuthenticationFailure("a SCRAM exchange has to begin with 'n,' (channel binding is not served)")
        }
        guard let attributes = ScramMessages.attributes(parts[2]), attributes.count >= 2, attributes[0].name == "n",
            attributes[1].name == "r", ScramMessages.isNonce(attributes[1].value),
            let user = ScramMessages.unescape(attributes[0].value), !user.isEmpty
        else { throw AuthenticationFailure("a SCRAM client's first message names no user, or no nonce") }
        guard parts[1].isEmpty || parts[1] == "a=\(attributes[0].value)" else {
            throw AuthenticationFailure("user \(user) wants to act for another, which is not served")
        }
        let known = credential(user)
        let used = known ?? nobody(user)
        let nonce = attributes[1].value + serverNonce
        let answer = "r=\(nonce),s=\(Base64.encode(used.salt)),i=\(used.iterations)"
        state = .waitingForProof(
            Exchange(
                user: user, credential: used, isKnown: known != nil, header: "\(parts[0]),\(parts[1]),", nonce: nonce,
                messages: "\(parts[2]),\(answer)"))
        return .challenge(Array(answer.utf8))
    }

    private func proofReceived(_ text: String, _ exchange: Exchange) throws(AuthenticationFailure) -> Outcome {
        guard let end = text.range(of: ",p="), let proof = Base64.decode(String(text[end.upperBound...])),
            let attributes = ScramMessages.attributes(String(text[..<end.lowerBound])), attributes.count >= 2,
            attributes[0].name == "c", attributes[1].name == "r"
        else { throw AuthenticationFailure("a SCRAM client's last message holds no proof") }
        guard attributes[0].value == Base64.encode(Array(exchange.header.utf8)) else {
            throw AuthenticationFailure("a SCRAM client's last message repeats another beginning than it made")
        }
        guard attributes[1].value == exchange.nonce else {
            throw AuthenticationFailure("a SCRAM client's last message has another nonce")
        }
        let authMessage = "\(exchange.messages),\(text[..<end.lowerBound])"
        let kept = exchange.credential
        let signature = ScramKeys.mac(mechanism, key: kept.storedKey, authMessage)
        let clientKey = ScramKeys.xor(proof, signature)
        let isRight =
            proof.count == mechanism.byteCount
            && ScramKeys.areEqual(ScramKeys.hash(mechanism, clientKey), kept.storedKey)
        guard isRight, exchange.isKnown else {
            throw AuthenticationFailure("no user \(exchange.user) with that password is known for \(mechanism.name)")
        }
        let server = ScramKeys.mac(mechanism, key: kept.serverKey, authMessage)
        return .authenticated(user: exchange.user, last: Array("v=\(Base64.encode(server))".utf8))
    }

    private func nobody(_ user: String) -> ScramCredential {
        let salt = Array(ScramKeys.mac(mechanism, key: secret, user).prefix(16))
        let key = [UInt8](repeating: 0, count: mechanism.byteCount)
        return ScramCredential(
            mechanism: mechanism, iterations: ScramCredential.iterationsServed.lowerBound, salt: salt, storedKey: key,
            serverKey: key)
    }
}

extension String {
    /// The first place where the text stands.
    fileprivate func range(of text: String) -> Range<Index>? {
        var place = startIndex
        while place < endIndex {
            if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
            place = index(after: place)
        }
        return nil
    }
}
