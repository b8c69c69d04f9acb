import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient

struct TopicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "List, describe, create and delete topics.",
        discussion: """
            EXAMPLES
              millrace topics
              millrace topics create nginx.access --partitions 4 --set retention.ms=86400000
              millrace topics describe nginx.access --output json
            """,
        subcommands: [List.self, Describe.self, Create.self, Delete.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List topics.")

        @Flag(help: "Also those that the broker keeps for itself.") var `internal` = false
        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { cluster in
                    let topics = try await Admin(cluster).listTopics(includeInternal: self.internal)
                    let ends = try await records(of: topics, on: cluster)
                    var table = Table(["topic", "partitions", "records", "id"])
                    for topic in topics.sorted(by: { $0.name < $1.name }) {
                        table.add([
                            .string(topic.name), .int(Int64(topic.partitions.count)), .int(ends[topic.name] ?? 0),
                            .string(topic.id.description),
                        ])
                    }
                    table.print(as: output)
                }
            }
        }

        /// Offsets that the topics' partitions span now.
        private func records(of topics: [TopicInfo], on cluster: KafkaCluster) async throws -> [String: Int64] {
            let partitions = topics.flatMap { topic in
                topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
            }
            if partitions.isEmpty { return [:] }
            let first = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            let last = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            var spans: [String: Int64] = [:]
            for partition in partitions {
                guard let start = first[partition], let end = last[partition] else { continue }
                spans[partition.topic, default: 0] += end.offset - start.offset
            }
            return spans
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a topic's partitions and settings.")

        @Argument(help: "The topic.") var topic: String
        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { cluster in
                    let admin = Admin(cluster)
                    let info = try await admin.describeTopic(topic)
                    let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
                    let first = try await cluster.offsets(
                        Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
                    let last = try await cluster.offsets(
                        Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
                    var table = Table(["partition", "leader", "epoch", "start", "end"])
                    for partition in info.partitions {
                        let id = TopicPartition(topic: topic, partition: partition.partition)
                        table.add([
                            .int(Int64(partition.partition)),
                            partition.leader.map { .int(Int64($0.rawValue)) } ?? .null,
                            .int(Int64(partition.leaderEpoch.rawValue)),
                            first[id].map { .int($0.offset.rawValue) } ?? .null,
                            last[id].map { .int($0.offset.rawValue) } ?? .null,
                        ])
                    }
                    table.print(as: output)
                    var settings = Table(["setting", "value", "default"])
                    for entry in try await admin.describeConfigs(topic: topic) {
                        settings.add([
                            .string(entry.name), entry.value.map { .string($0) } ?? .null, .bool(entry.isDefault),
                        ])
                    }
                    if output == .table { print("") }
                    settings.print(as: output)
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a topic.")

        @Argument(help: "The topic.") var topic: String
        @Option(help: "How many partitions.") var partitions: Int32 = 1
        @Option(
            name: .customLong("set"),
            help: ArgumentHelp("A topic setting, such as retention.ms=86400000. Repeatable.", valueName: "name=value"))
        var settings: [String] = []
        @Flag(help: "Only say whether it could be created.") var validateOnly = false
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                var configs: [String: String] = [:]
                for pair in settings {
                    guard let equals = pair.firstIndex(of: "=") else {
                        throw ValidationError("--set wants name=value, not '\(pair)'")
                    }
                    configs[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
                }
                try await cluster.withCluster { cluster in
                    try await Admin(cluster).createTopics(
                        [NewTopic(topic, partitionCount: partitions, configs: configs)], validateOnly: validateOnly)
                }
                print("\(topic): \(validateOnly ? "can be created" : "created")")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete topics with all their records.")

        @Argument(help: "The topics.") var topics: [String]
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { try await Admin($0).deleteTopics(topics) }
                for topic in topics { print("\(topic): deleted") }
            }
        }
    }
}
