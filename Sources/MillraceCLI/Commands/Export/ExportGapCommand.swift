import AgentCommands
import ArgumentParser
import Base
import Events
import Exports
import KafkaClient
import NIOPosix
import Pipelines

extension ExportCommand {
    struct Gap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gap",
            abstract: "Show records that were deleted before they were exported; accept their loss.",
            discussion: """
                A pipeline whose next offset is gone stops: it never skips anything by itself. With --accept the loss is written into the chain of each
                partition concerned, for good, and the pipeline goes on behind it. Stop the pipeline first.

                EXAMPLES
                  millrace export gap -c pipelines/nginx-to-jsonl/pipeline.yaml
                  millrace export gap -c pipelines/nginx-to-jsonl/pipeline.yaml --accept --note 'retention was too short'
                """)

        @Option(name: .shortAndLong, help: ArgumentHelp("The pipeline's file.", valueName: "file"), completion: .file())
        var config: String

        @Option(
            name: [.customLong("broker"), .customLong("bootstrap-server")],
            help: ArgumentHelp("Brokers to begin with; the file's own `broker` comes first.", valueName: "host:port"))
        var broker: String?
        @OptionGroup var client: ClientConfigOptions

        @Flag(help: "Record the gaps.") var accept = false
        @Option(help: "Why, for whoever reads the chain later.") var note: String = ""
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                let settings = try PipelineSettings(yaml: try loadSettings(config))
                let cluster = KafkaCluster(
                    settings: try client.source.settings(
                        file: settings.bootstrap, option: broker, security: settings.security),
                    on: MultiThreadedEventLoopGroup.singleton)
                defer { cluster.shutDown() }
                let gaps = try await ExportGap.find(in: settings, on: cluster)
                var table = Table(["table", "topic", "partition", "from", "to", "recorded"])
                for gap in gaps {
                    if accept { _ = try await gap.record(note: note) }
                    table.add([
                        .string(gap.chain.table), .string(gap.chain.topic), .int(Int64(gap.chain.partition)),
                        .int(gap.from.rawValue), .int(gap.to.rawValue), .bool(accept),
                    ])
                }
                table.print(as: output)
            }
        }
    }
}
