import AgentCommands
import ArgumentParser
import Base
import Console
import KafkaClient
import KafkaConnection
import NIOPosix
import Telemetry

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Serve the web console for any Kafka cluster.",
        discussion: """
            Shows topics, messages, groups and agents of a cluster in a browser, as any Kafka client sees them, and changes nothing. Beyond the
            loopback it wants a token, which a browser gives as the password of any user.

            EXAMPLES
              millrace console --broker 127.0.0.1:9092
              millrace console --broker kafka1:9092,kafka2:9092 --listen 0.0.0.0:8640 --console-token-file /etc/millrace/console.token
            """)

    @Option(help: ArgumentHelp("Where the console is served.", valueName: "host:port"))
    var listen: String = "127.0.0.1:8640"
    @Option(help: ArgumentHelp("The topic that the nginx page reads.", valueName: "topic"))
    var nginxTopic = "nginx.access"
    @Option(help: "How much to say: trace, debug, info, warning or error.")
    var logLevel: String = "info"
    @OptionGroup var options: ConsoleOptions
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        try await reporting {
            guard let address = Address(listen) else {
                throw ValidationError("'\(listen)' is no address to listen at, such as 127.0.0.1:8640")
            }
            var settings = ConsoleSettings(listen: address, token: try options.token())
            settings.nginxTopic = nginxTopic
            if let contradiction = settings.contradiction { throw ValidationError(contradiction) }
            var process = ProcessOptions()
            process.logLevel = logLevel
            let telemetry = process.telemetry("console")
            let health = Health()
            let group = MultiThreadedEventLoopGroup.singleton
            let kafka = KafkaCluster(
                settings: Console.clusterSettings(try cluster.settings()), on: group)
            let console = Console(settings: settings, cluster: kafka, telemetry: telemetry, health: health, on: group)
            let service = CancelledService {
                try await console.run { address in
                    telemetry.emit(
                        Note("console at http://\(address?.ipAddress ?? "?"):\(address?.port ?? 0)/"))
                }
            }
            let notifier = ServiceNotifier(health: health, telemetry: telemetry)
            try await runServices([service], notifier: notifier, telemetry: telemetry)
            kafka.shutDown()
        }
    }
}
