import AgentCommands
import ArgumentParser

/// `millrace`: everything in one binary.
public struct Millrace: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "Leads logs to analysis, each line exactly once.",
        discussion: """
            EXAMPLES
              millrace up                                         broker, agent and pipeline in one process
              millrace broker --data /var/lib/millrace/broker     a Kafka broker on 127.0.0.1:9092
              millrace tail nginx.access --from earliest          what a topic holds
            """,
        version: "millrace \(Build.version)",
        subcommands: [
            UpCommand.self, BrokerCommand.self, AgentCommand.self, PipelineCommand.self, TopicsCommand.self,
            GroupsCommand.self, TopCommand.self, ConsoleCommand.self, ProduceCommand.self, TailCommand.self,
            ExportCommand.self, UsersCommand.self, TLSCommand.self,
            LogCommand.self, ConfigCommand.self, MetricsCommand.self, BenchCommand.self,
            VersionCommand.self, JournalReaderCommand.self,
        ])

    public init() {}
}
