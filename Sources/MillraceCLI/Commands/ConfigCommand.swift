import AgentCommands
import ArgumentParser
import Broker
import Pipelines

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check configuration files.", subcommands: [Validate.self])

    enum Kind: String, ExpressibleByArgument, CaseIterable { case agent, broker, pipeline }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "validate",
            abstract: "Read files as the process would, and say what is wrong with them.",
            discussion: """
                Exits with 78 where a file is wrong. Errors are written as compilers write them: file:line:column: message.

                EXAMPLE
                  millrace config validate pipeline pipelines/*/pipeline.yaml
                """)

        @Argument(help: "What the files are: \(Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        var kind: Kind

        @Argument(help: "The files.")
        var files: [String]

        func run() async throws {
            try await reporting {
                var failed = false
                for file in files {
                    do {
                        let node = try loadSettings(file)
                        switch kind {
                        case .agent: _ = try validateAgentSettings(node)
                        case .broker: _ = try BrokerSettings(yaml: node)
                        case .pipeline: _ = try PipelineSettings(yaml: node)
                        }
                        print("\(file): fine")
                    } catch {
                        printError("\(error)")
                        failed = true
                    }
                }
                if failed { throw ExitCodes.configuration }
            }
        }
    }
}
