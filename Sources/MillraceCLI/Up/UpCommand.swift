import Agent
import AgentCommands
import ArgumentParser
import Base
import Broker
import Events
import Exports
import KafkaClient
import KafkaConnection
import NIOPosix
import Pipelines
import ServiceLifecycle
import SystemPackage
import Telemetry

#if canImport(Glibc)
    import Glibc
#endif

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run broker, agent and pipelines in one process.",
        discussion: """
            Ships /var/log/nginx where it can be read and holds lines (else a demo log that it writes itself) and the journal where there is one,
            through a broker on the loopback, into tables of JSON lines below --data. The same parts as in three processes, with the same guarantees.

            EXAMPLES
              millrace up
              millrace up --data /srv/millrace --listen 127.0.0.1:9192 --log /srv/app/access.log
            """)

    @Option(help: ArgumentHelp("Where everything is kept.", valueName: "folder"), completion: .directory) var data:
        String = "millrace-data"
    @Option(help: ArgumentHelp("Where the broker listens.", valueName: "host:port")) var listen: String =
        "127.0.0.1:9092"
    @Option(
        name: .customLong("log"),
        help: ArgumentHelp(
            "nginx access logs (combined) to ship instead of /var/log/nginx. Repeatable.", valueName: "pattern"))
    var logs: [String] = []
    @Flag(help: "Write and ship a demo log, even where there is an nginx.") var demo = false
    @Flag(inversion: .prefixedNo, help: "Ship the journal.") var journal = true
    @Option(help: "A folder of journal files, instead of the system's journal.") var journalDirectory: String?
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var process: ProcessOptions

    func run() async throws {
        try await reporting {
            let root = try absolute(data)
            guard let address = Address(listen) else {
                throw ValidationError("'\(listen)' is no address to listen at, such as 127.0.0.1:9092")
            }
            var quiet = process
            if process.logLevel == "info" { quiet.logLevel = "warning" }
            let telemetry = quiet.telemetry("millrace")
            let health = Health()
            let group = MultiThreadedEventLoopGroup.singleton
            let broker = BrokerServer(
                settings: BrokerSettings(data: root.appending("broker"), listeners: [ListenerSettings(bind: address)]),
                eventLoopGroup: group, telemetry: telemetry, health: health)
            let addresses = try await broker.start()
            let sources = Sources(command: self, data: root)
            let agent = try makeAgent(sources, brokers: addresses, root: root, telemetry: telemetry, health: health)
            let cluster = KafkaCluster(settings: ClusterSettings(bootstrap: addresses), on: group, telemetry: telemetry)
            let pipelines = Self.pipelines(export: root.appending("export")).map {
                PipelineRuntime(settings: $0, cluster: cluster, telemetry: telemetry, health: health)
            }
            announce(addresses, sources, root)

            var services: [any Service] = [
                try ConsoleService(
                    option: process.admin, standard: "127.0.0.1:8640", token: console.token(), bootstrap: { addresses },
                    telemetry: telemetry, health: health, on: group, announces: true),
                StartStopService(start: {}, stop: { await broker.shutDown() }),
            ]
            services += pipelines.map { pipeline in
                EndingService(run: { try await pipeline.run() }, stop: { pipeline.stop() })
            }
            services.append(EndingService(run: { try await agent.run() }, stop: { agent.stop() }))
            if let demo = sources.demoLog { services.append(CancelledService { try await demo.write() }) }
            services.append(ProgressLine(cluster: cluster, topics: sources.topics, pipelines: pipelines))
            let notifier = ServiceNotifier(health: health, telemetry: telemetry)
            try await runServices(services, notifier: notifier, telemetry: telemetry)
            cluster.shutDown()
        }
    }

    /// What is shipped: real logs where there are some, else the demo.
    struct Sources {
        var files: [FileInputSettings]
        var journals: [JournalInputSettings] = []
        var demoLog: DemoLog?
        var topics = ["nginx.access"]

        init(command: UpCommand, data: FilePath) {
            let hasNginx = Self.holdsLines("/var/log/nginx/access.log")
            if !command.logs.isEmpty {
                files = [FileInputSettings(paths: command.logs, topic: "nginx.access", format: "nginx_access")]
            } else if hasNginx && !command.demo {
                files = FileInputSettings.nginx()
                topics.append("nginx.error")
            } else {
                let path = data.appending("demo").appending("access.log")
                demoLog = DemoLog(path: path)
                files = [FileInputSettings(paths: [path.string], topic: "nginx.access", format: "nginx_access")]
            }
            let hasJournal = ["/run/log/journal", "/var/log/journal"].contains { Self.isFilled($0) }
            if let folder = command.journalDirectory {
                journals = [JournalInputSettings(directory: folder)]
            } else if command.journal && hasJournal {
                journals = [JournalInputSettings(directory: nil)]
            }
            if !journals.isEmpty { topics.append("journal") }
        }

        private static func holdsLines(_ path: String) -> Bool {
            guard let file = try? PosixFileSystem().open(FilePath(path), .read) else { return false }
            defer { file.close() }
            return ((try? file.status().size) ?? 0) > 0
        }

        private static func isFilled(_ folder: String) -> Bool {
            ((try? PosixFileSystem().list(FilePath(folder))) ?? []).contains(where: \.isDirectory)
        }
    }

    private func makeAgent(
        _ sources: Sources, brokers: [Address], root: FilePath, telemetry: Telemetry, health: Health
    ) throws -> Agent {
        var settings = AgentSettings(brokers: brokers, host: hostName())
        settings.state = root.appending("agent")
        settings.files = sources.files
        settings.journals = sources.journals
        return Agent(
            settings: settings, telemetry: telemetry, health: health, on: MultiThreadedEventLoopGroup.singleton,
            makeInputs: AgentInputs.make(settings: settings, telemetry: telemetry))
    }

    private static func pipelines(export: FilePath) -> [PipelineSettings] {
        var settings = ExportSettings()
        settings.commit.ageMax = .seconds(10)
        return [
            PipelineSettings(
                name: "up-nginx", topics: ["nginx.access"], steps: Steps(parser: NginxLineParser.combined),
                sinks: [.export(ExportSinkSettings(root: .local(export), table: "nginx", settings: settings))]),
            PipelineSettings(
                name: "up-journal", topics: ["journal"], steps: Steps(parser: JournalLineParser()),
                sinks: [.export(ExportSinkSettings(root: .local(export), table: "journal", settings: settings))]),
        ]
    }

    private func announce(_ addresses: [Address], _ sources: Sources, _ root: FilePath) {
        let shipped = sources.files.flatMap(\.paths).joined(separator: ", ")
        let demo =
            sources.demoLog == nil
            ? "" : " (a demo, written here: /var/log/nginx/access.log holds no lines; --log names others)"
        printNow(
            """
            Kafka endpoint   \(addresses.map(\.description).joined(separator: ", "))
            ships            \(shipped)\(demo)\(sources.journals.isEmpty ? "" : ", the journal")
            exports to       \(root.appending("export"))/{nginx,journal}/dt=…/hour=…/*.json.gz, committed every 10 s
            try              millrace tail nginx.access --broker \(addresses[0])
            """)
    }

    private func absolute(_ path: String) throws -> FilePath {
        if path.hasPrefix("/") { return FilePath(path) }
        guard let here = getcwd(nil, 0) else {
            throw ValidationError("the working folder can't be told: give --data an absolute path")
        }
        defer { free(here) }
        return FilePath(String(cString: here)).appending(path)
    }
}
