public import Base
public import Exports
import Settings

/// Rows into a table of PostgreSQL.
public struct PostgresSinkSettings: Sendable {
    /// `postgresql://user@host:port/database?…`, as libpq reads it.
    public var url: String
    public var password: String?
    /// `table` or `schema.table`.
    public var table: String
    /// Where positions stand.
    public var positions = "_millrace_positions"
    public var schema: TableSchema
    /// The tables are made where they are missing.
    public var creates = true
    /// How long the server may take for a statement, and for an answer to a connection.
    public var timeout = Duration.seconds(60)
    public var batch: DeliverySettings

    public init(
        url: String, table: String, schema: TableSchema,
        batch: DeliverySettings = .init(rowsMax: 10_000, bytesMax: .mib(4))
    ) {
        self.url = url
        self.table = table
        self.schema = schema
        self.batch = batch
    }

    var place: String { "\(URLText.withoutSecrets(url)) \(table)" }

    /// What the URL says comes first; what is said here holds whatever it says.
    var parameters: [(keyword: String, value: String)] {
        var parameters = [
            ("dbname", url), ("client_encoding", "UTF8"), ("fallback_application_name", "millrace"),
            ("connect_timeout", "10"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
            ("options", "-c statement_timeout=\(timeout.milliseconds) -c datestyle=ISO"),
        ]
        if let password { parameters.append(("password", password)) }
        return parameters
    }
}

extension PostgresSinkSettings {
    /// Reads `postgres`. Keys: `url`, `password`, `table`, `positions`, `create`, `timeout`, `columns`, `extra`, `kafka_columns`, `batch`.
    init(yaml node: YAMLNode, steps: Steps) throws(SettingsError) {
        var mapping = try node.mapping()
        let urlNode = try mapping.required("url")
        let url = try urlNode.string()
        guard ["postgresql://", "postgres://"].contains(where: { url.hasPrefix($0) }) else {
            throw urlNode.expected("postgresql://user@host:port/database")
        }
        let table = try Self.name(try mapping.required("table"))
        let kafka = try ExportSinkSettings.kafkaColumns(&mapping)
        let schema = try ExportSinkSettings.schema(&mapping, "postgres", kafka, steps, TableLayout(columns: []))
        self.init(url: url, table: table, schema: schema)
        password = try mapping.string("password")
        if let node = mapping.node("positions") { positions = try Self.name(node) }
        creates = try mapping.bool("create", default: creates)
        timeout = try mapping.duration("timeout", default: timeout, in: .seconds(1)...(.seconds(3600)))
        batch = try DeliverySettings(&mapping, default: batch)
        try mapping.finish()
    }

    private static func name(_ node: YAMLNode) throws(SettingsError) -> String {
        let name = try node.string()
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ TableSchema.isIdentifier(String($0)) && $0.utf8.count <= 63 }) else {
            throw node.expected("a table's name, or schema.table: letters, digits and '_'")
        }
        return name
    }
}
