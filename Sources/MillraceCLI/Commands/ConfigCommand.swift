import AgentCommands
import ArgumentParser
import Broker
import Pipelines
import Settings

/// What a configuration file is for.
public enum ConfigKind: String, ExpressibleByArgument, CaseIterable, Sendable {
    case agent, broker, pipeline

    /// Reads it as the process does, and throws what is wrong with it.
    public func decode(_ node: YAMLNode) throws(SettingsError) {
        switch self {
        case .agent: try validateAgentSettings(node)
        case .broker: _ = try BrokerSettings(yaml: node)
        case .pipeline: _ = try PipelineSettings(yaml: node)
        }
    }

    /// Its JSON Schema, as the decoder's readings tell it.
    public func schema() throws(SettingsError) -> SettingsSchema {
        switch self {
        case .agent: try agentSettingsSchema()
        case .broker:
            try SettingsSchema(title: "Millrace broker.yaml", specimens: BrokerSettings.specimens, decode: decode)
        case .pipeline:
            try SettingsSchema(title: "Millrace pipeline.yaml", specimens: PipelineSettings.specimens, decode: decode)
        }
    }
}

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, explain and print configuration files.",
        subcommands: [Validate.self, Print.self, Schema.self])

    private static let kinds = ConfigKind.allCases.map(\.rawValue).joined(separator: ", ")

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "validate",
            abstract: "Read files as the process would, and say what is wrong with them.",
            discussion: """
                Exits with 78 where a file is wrong. Errors are written as compilers write them: file:line:column: message.

                EXAMPLE
                  millrace config validate pipeline pipelines/*/pipeline.yaml
                """)

        @Argument(help: "What the files are: \(ConfigCommand.kinds).")
        var kind: ConfigKind

        @Argument(help: "The files.", completion: .file())
        var files: [String]

        func run() async throws {
            try await reporting {
                var failed = false
                for file in files {
                    do {
                        try kind.decode(try loadSettings(file))
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

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "print",
            abstract: "Print a file as the process reads it.",
            discussion: """
                With --effective also what the file does not say, marked as a default. What ${file:…} and ${env:…} stand for is shown with --no-redacted
                alone, and so are tokens and passwords that stand in the file itself.

                EXAMPLE
                  millrace config print agent /etc/millrace/agent.yaml --effective
                """)

        @OptionGroup var options: PrintOptions

        @Argument(help: "What the file is: \(ConfigCommand.kinds).")
        var kind: ConfigKind

        @Argument(help: "The file.", completion: .file())
        var file: String

        func run() async throws {
            try await reporting { try options.print(file, decode: kind.decode) }
        }
    }

    struct Schema: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema",
            abstract: "Print the JSON Schema of a kind of file, for editors.",
            discussion: """
                Draft 2020-12. An editor with a YAML language server completes keys and marks typos with it: begin the file with
                "# yaml-language-server: $schema=agent.schema.json". 'config validate' knows more: what depends on other keys, it alone can tell.

                EXAMPLE
                  millrace config schema agent > agent.schema.json
                """)

        @Argument(help: "What the files are: \(ConfigCommand.kinds).")
        var kind: ConfigKind

        func run() async throws {
            try await reporting { printNow(try kind.schema().json, terminator: "") }
        }
    }
}
