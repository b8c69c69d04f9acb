import Crypto
public import KafkaConnection

extension ScramCredential {
    /// What is kept of a password. Takes some milliseconds for each thousand iterations: not on an event loop.
    public init(mechanism: ScramMechanism, password: String, salt: [UInt8], iterations: Int) {
        let salted = ScramKeys.saltedPassword(
            mechanism, password: Array(password.utf8), salt: salt, iterations: iterations)
        self.init(mechanism: mechanism, saltedPassword: salted, salt: salt, iterations: iterations)
    }

    /// What is kept of a salted password, as AlterUserScramCredentials brings it.
    public init(mechanism: ScramMechanism, saltedPassword: [UInt8], salt: [UInt8], iterations: Int) {
        self.init(
            mechanism: mechanism, iterations: iterations, salt: salt,
            storedKey: ScramKeys.hash(mechanism, ScramKeys.mac(mechanism, key: saltedPassword, "Client Key")),
            serverKey: ScramKeys.mac(mechanism, key: saltedPassword, "Server Key"))
    }

    /// True where the password is the one that this was made of. Takes as long as making it: not on an event loop.
    public func matches(password: String) -> Bool {
        let other = ScramCredential(mechanism: mechanism, password: password, salt: salt, iterations: iterations)
        return ScramKeys.areEqual(other.storedKey, storedKey)
    }
}

/// The functions of RFC 5802, section 2.2.
public enum ScramKeys {
    /// `Hi`: PBKDF2 with one block.
    public static func saltedPassword(
        _ mechanism: ScramMechanism, password: [UInt8], salt: [UInt8], iterations: Int
    ) -> [UInt8] {
        switch mechanism {
        case .sha256: derive(SHA256.self, password, salt, iterations)
        case .sha512: derive(SHA512.self, password, salt, iterations)
        }
    }

    static func mac(_ mechanism: ScramMechanism, key: [UInt8], _ text: String) -> [UInt8] {
        switch mechanism {
        case .sha256: mac(SHA256.self, key, Array(text.utf8))
        case .sha512: mac(SHA512.self, key, Array(text.utf8))
        }
    }

    static func hash(_ mechanism: ScramMechanism, _ bytes: [UInt8]) -> [UInt8] {
        switch mechanism {
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha512: Array(SHA512.hash(data: bytes))
        }
    }

    static func xor(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { zip(left, right).map { $0 ^ $1 } }

    /// Takes as long whether they differ or not.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }

    private static func mac<Hash: HashFunction>(_: Hash.Type, _ key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<Hash>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }

    private static func derive<Hash: HashFunction>(
        _: Hash.Type, _ password: [UInt8], _ salt: [UInt8], _ iterations: Int
    ) -> [UInt8] {
        let key = SymmetricKey(data: password)
        var last = HMAC<Hash>.authenticationCode(for: salt + [0, 0, 0, 1], using: key)
        var sum = Array(last)
        for _ in 1..<max(1, iterations) {
            last = last.withUnsafeBytes { HMAC<Hash>.authenticationCode(for: $0, using: key) }
            last.withUnsafeBytes { bytes in for place in sum.indices { sum[place] ^= bytes[place] } }
        }
        return sum
    }
}
