import AgentCommands
import ArgumentParser
import Exports

extension ExportCommand {
    struct Collect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc",
            abstract: "Put old records of the chains into few files, so that their folders don't grow for ever.",
            discussion: """
                Nothing is forgotten: verify and ls read the archives as they read the records. Tables are not touched. May run beside the pipeline, and be killed
                at any moment. For exports on a local disk; chains in HDFS and S3 are not collected yet.

                EXAMPLES
                  millrace export gc /srv/export
                  millrace export gc -c pipelines/nginx-to-jsonl/pipeline.yaml --keep 10000
                """)

        @OptionGroup var export: ExportOptions
        @Option(
            help: ArgumentHelp("The newest records that keep files of their own, at least 100.", valueName: "records"))
        var keep: Int64 = 1000
        @Option(help: "table or json.") var output = OutputFormat.table

        func validate() throws {
            guard keep >= 100 else { throw ValidationError("--keep is at least 100") }
        }

        func run() async throws {
            try await reporting {
                var table = Table(["pipeline", "table", "topic", "partition", "collected"])
                for (store, filter) in try export.exports() {
                    guard let store = store as? LocalStore else {
                        throw ValidationError("chains in HDFS and S3 are not collected yet; only those on a local disk")
                    }
                    for chain in try store.chains() where filter.takes(chain) {
                        let count = try store.collect(chain, keep: keep)
                        table.add([
                            .string(chain.pipeline), .string(chain.table), .string(chain.topic),
                            .int(Int64(chain.partition)), .int(Int64(count)),
                        ])
                    }
                }
                table.print(as: output)
            }
        }
    }
}
