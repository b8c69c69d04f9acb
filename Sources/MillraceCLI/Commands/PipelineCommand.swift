import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient
import NIOPosix
import Pipelines
import Settings
import Telemetry

struct PipelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Run pipelines, check their files and run the tests in them.",
        subcommands: [Run.self, Validate.self, Test.self, Tap.self, List.self])

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
                  millrace pipeline run -c nginx.yaml --dry-run --limit 5
                """)

        @Option(
            name: .shortAndLong, help: ArgumentHelp("A pipeline's file. Repeatable.", valueName: "file"),
            completion: .file())
        var config: [String]

        @Option(
            name: [.customLong("broker"), .customLong("bootstrap-server")],
            help: ArgumentHelp("Brokers to begin with; a file's own `broker` comes first.", valueName: "host:port"))
        var broker: String?
        @OptionGroup var client: ClientConfigOptions

        @Flag(help: "Show what becomes of the topics' first records, as JSON lines; write and commit nothing.")
        var dryRun = false
        @Option(help: ArgumentHelp("How many records a dry run shows.", valueName: "records")) var limit: Int = 10

        @OptionGroup var process: ProcessOptions

        func run() async throws {
            try await reporting {
                let telemetry = process.telemetry("pipeline")
                let group = MultiThreadedEventLoopGroup.singleton
                let health = Health()
                let notifier = ServiceNotifier(health: health, telemetry: telemetry)
                let (files, broker, client) = (config, broker, client.source)
                guard !files.isEmpty else { throw ValidationError("name a pipeline's file with -c") }
                if dryRun { return try await showDryRun() }
                let make: @Sendable () throws -> ReloadableService.Work = {
                    let pipelines = try files.map { try PipelineSettings.load(try loadSettings($0)) }
                    return try PipelineSet(
                        pipelines, broker: broker, client: client, telemetry: telemetry, health: health, on: group
                    ).work
                }
                let admin = try AdminService(
                    option: process.admin, standard: "off", telemetry: telemetry, health: health, on: group)
                let service = ReloadableService(
                    first: try make(), notifier: notifier, telemetry: telemetry, make: { try make() })
                try await runServices([admin, service], notifier: notifier, telemetry: telemetry)
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Run the tests that stand in pipelines' files.",
            discussion: """
                Each of `tests` gives one record and says what becomes of it. No broker is asked, nothing is written. Ends with 1 where a test fails.

                EXAMPLE
                  millrace pipeline test pipelines/*/pipeline.yaml
                """)

        @Argument(help: "The files.", completion: .file()) var files: [String]

        func run() async throws {
            try await reporting {
                var failed = 0
                for file in files {
                    let settings = try PipelineSettings.load(try loadSettings(file))
                    for test in settings.tests {
                        guard let problem = test.problem(in: settings) else { continue }
                        failed += 1
                        print("\(SettingsError("\(test.name): \(problem)", at: test.place))")
                    }
                    print("\(file): \(settings.tests.count) tests")
                }
                if failed > 0 { throw ExitCodes.failure }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what pipelines' files declare.",
            discussion: """
                EXAMPLE
                  millrace pipeline list pipelines/*/pipeline.yaml
                """)

        @Argument(help: "The files.", completion: .file()) var files: [String]
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                var table = Table(["pipeline", "topics", "group", "start", "sinks", "tests", "file"])
                for file in files {
                    let settings = try PipelineSettings.load(try loadSettings(file))
                    table.add([
                        .string(settings.name), .string(settings.topics.joined(separator: ",")),
                        .string(settings.group), .string(settings.start.rawValue),
                        .string(settings.sinks.map(\.place).joined(separator: ",")),
                        .int(Int64(settings.tests.count)), .string(file),
                    ])
                }
                table.print(as: output)
            }
        }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "validate", abstract: "Compile pipelines, and say what is wrong with them.")

        @Argument(help: "The files.", completion: .file()) var files: [String]

        func run() async throws {
            try await reporting {
                for file in files {
                    _ = try PipelineSettings.load(try loadSettings(file))
                    print("\(file): fine")
                }
            }
        }
    }
}
