/// A host name or IP address with a port, written `host:port` or `[ipv6]:port`.
public struct Address: Hashable, Sendable, CustomStringConvertible {
    public static let kafkaPort = 9092

    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; without a port it is 9092. Nil where the text is none of these.
    public init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = String(text[..<end])
            rest = text[end...]
        }
        guard !host.isEmpty else { return nil }
        if rest.isEmpty {
            port = Self.kafkaPort
        } else {
            guard rest.first == ":", let port = Int(rest.dropFirst()), (0...65535).contains(port) else { return nil }
            self.port = port
        }
    }

    /// Reads a comma-separated list (`bootstrap.servers`); nil where one entry is no address or there is none.
    public static func list(_ text: String) -> [Address]? {
        var addresses: [Address] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = entry.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            guard let address = Address(String(trimmed)) else { return nil }
            addresses.append(address)
        }
        return addresses.isEmpty ? nil : addresses
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
