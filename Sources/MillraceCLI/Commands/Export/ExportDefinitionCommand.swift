import AgentCommands
import ArgumentParser
import Exports
import Pipelines

extension SQLEngine: ExpressibleByArgument {}

extension ExportCommand {
    struct Definition: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ddl",
            abstract: "Print the statements that make a pipeline's tables known to an engine.",
            discussion: """
                dt and hour are texts everywhere, so that a query means the same in every engine: WHERE dt = '2026-11-22' AND hour >= '05'.

                EXAMPLES
                  millrace export ddl -c pipelines/nginx-to-parquet/pipeline.yaml --engine duckdb | duckdb logs.db
                  millrace export ddl -c pipelines/nginx-to-parquet/pipeline.yaml --engine hive --root hdfs://nn:8020/logs
                """)

        @Option(name: .shortAndLong, help: ArgumentHelp("The pipeline's file.", valueName: "file"), completion: .file())
        var config: String

        @Option(help: ArgumentHelp("hive, spark, trino, duckdb or clickhouse.", valueName: "name"))
        var engine: SQLEngine

        @Option(
            help: ArgumentHelp("Where the engine finds the export's root, if elsewhere.", valueName: "folder or URL"))
        var root: String?

        func run() async throws {
            try await reporting {
                let settings = try PipelineSettings(yaml: try loadSettings(config))
                let exports = settings.sinks.compactMap { sink -> ExportSinkSettings? in
                    if case .export(let export) = sink { export } else { nil }
                }
                guard !exports.isEmpty else { throw ValidationError("\(config) exports no table") }
                for export in exports {
                    let definition = TableDefinition(
                        engine: engine, root: root ?? export.root.sqlRoot,
                        httpRoot: root == nil ? export.root.httpRoot : nil, table: export.table,
                        layout: export.settings.layout, format: export.settings.format)
                    print(try definition.statements(), terminator: "")
                }
            }
        }
    }
}
