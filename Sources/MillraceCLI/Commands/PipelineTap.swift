import AgentCommands
import ArgumentParser
import Base
import Events
import Exports
import KafkaClient
import NIOPosix
import Pipelines

extension PipelineCommand {
    struct Tap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "tap",
            abstract: "Watch what becomes of records as they come.",
            discussion: """
                Reads the pipeline's topics beside it, without a group, and prints each record with what the steps make of it, as a line of JSON. Writes
                nothing, commits nothing. Ends after --limit records, or with Ctrl-C.

                EXAMPLES
                  millrace pipeline tap -c nginx.yaml
                  millrace pipeline tap -c nginx.yaml --becomes dead_letter
                  millrace pipeline tap -c nginx.yaml --after 1 --where 'status >= 500' --limit 5
                """)

        /// What became of a record.
        enum Becomes: String, ExpressibleByArgument, CaseIterable {
            case row, filtered, dropped
            case deadLetter = "dead_letter"
        }

        @Option(name: .shortAndLong, help: ArgumentHelp("The pipeline's file.", valueName: "file"), completion: .file())
        var config: String
        @Option(
            name: [.customLong("broker"), .customLong("bootstrap-server")],
            help: ArgumentHelp("Brokers to begin with; the file's own `broker` comes first.", valueName: "host:port"))
        var broker: String?
        @OptionGroup var client: ClientConfigOptions
        @Option(help: "Begin with the oldest records that there are (earliest) or with new ones (latest).")
        var from = ExportStart.latest
        @Option(help: ArgumentHelp("End after so many records.", valueName: "records")) var limit: Int?
        @Option(
            help: ArgumentHelp("Show records as they are after so many steps; 1 is the parser.", valueName: "steps"))
        var after: Int?
        @Option(help: "Only records that become this; repeatable.") var becomes: [Becomes] = []
        @Option(name: .customLong("where"), help: ArgumentHelp("Only rows that match.", valueName: "expression"))
        var condition: String?

        func run() async throws {
            try await reporting {
                let settings = try PipelineSettings.load(try loadSettings(config))
                if let after, !(1...settings.steps.count ~= after) {
                    throw ValidationError("--after: the pipeline has 1 to \(settings.steps.count) steps")
                }
                var filter: Expression?
                do { filter = try condition.map { try Expression($0) } } catch {
                    throw ValidationError("--where: \(error)")
                }
                let cluster = KafkaCluster(
                    settings: try client.source.settings(
                        file: settings.bootstrap, option: broker, security: settings.security),
                    on: MultiThreadedEventLoopGroup.singleton)
                defer { cluster.shutDown() }
                let run = DryRun(settings, on: cluster, after: after)
                try await run.run(limit: limit ?? .max, from: from, follows: true) { result in
                    guard becomes.isEmpty || becomes.contains(result.becomes), result.matches(filter) else {
                        return false
                    }
                    printNow(result.json)
                    return true
                }
            }
        }
    }
}

extension ExportStart: ExpressibleByArgument {}

extension DryRun.Result {
    fileprivate var becomes: PipelineCommand.Tap.Becomes {
        switch outcome {
        case .row: .row
        case .filtered: .filtered
        case .dropped: .dropped
        case .deadLetter: .deadLetter
        }
    }

    fileprivate func matches(_ filter: Expression?) -> Bool {
        guard let filter else { return true }
        guard case .row(let event) = outcome else { return false }
        return filter.matches(event, recordHash: RecordHash.of(partition: partition.partition, offset: offset.rawValue))
    }
}
