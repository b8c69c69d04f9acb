import AgentCommands
import ArgumentParser
import Base
import KafkaClient

struct BenchConsume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Read a topic from its beginning to the end that it has now.",
        discussion: """
            Batches are checked (CRC-32C) and counted, not unpacked. Several readers read all of it each, as several groups would.

            EXAMPLE
              millrace bench produce --bytes 2GB && millrace bench consume --readers 2
            """)

    @Option(help: ArgumentHelp("The topic.", valueName: "topic")) var topic = "millrace-bench"
    @Option(help: "How many read at a time, each the whole topic.") var readers = 1
    @Option(help: ArgumentHelp("The most that a partition gives in an answer.", valueName: "size")) var partitionBytes =
        "1MiB"
    @OptionGroup var meter: MeterOptions
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard 1...100 ~= readers else { throw ValidationError("--readers is from 1 to 100") }
    }

    func run() async throws {
        try await reporting {
            let meter = try self.meter.meter()
            var settings = FetchSettings()
            settings.partitionBytesMax = try size(partitionBytes, "--partition-bytes", in: .kib(1)...(.mib(64)))
            let fetchSettings = settings
            try await cluster.withCluster { cluster in
                let partitions = try await cluster.topicInfo(topic).partitions.map {
                    TopicPartition(topic: topic, partition: $0.partition)
                }
                func ask(_ query: OffsetQuery) async throws -> [TopicPartition: Offset] {
                    try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, query) }))
                        .mapValues(\.offset)
                }
                let starts = try await ask(.earliest)
                let ends = try await ask(.latest).filter { starts[$0.key, default: .zero] < $0.value }
                guard !ends.isEmpty else {
                    throw ValidationError("topic '\(topic)' is empty: fill it with 'millrace bench produce'")
                }
                let wanted = ends.reduce(Int64(0)) { $0 + ($1.value - starts[$1.key, default: .zero]) } * Int64(readers)
                let counts = Tally((records: Int64(0), bytes: Int64(0)))
                let bar = ProgressBar("consume", unit: .things)
                let before = meter?.read()
                let time = SystemTime()
                let begin = time.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<readers {
                        group.addTask {
                            let reader = PartitionReader(
                                cluster: cluster, partitions: ends.mapValues { _ in .earliest }, settings: fetchSettings
                            )
                            var open = ends
                            try await reader.run { data in
                                guard let end = open[data.partition] else { return !open.isEmpty }
                                let done = counts.update { counts in
                                    counts.records += min(data.nextOffset, end) - min(data.startOffset, end)
                                    counts.bytes += Int64(data.byteCount.bytes)
                                    return counts.records
                                }
                                bar.show(done, of: wanted)
                                if data.nextOffset >= end { open[data.partition] = nil }
                                return !open.isEmpty
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let seconds = Double((time.now - begin).nanoseconds) / 1e9
                bar.clear()
                let (records, bytes) = counts.update { $0 }
                var report = BenchReport()
                report.addThroughput(records: records, bytes: bytes, seconds: seconds)
                if let before { report.addServer(before, meter?.read(), bytes: bytes) }
                report.print(as: self.meter.output)
            }
        }
    }
}
