import Agent
import ArgumentParser
import Settings

/// `millrace-agent config …`: what units run before they start the agent, and what editors and people ask.
public struct AgentConfig: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, explain and print configuration files.",
        subcommands: [ValidateAgent.self, PrintAgent.self, AgentSchema.self])

    public init() {}
}

public struct ValidateAgent: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Read configuration files and say what is wrong with them.")

    @Argument(help: "The files.", completion: .file()) var files: [String]

    public init() {}

    public func run() async throws {
        try await reporting {
            for file in files {
                try validateAgentSettings(try loadSettings(file))
                print("\(file): fine")
            }
        }
    }
}

struct PrintAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print", abstract: "Print a configuration file as the agent reads it.")

    @OptionGroup var options: PrintOptions
    @Argument(help: "The file.", completion: .file()) var file: String

    func run() async throws {
        try await reporting { try options.print(file, decode: validateAgentSettings) }
    }
}

struct AgentSchema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of agent.yaml, for editors.")

    func run() async throws {
        try await reporting { printNow(try agentSettingsSchema().json, terminator: "") }
    }
}

/// How `config print` prints.
public struct PrintOptions: ParsableArguments {
    @Flag(help: "Also what the file does not say, with its default.") public var effective = false
    @Flag(
        inversion: .prefixedNo,
        help: "Show references such as ${file:…} instead of what they stand for, and no secrets.")
    public var redacted = true

    public init() {}

    /// Prints a file that `decode` takes; throws what it has against it.
    public func print(_ file: String, decode: (YAMLNode) throws(SettingsError) -> Void) throws(SettingsError) {
        let (node, trace) = try loadSettings(file).traced()
        try decode(node)
        printNow(SettingsPrinter(isEffective: effective, isRedacted: redacted).text(of: trace), terminator: "")
    }
}

/// Reads `agent.yaml` and throws what is wrong with it.
public func validateAgentSettings(_ node: YAMLNode) throws(SettingsError) {
    _ = try AgentSettings(yaml: node, host: hostName())
}

public func agentSettingsSchema() throws(SettingsError) -> SettingsSchema {
    try SettingsSchema(title: "Millrace agent.yaml", specimens: AgentSettings.specimens) {
        (node: YAMLNode) throws(SettingsError) in
        // By default this machine's name, which is nobody else's default.
        _ = try AgentSettings(yaml: node, host: "")
    }
}
