/// The statements that make an exported table known to an engine, ready to be pasted.
///
/// The partition columns are texts everywhere (`dt = '2026-11-22'`, `hour = '05'`): engines that guess make `dt` a date and `hour` a number,
/// each in its own way, and a query would not mean the same in two of them.
public struct TableDefinition: Sendable {
    public var engine: SQLEngine
    /// Where the engine finds the export's root: a folder, or a URL such as `hdfs://nn:8020/logs`.
    public var root: String
    /// The same by HTTP, for an engine that reads no `s3://`.
    public var httpRoot: String?
    public var table: String
    public var layout: TableLayout
    public var format: TableFormat

    public init(
        engine: SQLEngine, root: String, httpRoot: String? = nil, table: String, layout: TableLayout,
        format: TableFormat
    ) {
        self.engine = engine
        self.root = root
        self.httpRoot = httpRoot
        self.table = table
        self.layout = layout
        self.format = format
    }

    /// The statements, each ended by a semicolon, with comments where an engine reads something otherwise than others.
    /// - Throws: where the engine can't read such a table, with what would help.
    public func statements() throws(TableDefinitionError) -> String {
        switch engine {
        case .duckdb: try duckDB()
        case .clickhouse: try clickHouse()
        case .spark: try spark()
        case .hive: try hive()
        case .trino: try trino()
        }
    }

    // MARK: - Parts

    private var name: String { engine.quoted(table) }
    private var isInS3: Bool { root.hasPrefix("s3://") }
    private var location: String {
        if root.hasPrefix("/") { return "file://\(root)/\(table)" }
        // What Hadoop calls its client of S3.
        if isInS3, engine == .hive || engine == .spark { return "s3a://\(root.dropFirst(5))/\(table)" }
        return "\(root)/\(table)"
    }
    private var partitions: [String] { layout.columns.map(\.rawValue) }

    /// All files of the table, whatever their depth.
    private var glob: String { "\(root)/\(table)/**/*.\(format.fileExtension)" }

    private func columns() throws(TableDefinitionError) -> [TableSchema.Column] {
        guard let schema = format.schema else {
            throw TableDefinitionError(
                "\(format.kind.rawValue) has no columns of its own, and \(engine.rawValue) needs them declared: "
                    + "export parquet or avro, or use duckdb or spark, which look into the files")
        }
        return schema.columns
    }

    private func list(_ columns: [(name: String, type: String)], indent: String = "  ") -> String {
        columns.map { "\(indent)\(engine.quoted($0.name)) \($0.type)" }.joined(separator: ",\n")
    }

    private func typed(_ columns: [TableSchema.Column]) -> [(name: String, type: String)] {
        columns.map { ($0.name, engine.name(of: $0.type)) }
    }

    private var partitionList: [(name: String, type: String)] {
        partitions.map { ($0, engine.name(of: .string)) }
    }

    // MARK: - Engines

    private func duckDB() throws(TableDefinitionError) -> String {
        var options = ["hive_partitioning = \(!partitions.isEmpty)"]
        if !partitions.isEmpty {
            options.append(
                "hive_types = {\(partitions.map { "\(engine.literal($0)): VARCHAR" }.joined(separator: ", "))}")
        }
        let files = engine.literal(glob)
        let reader: String
        switch format.kind {
        case .parquet: reader = "read_parquet(\(files), \(options.joined(separator: ", ")))"
        case .jsonl:
            options.append("format = 'newline_delimited'")
            options.append("union_by_name = true")
            reader = "read_json(\(files), \(options.joined(separator: ", ")))"
        case .csv:
            let types = try columns().map { "\(engine.literal($0.name)): \(engine.literal(engine.name(of: $0.type)))" }
            // Nothing is null, "" is an empty text.
            options += [
                "header = true", "auto_detect = false", "delim = ','", "quote = '\"'", "escape = '\"'", "nullstr = ''",
                "allow_quoted_nulls = false", "columns = {\(types.joined(separator: ", "))}",
            ]
            reader = "read_csv(\(files), \(options.joined(separator: ", ")))"
        case .avro:
            return """
                -- DuckDB reads Avro by its extension.
                INSTALL avro;
                LOAD avro;
                CREATE OR REPLACE VIEW \(name) AS
                SELECT * FROM read_avro(\(files));

                """
        }
        let keys =
            isInS3
            ? "-- Before: INSTALL httpfs; LOAD httpfs; CREATE SECRET (TYPE s3, PROVIDER credential_chain);\n" : ""
        return "\(keys)CREATE OR REPLACE VIEW \(name) AS\nSELECT * FROM \(reader);\n"
    }

