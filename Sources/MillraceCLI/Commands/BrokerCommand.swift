import AgentCommands
import ArgumentParser
import Base
import Broker
import KafkaConnection
import NIOPosix
import ServiceLifecycle
import SystemPackage
import Telemetry
import TransportSecurity

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Run a Kafka broker.",
        discussion: """
            Without a file it listens on the loopback only. Any Kafka client from 2.1 to 4.1 works against it. SIGHUP reads the certificates of
            its listeners again; so does a change of their files.

            EXAMPLES
              millrace broker --data /tmp/mill --listen 127.0.0.1:9092
              millrace broker -c /etc/millrace/broker.yaml
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("The configuration file.", valueName: "file"), completion: .file())
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The data folder, without a file. Repeatable: further ones, each best on a disk of its own, hold partitions only.",
            valueName: "folder"), completion: .directory)
    var data: [String] = []

    @Option(help: ArgumentHelp("Where to listen, without a file.", valueName: "host:port"))
    var listen: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A default for topics, such as millrace.durability=page-cache or num.partitions=4. Repeatable.",
            valueName: "name=value"))
    var topicDefaults: [String] = []

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var client: ClientConfigOptions
    @OptionGroup var process: ProcessOptions

    func run() async throws {
        try await reporting {
            let settings = try self.settings()
            let telemetry = process.telemetry("broker")
            let openFiles = OpenFileLimit.raise()
            let connections = settings.limits.connectionsMax * settings.listeners.count
            if openFiles < connections {
                telemetry.emit(
                    Note(
                        "this process may open \(openFiles) files and sockets, fewer than the \(connections) connections it would take: raise "
                            + "LimitNOFILE (ulimit -n) or lower limits: connections", level: .warning))
            }
            let health = Health()
            let group = MultiThreadedEventLoopGroup.singleton
            let broker = BrokerServer(
                settings: settings, eventLoopGroup: group, telemetry: telemetry, health: health,
                transportSecurity: { ServerTLS($0) })
            let service = StartStopService(start: { _ = try await broker.start() }, stop: { await broker.shutDown() })
            let notifier = ServiceNotifier(health: health, telemetry: telemetry)
            let admin = try ConsoleService(
                option: process.admin, standard: "127.0.0.1:8640", token: console.token(),
                bootstrap: { broker.consoleAddresses }, connection: try consoleConnection(settings),
                telemetry: telemetry, health: health, on: group)
            let hangups: [any Service] =
                config == nil ? [] : [HangupService(telemetry: telemetry) { await broker.refreshCertificates() }]
            try await runServices([admin, service] + hangups, notifier: notifier, telemetry: telemetry)
        }
    }

    /// The console is a client: a listener that is open to all is free to it, for others it needs what every client needs.
    private func consoleConnection(_ settings: BrokerSettings) throws -> ConnectionSettings {
        var connection = ConnectionSettings()
        if !settings.listeners.contains(where: \.isOpenToAll) {
            try connection.protect(try client.source.load().security)
        }
        return connection
    }

    private func settings() throws -> BrokerSettings {
        var settings: BrokerSettings
        if let config {
            guard data.isEmpty, listen == nil else {
                throw ValidationError("--data and --listen stand in the file where there is one: leave them out")
            }
            settings = try BrokerSettings(yaml: try loadSettings(config))
        } else {
            guard let home = data.first else {
                throw ValidationError("name a data folder with --data, or a file with -c")
            }
            guard let address = Address(listen ?? "127.0.0.1:9092") else {
                throw ValidationError("'\(listen ?? "")' is no address to listen at, such as 127.0.0.1:9092")
            }
            settings = BrokerSettings(data: FilePath(home), listeners: [ListenerSettings(bind: address)])
            settings.furtherData = data.dropFirst().map { FilePath($0) }
        }
        for pair in topicDefaults {
            guard let equals = pair.firstIndex(of: "=") else {
                throw ValidationError("--set wants name=value, not '\(pair)'")
            }
            let name = String(pair[..<equals])
            let value = String(pair[pair.index(after: equals)...])
            if name == "num.partitions" {
                guard let count = Int32(value) else { throw ValidationError("num.partitions wants a number") }
                settings.partitionCountDefault = count
            } else {
                settings.topicDefaults[name] = value
            }
        }
        do { try settings.validate() } catch {
            printError("millrace: \(error)")
            throw ExitCodes.configuration
        }
        return settings
    }
}
