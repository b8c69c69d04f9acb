import Exports
import Testing

/// The statements for each engine. DuckDB, Spark and ClickHouse run theirs in Tests/Interop/exports.
@Suite struct TableDefinitionTests {
    private let schema = TableSchema(fields: [
        .field("status", .int64), .field("at", .timestamp), .field("ok", .bool), .field("day", .date),
    ])

    private func statements(
        _ engine: SQLEngine, _ format: TableFormat, root: String = "/srv/export", layout: TableLayout = TableLayout()
    ) throws -> String {
        try TableDefinition(engine: engine, root: root, table: "nginx", layout: layout, format: format).statements()
    }

    @Test func hive() throws {
        #expect(
            try statements(.hive, TableFormat(.parquet, schema: schema), root: "hdfs://nn:8020/logs") == """
                CREATE EXTERNAL TABLE `nginx` (
                  `status` BIGINT,
                  `at` TIMESTAMP,
                  `ok` BOOLEAN,
                  `day` DATE,
                  `_extra` STRING,
                  `kafka_topic` STRING,
                  `kafka_partition` INT,
                  `kafka_offset` BIGINT,
                  `kafka_timestamp` TIMESTAMP
                )
                PARTITIONED BY (
                  `dt` STRING,
                  `hour` STRING
                )
                STORED AS PARQUET
                LOCATION 'hdfs://nn:8020/logs/nginx';
                -- Again for each new hour.
                MSCK REPAIR TABLE `nginx`;

                """)
    }

    @Test func trino() throws {
        let text = try statements(.trino, TableFormat(.avro, schema: schema))
        #expect(text.contains("\"at\" TIMESTAMP(6),\n"))
        #expect(text.contains("\"dt\" VARCHAR,\n  \"hour\" VARCHAR\n)"))
        #expect(text.contains("external_location = 'file:///srv/export/nginx'"))
        #expect(text.contains("partitioned_by = ARRAY['dt', 'hour']"))
    }

    @Test func aTableInS3IsNamedAsEachEngineNamesIt() throws {
        func text(_ engine: SQLEngine) throws -> String {
            try TableDefinition(
                engine: engine, root: "s3://logs/export", httpRoot: "https://minio:9000/logs/export", table: "nginx",
                layout: TableLayout(), format: TableFormat(.parquet, schema: schema)
            ).statements()
        }
        #expect(try text(.hive).contains("LOCATION 's3a://logs/export/nginx'"))
        #expect(try text(.spark).contains("LOCATION 's3a://logs/export/nginx'"))
        #expect(try text(.trino).contains("external_location = 's3://logs/export/nginx'"))
        #expect(try text(.duckdb).contains("read_parquet('s3://logs/export/nginx/**/*.zstd.parquet', "))
        #expect(try text(.duckdb).hasPrefix("-- Before: INSTALL httpfs;"))
        #expect(
            try text(.clickhouse).contains(
                "FROM s3('https://minio:9000/logs/export/nginx/**/*.zstd.parquet', 'Parquet', "))
    }

    @Test func aTableWithoutFoldersIsNotPartitioned() throws {
        for engine in SQLEngine.allCases {
            let text = try statements(
                engine, TableFormat(.parquet, schema: schema), layout: TableLayout(columns: []))
            #expect(!text.contains("hour") && !text.lowercased().contains("partitioned"), "\(text)")
        }
    }

    @Test func quotesInARootStayWithinTheText() throws {
        #expect(
            try statements(.duckdb, TableFormat(.parquet, schema: schema), root: "/it's").contains("'/it''s/nginx/**/"))
        #expect(
            try statements(.spark, TableFormat(.parquet, schema: schema), root: "/it's").contains(
                "'file:///it\\'s/nginx'"))
    }

    @Test func anEngineThatNeedsColumnsSaysSo() {
        for engine in [SQLEngine.hive, .trino, .clickhouse] {
            let error = #expect(throws: TableDefinitionError.self) { try statements(engine, TableFormat()) }
            #expect(error?.description.contains("parquet") == true)
        }
    }
}