    /// `file` is read by the server, which looks below its `user_files_path` only; `s3` takes keys as its second and third argument.
    private func clickHouse() throws(TableDefinitionError) -> String {
        let formatName =
            switch format.kind {
            case .parquet: "Parquet"
            case .avro: "Avro"
            case .csv: "CSVWithNames"
            case .jsonl: "JSONEachRow"
            }
        let structure = typed(try columns()).map { "\(engine.quoted($0.name)) \($0.type)" }.joined(separator: ", ")
        let compression = format.kind == .csv ? ", 'auto'" : ""
        // From the path, for versions differ in whether and how they read Hive folders.
        let folders = partitions.map { column in
            let pattern = engine.literal("/\(column)=([^/]+)/")
            let null = engine.literal("__HIVE_DEFAULT_PARTITION__")
            return ",\n  nullIf(extract(_path, \(pattern)), \(null)) AS \(engine.quoted(column))"
        }.joined()
        let names = try columns().map { engine.quoted($0.name) }.joined(separator: ", ")
        let function = isInS3 ? "s3" : "file"
        let files = isInS3 ? "\(httpRoot ?? root)/\(table)/**/*.\(format.fileExtension)" : glob
        let remark =
            isInS3
            ? "Behind the URL 'key', 'secret', where the server's own environment has none."
            : "The server reads files below its user_files_path only; clickhouse local reads any."
        return """
            -- \(remark)
            CREATE OR REPLACE VIEW \(name) AS
            SELECT
              \(names)\(folders)
            FROM \(function)(\(engine.literal(files)), \(engine.literal(formatName)), \(engine.literal(structure))\(compression));

            """
    }

    private func spark() throws(TableDefinitionError) -> String {
        var text = "CREATE TABLE \(name)"
        if format.schema != nil { text += " (\n\(list(typed(try columns()) + partitionList))\n)" }
        text += "\nUSING \(format.kind == .jsonl ? "json" : format.kind.rawValue)\n"
        if format.kind == .csv {
            // What Spark reads for nothing at all must differ from what it reads for "", or both would be null; no text of ours is that
            // one character. Quotes are doubled, and texts may hold newlines.
            text +=
                "OPTIONS (header 'true', quote '\"', escape '\"', nullValue '\\u0001', multiLine 'true')\n"
        }
        if format.schema != nil, !partitions.isEmpty {
            text += "PARTITIONED BY (\(partitions.map(engine.quoted).joined(separator: ", ")))\n"
        }
        text += "LOCATION \(engine.literal(location));\n"
        if !partitions.isEmpty {
            text += "-- Again for each new hour.\nMSCK REPAIR TABLE \(name);\n"
        }
        return text
    }

    private func hive() throws(TableDefinitionError) -> String {
        var columns = typed(try columns())
        var text = ""
        let storage: String
        switch format.kind {
        case .parquet:
            storage = "STORED AS PARQUET"
            if format.compatibility == .hadoop2 {
                text += "-- Hive before version 4 reads TIMESTAMP columns of such files as BIGINT, in microseconds.\n"
            }
        case .avro: storage = "STORED AS AVRO"
        case .csv:
            text += "-- Hive's CSV reader knows texts only, and no newline within one; null is read as an empty text.\n"
            columns = columns.map { ($0.name, "STRING") }
            storage = """
                ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
                WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '"', 'escapeChar' = '"')
                STORED AS TEXTFILE
                """
        case .jsonl: throw unreadable()
        }
        text += "CREATE EXTERNAL TABLE \(name) (\n\(list(columns))\n)\n"
        if !partitions.isEmpty { text += "PARTITIONED BY (\n\(list(partitionList))\n)\n" }
        text += "\(storage)\nLOCATION \(engine.literal(location))"
        if format.kind == .csv { text += "\nTBLPROPERTIES ('skip.header.line.count' = '1')" }
        text += ";\n"
        if !partitions.isEmpty { text += "-- Again for each new hour.\nMSCK REPAIR TABLE \(name);\n" }
        return text
    }

    private func trino() throws(TableDefinitionError) -> String {
        var columns = typed(try columns())
        var text = "-- For a catalog of the Hive connector that is called hive, and its schema default.\n"
        var options = ["external_location = \(engine.literal(location))"]
        switch format.kind {
        case .parquet: options.append("format = 'PARQUET'")
        case .avro: options.append("format = 'AVRO'")
        case .csv:
            text += "-- Trino's CSV reader knows texts only.\n"
            columns = columns.map { ($0.name, "VARCHAR") }
            options += ["format = 'CSV'", "skip_header_line_count = 1"]
        case .jsonl: throw unreadable()
        }
        if !partitions.isEmpty {
            options.append("partitioned_by = ARRAY[\(partitions.map(engine.literal).joined(separator: ", "))]")
        }
        text += "CREATE TABLE hive.default.\(name) (\n\(list(columns + partitionList))\n)\n"
        text += "WITH (\n  \(options.joined(separator: ",\n  "))\n);\n"
        if !partitions.isEmpty {
            text += "-- Again for each new hour.\n"
            text += "CALL hive.system.sync_partition_metadata('default', \(engine.literal(table)), 'ADD');\n"
        }
        return text
    }

    private func unreadable() -> TableDefinitionError {
        TableDefinitionError(
            "\(engine.rawValue) reads \(format.kind.rawValue) only with declared columns, which such an export has none of: "
                + "export parquet or avro")
    }
}

/// Why an engine can't be told of a table, and what would help.
public struct TableDefinitionError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
