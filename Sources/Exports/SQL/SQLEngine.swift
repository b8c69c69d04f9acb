/// An engine that reads exported tables.
public enum SQLEngine: String, Sendable, CaseIterable {
    case hive, spark, trino, duckdb, clickhouse

    /// What a column is called there.
    func name(of type: ColumnType) -> String {
        switch (self, type) {
        case (.clickhouse, .bool): "Nullable(Bool)"
        case (.clickhouse, .int32): "Nullable(Int32)"
        case (.clickhouse, .int64): "Nullable(Int64)"
        case (.clickhouse, .double): "Nullable(Float64)"
        case (.clickhouse, .string): "Nullable(String)"
        case (.clickhouse, .date): "Nullable(Date32)"
        case (.clickhouse, .timestamp): "Nullable(DateTime64(6, 'UTC'))"
        case (_, .bool): "BOOLEAN"
        case (.duckdb, .int32), (.trino, .int32): "INTEGER"
        case (_, .int32): "INT"
        case (_, .int64): "BIGINT"
        case (_, .double): "DOUBLE"
        case (.duckdb, .string), (.trino, .string): "VARCHAR"
        case (_, .string): "STRING"
        case (_, .date): "DATE"
        case (.duckdb, .timestamp): "TIMESTAMPTZ"
        // The connector's own precision goes no further by default; values are UTC.
        case (.trino, .timestamp): "TIMESTAMP(6)"
        case (_, .timestamp): "TIMESTAMP"
        }
    }

    func quoted(_ identifier: String) -> String {
        switch self {
        case .hive, .spark, .clickhouse: "`\(identifier.replacing("`", with: "``"))`"
        case .trino, .duckdb: "\"\(identifier.replacing("\"", with: "\"\""))\""
        }
    }

    func literal(_ text: String) -> String {
        switch self {
        case .trino, .duckdb: "'\(text.replacing("'", with: "''"))'"
        case .hive, .spark, .clickhouse: "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
        }
    }
}

extension String {
    /// Every occurrence of one character replaced; without Foundation.
    fileprivate func replacing(_ character: Character, with text: String) -> String {
        var result = ""
        for each in self { if each == character { result += text } else { result.append(each) } }
        return result
    }
}
