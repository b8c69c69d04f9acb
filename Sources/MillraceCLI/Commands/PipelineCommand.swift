import AgentCommands
import ArgumentParser
import Base
import KafkaClient
import NIOPosix
import Pipelines
import Settings
import Telemetry

struct PipelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Run pipelines, and check their files.",
        subcommands: [Run.self, Validate.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Run pipelines until SIGTERM.",
            discussion: """
                Each record stands in an export once, through kill -9 at any moment: the export's own chain of commits says where to go on. Several
                processes with the same pipeline share its partitions. SIGHUP commits what was read, reads the files again and goes on there.

                EXAMPLES
                  millrace pipeline run -c pipelines/nginx-to-jsonl/pipeline.yaml
                  millrace pipeline run --broker agg:9092 -c nginx.yaml -c journal.yaml
                """)

        @Option(name: .shortAndLong, help: ArgumentHelp("A pipeline's file. Repeatable.", valueName: "file"))
        var config: [String]

        @Option(
            name: [.customLong("broker"), .customLong("bootstrap-server")],
            help: ArgumentHelp("Brokers to begin with; a file's own `broker` comes first.", valueName: "host:port"))
        var broker: String = "127.0.0.1:9092"

        @OptionGroup var process: ProcessOptions

        func run() async throws {
            try await reporting {
                let telemetry = process.telemetry("pipeline")
                let group = MultiThreadedEventLoopGroup.singleton
                let health = Health()
                let notifier = ServiceNotifier(health: health, telemetry: telemetry)
                let (files, broker) = (config, broker)
                guard !files.isEmpty else { throw ValidationError("name a pipeline's file with -c") }
                let make: @Sendable () throws -> ReloadableService.Work = {
                    let pipelines = try files.map { try PipelineSettings(yaml: try loadSettings($0)) }
                    return try PipelineSet(pipelines, broker: broker, telemetry: telemetry, health: health, on: group)
                        .work
                }
                let admin = try AdminService(
                    option: process.admin, standard: "off", telemetry: telemetry, health: health, on: group)
                let service = ReloadableService(
                    first: try make(), notifier: notifier, telemetry: telemetry, make: { try make() })
                try await runServices([admin, service], notifier: notifier, telemetry: telemetry)
            }
        }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "validate", abstract: "Compile pipelines, and say what is wrong with them.")

        @Argument(help: "The files.") var files: [String]

        func run() async throws {
            try await reporting {
                for file in files {
                    _ = try PipelineSettings(yaml: try loadSettings(file))
                    print("\(file): fine")
                }
            }
        }
    }
}
