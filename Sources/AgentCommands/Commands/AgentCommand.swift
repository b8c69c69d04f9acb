import Agent
import ArgumentParser
import Base
import KafkaConnection
import NIOPosix
import Records
import Settings
import SystemPackage
import Telemetry

/// `millrace agent …`, which is the same as `millrace-agent …`.
public struct AgentCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Ship log files and the journal to a broker, each line exactly once.",
        subcommands: [RunAgent.self, InstallAgent.self, AgentConfig.self, ValidateAgent.self])

    public init() {}
}

/// The root of the slim binary.
public struct MillraceAgent: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "millrace-agent",
        abstract: "Ship log files and the journal to a broker, each line exactly once.",
        discussion: """
            EXAMPLES
              millrace-agent run --broker 127.0.0.1:9092 --state /tmp/agent --file '/var/log/nginx/*.log' --journal
              millrace-agent run -c /etc/millrace/agent.yaml
            """,
        version: "millrace-agent \(Build.version)",
        subcommands: [
            RunAgent.self, InstallAgent.self, AgentConfig.self, ValidateAgent.self, VersionCommand.self,
            JournalReaderCommand.self,
        ])

    public init() {}
}

public struct RunAgent: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the agent.",
        discussion: """
            A line is sealed on disk before it is sent, so that a crash at any moment neither loses nor repeats it. SIGTERM stops the agent once
            what it has read is acknowledged (at most stop_timeout later); SIGHUP reads the file again and keeps every position. Exits with 78 where
            the configuration is wrong.

            EXAMPLES
              millrace-agent run --broker 127.0.0.1:9092 --state /tmp/agent --file '/var/log/nginx/*.log'
              millrace-agent run -c /etc/millrace/agent.yaml
              zcat old.log.gz | millrace-agent run --broker 127.0.0.1:9092 --state /tmp/import --stdin --topic old
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("The configuration file.", valueName: "file"), completion: .file())
    var config: String?

    @Option(
        name: [.customLong("broker"), .customLong("bootstrap-server")],
        help: ArgumentHelp("Brokers to begin with, without a file.", valueName: "host:port"))
    var broker: String?

    @Option(help: ArgumentHelp("The state folder, without a file.", valueName: "folder"), completion: .directory)
    var state: String?

    @Option(
        name: .customLong("file"),
        help: ArgumentHelp("Files to ship; quote patterns. Repeatable.", valueName: "pattern"), completion: .file())
    var files: [String] = []

    @Flag(help: "Ship the lines of standard input, and end when it does and all is acknowledged.")
    var stdin = false

    @Option(help: "The topic of --file and --stdin.")
    var topic: String = "logs"

    @Option(help: "The codec of batches: none, gzip, snappy, lz4 or zstd; without a file.")
    var codec: String?

    @Flag(help: "Ship the systemd journal to topic journal.")
    var journal = false

    @Option(
        help: ArgumentHelp("A folder of journal files, instead of the system's journal.", valueName: "folder"),
        completion: .directory)
    var journalDirectory: String?

    @OptionGroup var process: ProcessOptions

    public init() {}

    public func run() async throws {
        ProcessMemory.keepSmall()
        try await reporting {
            let settings = try self.settings()
            let telemetry = process.telemetry("agent")
            let health = Health()
            let group = MultiThreadedEventLoopGroup.singleton
            let notifier = ServiceNotifier(health: health, telemetry: telemetry)
            let spooled = SpooledSources(telemetry: telemetry)
            let make: @Sendable (AgentSettings) -> ReloadableService.Work = { settings in
                let agent = Agent(
                    settings: settings, telemetry: telemetry, health: health, on: group,
                    begin: { try spooled.begin(settings) },
                    makeInputs: AgentInputs.make(settings: settings, telemetry: telemetry, spooled: spooled))
                return ReloadableService.Work(run: { try await agent.run() }, stop: { agent.stop() })
            }
            var reread: (@Sendable () async throws -> ReloadableService.Work)?
            if let config {
                reread = { make(try Self.reload(config, running: settings)) }
            }
            let admin = try AdminService(
                option: process.admin, standard: config == nil ? "off" : "127.0.0.1:8641", telemetry: telemetry,
                health: health, on: group)
            try await runServices(
                [
                    admin,
                    ReloadableService(
                        first: make(settings), notifier: notifier, telemetry: telemetry, make: reread),
                ], notifier: notifier, telemetry: telemetry, mayEnd: true)
            spooled.stop()
        }
    }

    /// The file's settings anew. The state directory stays what it is: the lock on it, and every position, belong to it.
    private static func reload(_ config: String, running: AgentSettings) throws -> AgentSettings {
        var settings = try AgentSettings(yaml: try loadSettings(config), host: hostName())
        guard settings.state == running.state else {
            throw ValidationError("the state directory can't change while the agent runs: restart it")
        }
        settings.leaveOutOwnMessages()
        try settings.connection.protect(settings.security)
        return settings
    }

    private func settings() throws -> AgentSettings {
        if let config {
            guard broker == nil, state == nil, files.isEmpty, codec == nil, !journal, journalDirectory == nil, !stdin
            else {
                throw ValidationError("the file given with -c says everything: leave the other options out")
            }
            var settings = try AgentSettings(yaml: try loadSettings(config), host: hostName())
            settings.leaveOutOwnMessages()
            try settings.connection.protect(settings.security)
            return settings
        }
        guard let state else { throw ValidationError("name a state folder with --state, or a file with -c") }
        guard !files.isEmpty || journal || journalDirectory != nil || stdin else {
            throw ValidationError("name what to ship with --file, --journal or --stdin, or a file with -c")
        }
        var settings = AgentSettings(
            brokers: try ClusterOptions.addresses(broker ?? "127.0.0.1:9092"), host: hostName())
        settings.state = FilePath(state)
        if !files.isEmpty { settings.files = [FileInputSettings(paths: files, topic: topic)] }
        if stdin { settings.stdin = StdinSettings(topic: topic) }
        if journal || journalDirectory != nil {
            settings.journals = [JournalInputSettings(directory: journalDirectory)]
            settings.leaveOutOwnMessages()
        }
        if let codec {
            guard let known = Codec(name: codec) else {
                throw ValidationError("'\(codec)' is no codec: none, gzip, snappy, lz4 or zstd")
            }
            settings.seal.codec = known
        }
        if let contradiction = settings.contradiction { throw ValidationError(contradiction) }
        return settings
    }
}

extension AgentSettings {
    /// What this process says to the journal is not shipped, unless the file asks for it.
    mutating func leaveOutOwnMessages() {
        let unit = OwnUnit.name()
        for index in journals.indices { journals[index].leaveOut(ownUnit: unit) }
    }
}
