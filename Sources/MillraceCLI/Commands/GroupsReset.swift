import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient

/// Where `groups reset` moves a group to.
enum ResetTarget: Equatable {
    case earliest, latest
    case timestamp(Timestamp)
    case offset(Offset)

    /// - Parameters:
    ///   - word: `earliest`, `latest`, an offset (`42`), or a time (`2026-11-22T07:00:00Z`).
    init?(_ word: String) {
        switch word {
        case "earliest": self = .earliest
        case "latest": self = .latest
        default:
            if let number = Int64(word), number >= 0 {
                self = .offset(Offset(number))
            } else if let time = TimeText.iso8601(word) {
                self = .timestamp(time)
            } else {
                return nil
            }
        }
    }

    /// The offset in a partition whose log goes from `start` to `end`; `found` is what the broker has at the time asked for, nil where nothing is as new.
    ///
    /// An offset outside of the log is moved to its nearer end, so that no consumer falls back on its own `auto.offset.reset`.
    func offset(start: Offset, end: Offset, found: Offset?) -> Offset {
        switch self {
        case .earliest: start
        case .latest: end
        case .timestamp: min(max(found ?? end, start), end)
        case .offset(let offset): min(max(offset, start), end)
        }
    }
}

extension GroupsCommand {
    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Move the committed offsets of a group that has no members.",
            discussion: """
                Stop the group's consumers first: their own commits would undo it, so the broker refuses. An offset outside of a log is moved to its nearer end. A
                time stands for the first record that is as new; where there is none, for the log's end.

                A Millrace export does not go by its group's offsets but by its chain: a reset neither repeats nor skips what it exports.

                EXAMPLES
                  millrace groups reset reports --to earliest --dry-run
                  millrace groups reset reports --topic nginx.access --to 2026-11-22T07:00:00Z
                  millrace groups reset reports --topic nginx.access:3 --to 1200
                """)

        @Argument(help: "The group.") var group: String
        @Option(help: ArgumentHelp("earliest, latest, an offset, or a time in ISO 8601.", valueName: "where"))
        var to: String
        @Option(
            help: ArgumentHelp(
                "A topic, or one of its partitions as topic:3. Repeatable; without it, all that the group has committed.",
                valueName: "topic"))
        var topic: [String] = []
        @Flag(help: "Only print what would be committed.") var dryRun = false
        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                guard let target = ResetTarget(to) else {
                    throw ValidationError(
                        "--to wants earliest, latest, an offset or a time such as 2026-11-22T07:00:00Z, not '\(to)'")
                }
                try await cluster.withCluster { cluster in try await reset(target, cluster) }
            }
        }

        private func reset(_ target: ResetTarget, _ cluster: KafkaCluster) async throws {
            let admin = Admin(cluster)
            let committed = try await admin.committedOffsets(group: group)
            let partitions = try await chosen(cluster, committed)
            guard !partitions.isEmpty else {
                throw ValidationError("group '\(group)' has committed nothing: name what to set with --topic")
            }
            let members = try await admin.describeGroup(group).members.count
            guard members == 0 || dryRun else {
                throw ValidationError(
                    "group '\(group)' has \(members) members, whose commits would undo it: stop them first, or look with --dry-run"
                )
            }
            func ask(_ query: OffsetQuery) async throws -> [TopicPartition: Offset] {
                try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, query) }))
                    .mapValues(\.offset)
            }
            let starts = try await ask(.earliest)
            let ends = try await ask(.latest)
            var found: [TopicPartition: Offset] = [:]
            if case .timestamp(let time) = target {
                found = try await ask(.timestamp(time)).filter { $0.value >= .zero }
            }
            var table = Table(["topic", "partition", "committed", "new", "lag"])
            var new: [TopicPartition: CommittedOffset] = [:]
            for partition in partitions {
                guard let start = starts[partition], let end = ends[partition] else { continue }
                let offset = target.offset(start: start, end: end, found: found[partition])
                new[partition] = CommittedOffset(offset)
                table.add([
                    .string(partition.topic), .int(Int64(partition.partition)),
                    committed[partition].map { .int($0.offset.rawValue) } ?? .null, .int(offset.rawValue),
                    .int(max(0, end - offset)),
                ])
            }
            if !dryRun { try await admin.commitOffsets(group: group, new) }
            table.print(as: output)
            if output == .table, dryRun { print("nothing is committed: --dry-run") }
        }

        private func chosen(
            _ cluster: KafkaCluster, _ committed: [TopicPartition: CommittedOffset]
        ) async throws -> [TopicPartition] {
            guard !topic.isEmpty else { return committed.keys.sorted() }
            var partitions: Set<TopicPartition> = []
            for name in topic {
                let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
                let all = try await cluster.topicInfo(parts[0]).partitions.map(\.partition)
                guard parts.count == 2 else {
                    partitions.formUnion(all.map { TopicPartition(topic: name, partition: $0) })
                    continue
                }
                guard let number = Int32(parts[1]), all.contains(number) else {
                    throw ValidationError("topic '\(parts[0])' has no partition '\(parts[1])': it has \(all.count)")
                }
                partitions.insert(TopicPartition(topic: parts[0], partition: number))
            }
            return partitions.sorted()
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete groups that have no members, with their committed offsets.")

        @Argument(help: "The groups.") var groups: [String]
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { try await Admin($0).deleteGroups(groups) }
                for group in groups { print("\(group): deleted") }
            }
        }
    }
}
