public import Base
import Exports
public import RemoteStores
import Settings

/// Rows into a table of ClickHouse by its HTTP interface.
public struct ClickHouseSinkSettings: Sendable {
    /// `https://host:8443`, without a path.
    public var url: String
    /// `table` or `database.table`.
    public var table: String
    public var headers: [HTTPHeader] = []
    /// Sent with each insert, as in `{async_insert: 1}`.
    public var settings: [(name: String, value: String)] = []
    public var batch: DeliverySettings
    public var transport: ClientTransport.Settings

    public init(
        url: String, table: String,
        batch: DeliverySettings = .init(rowsMax: 50_000, bytesMax: .mib(16), linger: .seconds(5))
    ) {
        self.url = url
        self.table = table
        self.batch = batch
        transport = ClientTransport.Settings()
        transport.retriesConnections = false
        transport.idleTimeout = .seconds(60)
    }

    var place: String { "\(URLText.withoutSecrets(url)) \(table)" }

    /// Unknown fields are left out, times are ISO 8601: what servers from 18.16 on know.
    var insertURL: String {
        let name = table.split(separator: ".").map { "`\($0)`" }.joined(separator: ".")
        let query = PercentEncoding.encoded("INSERT INTO \(name) FORMAT JSONEachRow")
        var text = "\(url)/?query=\(query)&input_format_skip_unknown_fields=1&date_time_input_format=best_effort"
        for (name, value) in settings { text += "&\(name)=\(PercentEncoding.encoded(value))" }
        return text
    }
}

extension ClickHouseSinkSettings {
    /// Reads `clickhouse`. Keys: `url`, `table`, `user`, `password`, `settings`, `batch`, `timeout`, `ca`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        let urlNode = try mapping.required("url")
        var url = try URLText.read(urlNode)
        while url.hasSuffix("/") { url.removeLast() }
        guard url.filter({ $0 == "/" }).count == 2, !url.contains("?") else {
            throw urlNode.expected("the server's https://host:port, without a path")
        }
        let tableNode = try mapping.required("table")
        let table = try tableNode.string()
        let parts = table.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ TableSchema.isIdentifier(String($0)) }) else {
            throw tableNode.expected("a table's name, or database.table: letters, digits and '_'")
        }
        self.init(url: url, table: table)
        let user = try mapping.string("user")
        let password = try mapping.string("password")
        if let user { headers.append(HTTPHeader("x-clickhouse-user", user)) }
        if let password { headers.append(HTTPHeader("x-clickhouse-key", password)) }
        if var members = try mapping.mapping("settings") {
            for name in members.chosenNames() {
                let node = try members.required(name)
                guard TableSchema.isIdentifier(name) else { throw node.expected("a setting's name") }
                settings.append((name, try node.string()))
            }
            try members.finish()
        }
        batch = try DeliverySettings(&mapping, default: batch)
        try URLText.transport(&mapping, &transport)
        try mapping.finish()
    }
}
