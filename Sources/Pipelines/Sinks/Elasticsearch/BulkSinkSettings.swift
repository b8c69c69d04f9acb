public import Base
import FoundationEssentials
public import RemoteStores
import Settings

/// Rows as documents of Elasticsearch or OpenSearch, by `_bulk`.
public struct BulkSinkSettings: Sendable {
    public enum Operation: String, Sendable, CaseIterable {
        /// A document that stands under the id is replaced, by the same.
        case index
        /// A document that stands under the id is left: what data streams take.
        case create
    }

    /// Without a path behind the cluster's own.
    public var url: String
    /// `{dt}` stands for the event's day, as in `nginx-2026.11.22`.
    public var index: String
    public var operation = Operation.index
    public var headers: [HTTPHeader] = []
    public var onError = OnRefusal.stop
    public var batch: DeliverySettings
    public var transport: ClientTransport.Settings

    public init(url: String, index: String, batch: DeliverySettings = .init(rowsMax: 1000, bytesMax: .mib(5))) {
        self.url = url
        self.index = index
        self.batch = batch
        transport = ClientTransport.Settings()
        transport.retriesConnections = false
        transport.idleTimeout = .seconds(30)
    }

    var place: String { "\(URLText.withoutSecrets(url))/\(index)" }
}

extension BulkSinkSettings {
    static let day = "{dt}"

    /// Reads `elasticsearch`. Keys: `url`, `index`, `operation`, `user`, `password`, `api_key`, `headers`, `on_error`, `batch`, `timeout`, `ca`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        var url = try URLText.read(try mapping.required("url"))
        while url.hasSuffix("/") { url.removeLast() }
        let indexNode = try mapping.required("index")
        self.init(url: url, index: try Self.index(indexNode))
        operation = try mapping.choice("operation", default: operation)
        headers = try URLText.headers(&mapping)
        if let authorization = try Self.authorization(&mapping) {
            headers.append(HTTPHeader("authorization", authorization))
        }
        onError = try mapping.choice("on_error", default: onError)
        batch = try DeliverySettings(&mapping, default: batch)
        try URLText.transport(&mapping, &transport)
        try mapping.finish()
    }

    private static func index(_ node: YAMLNode) throws(SettingsError) -> String {
        let text = try node.string()
        let plain = text.hasSuffix(day) ? String(text.dropLast(day.utf8.count)) : text
        let isName = plain.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, let first = plain.first, !"-_.".contains(first), plain.utf8.count <= 200 else {
            throw node.expected(
                "an index's name: small letters, digits, '-', '_' and '.', and {dt} at its end for one a day")
        }
        return text
    }

    private static func authorization(_ mapping: inout SettingsMapping) throws(SettingsError) -> String? {
        let user = mapping.node("user")
        let password = mapping.node("password")
        let key = mapping.node("api_key")
        switch (user, password, key) {
        case (nil, nil, nil): return nil
        case (nil, nil, let key?):
            let text = try key.string()
            guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw key.expected("a key in Base64") }
            return "ApiKey \(text)"
        case (let user?, let password?, nil):
            let pair = try user.string() + ":" + password.string()
            return "Basic \(Data(pair.utf8).base64EncodedString())"
        default: throw SettingsError("either 'user' and 'password' or 'api_key'", at: mapping.place)
        }
    }
}
