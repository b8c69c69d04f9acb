import AgentCommands
import ArgumentParser
import Base
import Events
import Exports

extension ExportCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List what each partition has exported, by the chains alone.",
            discussion: """
                Offsets from..<to stand in the table, except those that were lost (a gap that an operator accepted). No broker is asked.

                EXAMPLES
                  millrace export ls /srv/export
                  millrace export ls -c pipelines/nginx-to-jsonl/pipeline.yaml --output json
                """)

        @OptionGroup var export: ExportOptions
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                var table = Table([
                    "pipeline", "table", "topic", "partition", "from", "to", "lost", "commits", "files", "rows",
                    "bytes",
                    "last_commit",
                ])
                var summaries: [ChainSummary] = []
                for (store, filter) in try export.exports() { summaries += try await store.summaries(filter) }
                for summary in summaries {
                    table.add([
                        .string(summary.chain.pipeline), .string(summary.chain.table), .string(summary.chain.topic),
                        .int(Int64(summary.chain.partition)), .int(summary.from.rawValue), .int(summary.to.rawValue),
                        .int(summary.lostOffsetCount), .int(summary.commitCount), .int(summary.fileCount),
                        .int(summary.rowCount), .int(summary.byteCount),
                        summary.lastCommitAt.map { .string(CivilTime($0).iso8601) } ?? .null,
                    ])
                }
                table.print(as: output)
            }
        }
    }
}
