public import KafkaConnection

/// PLAIN (RFC 4616): `[authzid] NUL user NUL password`.
public enum Plain {
    /// Longer than any name and password.
    static let bytesMax = 4096

    /// Name and password of a client's one message.
    public static func decode(_ bytes: [UInt8]) throws(AuthenticationFailure) -> (user: String, password: String) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard bytes.count <= bytesMax, parts.count == 3, let authority = String(validating: parts[0], as: UTF8.self),
            let user = String(validating: parts[1], as: UTF8.self), !user.isEmpty,
            let password = String(validating: parts[2], as: UTF8.self), !password.isEmpty
        else { throw AuthenticationFailure("a PLAIN message has to be a user and a password, each behind a NUL") }
        guard authority.isEmpty || authority == user else {
            throw AuthenticationFailure("user \(user) wants to act for another, which is not served")
        }
        return (user, password)
    }
}

/// A client's side of PLAIN: one message, and an answer without content.
struct PlainClient: ClientExchange {
    let user: String
    let password: String
    private var hasSent = false

    init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    mutating func next(received: [UInt8]?) throws(AuthenticationFailure) -> [UInt8]? {
        guard !hasSent else { return nil }
        hasSent = true
        return [0] + Array(user.utf8) + [0] + Array(password.utf8)
    }
}
