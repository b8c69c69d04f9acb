import Crypto
import Events

/// How what a text tells of a person is taken out of it.
struct Redaction: Sendable {
    enum Method: String, Sendable, CaseIterable {
        /// `***`, whatever stood there.
        case mask
        /// An address's host part is zeroed: 203.0.113.7 becomes 203.0.113.0 (24 bits are kept), 2001:db8:1:2::7 becomes 2001:db8:1:: (48 bits). What is
        /// no address becomes null: it might be one in a notation that isn't known here.
        case truncateIP = "truncate_ip"
        /// The first 128 bits of its HMAC-SHA256, as hexadecimal digits: the same text gives the same digits, and without the key nobody can try texts.
        case hash
    }

    static let mask = "***"
    static let keyBytesMin = 16

    var method: Method
    /// Only for `hash`.
    private let key: SymmetricKey?

    init(_ method: Method, key: String? = nil) {
        self.method = method
        self.key = key.map { SymmetricKey(data: Array($0.utf8)) }
    }

    /// - Parameter value: any but null, which tells nothing.
    func redact(_ value: Value) -> Value {
        switch (method, value) {
        case (.truncateIP, .string(let text)): Address.truncated(text).map { .string($0) } ?? .null
        case (.truncateIP, _): .null
        case (.mask, _), (.hash, _): .string(redact(value.plainText))
        }
    }

    /// What stands in place of a text, or of a part of one.
    func redact(_ text: String) -> String {
        switch method {
        case .mask: Self.mask
        case .truncateIP: Address.truncated(text) ?? Self.mask
        case .hash: hashed(text)
        }
    }

    private func hashed(_ text: String) -> String {
        guard let key else { preconditionFailure("a hash without its key") }
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
        var digits = ""
        for byte in code.prefix(16) {
            let text = String(byte, radix: 16)
            digits += text.count == 1 ? "0\(text)" : text
        }
        return digits
    }
}
