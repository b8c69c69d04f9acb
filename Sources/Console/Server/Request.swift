/// A GET as the handlers see it: its path in parts, its query decoded.
struct Request: Sendable {
    var path: String
    var query: [String: String]

    /// Reads a request's target; nil where its escapes or its UTF-8 are broken.
    init?(target: String) {
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = Self.decoded(halves[0], plusIsBlank: false), path.hasPrefix("/") else { return nil }
        self.path = path
        query = [:]
        guard halves.count == 2 else { return }
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0], plusIsBlank: true),
                let value = parts.count == 2 ? Self.decoded(parts[1], plusIsBlank: true) : ""
            else { return nil }
            query[name] = value
        }
    }

    /// A parameter that is there and not empty.
    func text(_ name: String) -> String? {
        guard let value = query[name], !value.isEmpty else { return nil }
        return value
    }

    /// Throws 400 where the parameter is there and no number.
    func number(_ name: String) throws(RequestError) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let number = Int64(text) else {
            throw RequestError(.badRequest, "\(name)=\(text): a whole number is wanted")
        }
        return number
    }

    func required(_ name: String) throws(RequestError) -> String {
        guard let text = text(name) else { throw RequestError(.badRequest, "the parameter '\(name)' is missing") }
        return text
    }

    private static func decoded(_ text: Substring, plusIsBlank: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
