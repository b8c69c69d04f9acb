import KafkaConnection

/// What SCRAM's messages say (RFC 5802, section 7): attributes `a=value`, separated by commas.
enum ScramMessages {
    /// A longer message is none: nothing in it needs more.
    static let bytesMax = 4096

    static func attributes(_ text: String) -> [(name: Character, value: String)]? {
        var attributes: [(name: Character, value: String)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let name = part.first, part.dropFirst().first == "=" else { return nil }
            attributes.append((name, String(part.dropFirst(2))))
        }
        return attributes
    }

    /// A user's name as an attribute holds it.
    static func escape(_ name: String) -> String {
        name.map { $0 == "=" ? "=3D" : $0 == "," ? "=2C" : String($0) }.joined()
    }

    static func unescape(_ text: String) -> String? {
        var name = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "=" else {
                name.append(character)
                continue
            }
            switch rest.prefix(2) {
            case "2C": name.append(",")
            case "3D": name.append("=")
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        return name
    }

    /// Printable ASCII but the comma.
    static func isNonce(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ",") }
    }

    static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count <= bytesMax else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// 24 random bytes, as text.
    static func nonce() -> String {
        var random = SystemRandomNumberGenerator()
        return Base64.encode((0..<24).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
}
