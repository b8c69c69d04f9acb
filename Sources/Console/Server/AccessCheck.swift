import NIOHTTP1

/// Who may see what. Pure, so that each case is a test.
struct AccessCheck: Sendable {
    enum Verdict: Equatable, Sendable {
        case allowed
        /// 401: bring the token.
        case tokenWanted
        /// 403, with the reason.
        case forbidden(String)
    }

    let token: String?
    let isLoopback: Bool

    /// `/healthz` and `/readyz` are open, since a load balancer has no secrets. All else wants the token where there is one. On the loopback
    /// without a token the Host header must name the loopback: a foreign page whose name was rebound to 127.0.0.1 names itself there.
    func verdict(path: String, headers: HTTPHeaders) -> Verdict {
        if path == "/healthz" || path == "/readyz" { return .allowed }
        if headers["sec-fetch-site"].contains("cross-site"), headers["sec-fetch-mode"] != ["navigate"] {
            return .forbidden("another site's page asked for this")
        }
        if let token { return Self.brings(token, headers) ? .allowed : .tokenWanted }
        guard isLoopback else {
            // Metrics alone are served without a token, as every Millrace process does.
            if path == "/metrics" { return .allowed }
            return .forbidden("this console listens beyond the loopback and has no token: set --console-token-file")
        }
        let hosts = headers["host"]
        guard hosts.count == 1, Self.namesLoopback(hosts[0]) else {
            return .forbidden("the Host header names another machine; open http://127.0.0.1 or http://localhost")
        }
        return .allowed
    }

    static func namesLoopback(_ host: String) -> Bool {
        var name = host[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            guard name[name.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
            name = name[..<colon]
        }
        return ["127.0.0.1", "localhost", "[::1]"].contains(name.lowercased())
    }

    /// `Authorization: Bearer TOKEN`, or Basic with any user and the token as password.
    private static func brings(_ token: String, _ headers: HTTPHeaders) -> Bool {
        let values = headers["authorization"]
        guard values.count == 1, let blank = values[0].firstIndex(of: " ") else { return false }
        let credentials = values[0][values[0].index(after: blank)...]
        switch values[0][..<blank].lowercased() {
        case "bearer": return areEqual(Array(credentials.utf8), Array(token.utf8))
        case "basic":
            guard let pair = Base64.decode(credentials), let colon = pair.firstIndex(of: UInt8(ascii: ":")) else {
                return false
            }
            return areEqual(Array(pair[(colon + 1)...]), Array(token.utf8))
        default: return false
        }
    }

    /// Takes the same time wherever the two differ; its time tells the given one's length only.
    static func areEqual(_ given: [UInt8], _ secret: [UInt8]) -> Bool {
        var difference = given.count ^ secret.count
        for (place, byte) in given.enumerated() {
            difference |= Int(byte ^ secret[place % max(secret.count, 1)])
        }
        return difference == 0
    }
}

/// RFC 4648, with its padding or without.
enum Base64 {
    static func decode(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            if character == UInt8(ascii: "=") { break }
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
