import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient

struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "List consumer groups, show how far each has read, and set them back or ahead.",
        discussion: """
            EXAMPLES
              millrace groups
              millrace groups describe nginx-to-jsonl
              millrace groups reset reports --to earliest --dry-run
            """,
        subcommands: [List.self, Describe.self, Reset.self, Delete.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List groups.")

        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                let groups = try await cluster.withCluster { try await Admin($0).listGroups() }
                var table = Table(["group", "state", "protocol"])
                for group in groups.sorted(by: { $0.group < $1.group }) {
                    table.add([.string(group.group), .string(group.state), .string(group.protocolType)])
                }
                table.print(as: output)
            }
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a group's committed offsets, lag and members.")

        @Argument(help: "The group.") var group: String
        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { cluster in
                    let admin = Admin(cluster)
                    let description = try await admin.describeGroup(group)
                    let committed = try await admin.committedOffsets(group: group)
                    var holders: [TopicPartition: String] = [:]
                    for member in description.members {
                        for partition in member.assigned { holders[partition] = "\(member.clientID) \(member.host)" }
                    }
                    let partitions = Set(committed.keys).union(holders.keys).sorted()
                    let ends =
                        partitions.isEmpty
                        ? [:]
                        : try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
                    var table = Table(["topic", "partition", "committed", "end", "lag", "member"])
                    for partition in partitions {
                        let offset = committed[partition]?.offset
                        let end = ends[partition]?.offset
                        var lag = Value.null
                        if let offset, let end { lag = .int(max(0, end - offset)) }
                        table.add([
                            .string(partition.topic), .int(Int64(partition.partition)),
                            offset.map { .int($0.rawValue) } ?? .null, end.map { .int($0.rawValue) } ?? .null, lag,
                            holders[partition].map { .string($0) } ?? .null,
                        ])
                    }
                    if output == .table {
                        print("\(group): \(description.state), \(description.members.count) members")
                    }
                    table.print(as: output)
                }
            }
        }
    }
}
