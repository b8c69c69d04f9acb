public import Base
public import RemoteStores
import Settings

/// Rows as JSON in the body of an HTTP request.
public struct WebhookSinkSettings: Sendable {
    public enum Method: String, Sendable, CaseIterable { case post = "POST", put = "PUT" }

    public enum Format: String, Sendable, CaseIterable {
        /// One array of objects.
        case json
        /// An object a line.
        case ndjson
    }

    public var url: String
    public var method = Method.post
    public var format = Format.json
    public var headers: [HTTPHeader] = []
    public var onError = OnRefusal.stop
    public var batch: DeliverySettings
    public var transport: ClientTransport.Settings

    public init(url: String, batch: DeliverySettings = .init()) {
        self.url = url
        self.batch = batch
        transport = ClientTransport.Settings()
        transport.retriesConnections = false
        transport.idleTimeout = .seconds(10)
    }

    /// Without user, password and query, which may be secrets.
    var place: String { URLText.withoutSecrets(url) }
}

extension WebhookSinkSettings {
    /// Reads `webhook`. Keys: `url`, `method`, `format`, `headers`, `on_error`, `batch`, `timeout`, `ca`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        self.init(url: try URLText.read(try mapping.required("url")))
        method = try mapping.choice("method", default: method)
        format = try mapping.choice("format", default: format)
        headers = try URLText.headers(&mapping)
        onError = try mapping.choice("on_error", default: onError)
        batch = try DeliverySettings(&mapping)
        try URLText.transport(&mapping, &transport)
        try mapping.finish()
    }
}

/// What settings of HTTP targets have in common.
enum URLText {
    static func read(_ node: YAMLNode) throws(SettingsError) -> String {
        let text = try node.string()
        let rest = text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
        guard let first = rest.first, first != "/", first != "?", !text.contains(where: \.isWhitespace) else {
            throw node.expected("https://host/path or http://host:port/path")
        }
        return text
    }

    static func withoutSecrets(_ url: String) -> String {
        let plain = url.prefix { $0 != "?" && $0 != "#" }
        guard let schemeEnd = plain.firstRange(ofText: "://") else { return String(plain) }
        let authority = plain[schemeEnd...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(plain) }
        return String(plain[..<schemeEnd]) + plain[plain.index(after: at)...]
    }

    static func headers(_ mapping: inout SettingsMapping) throws(SettingsError) -> [HTTPHeader] {
        guard var members = try mapping.mapping("headers") else { return [] }
        var headers: [HTTPHeader] = []
        for name in members.chosenNames() {
            let node = try members.required(name)
            let value = try node.string()
            let isToken =
                !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
            guard isToken, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw node.expected("a header's name and its value in one line")
            }
            headers.append(HTTPHeader(name, value))
        }
        try members.finish()
        return headers
    }

    static func transport(
        _ mapping: inout SettingsMapping, _ transport: inout ClientTransport.Settings
    ) throws(SettingsError) {
        transport.idleTimeout = try mapping.duration(
            "timeout", default: transport.idleTimeout, in: .milliseconds(100)...(.seconds(600)))
        transport.connectTimeout = transport.idleTimeout
        transport.certificateAuthority = try mapping.string("ca")
    }
}

extension Substring {
    /// Where the text ends in it.
    fileprivate func firstRange(ofText text: String) -> Index? {
        var place = startIndex
        while place < endIndex {
            if self[place...].hasPrefix(text) { return index(place, offsetBy: text.count) }
            place = index(after: place)
        }
        return nil
    }
}
