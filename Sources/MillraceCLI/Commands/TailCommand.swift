import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient
import NIOCore
import Records

#if canImport(Glibc)
    import Glibc
#endif

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print what a topic holds, and what comes.",
        discussion: """
            Prints the records' values, a line each. Control characters are shown as \\xHH on a terminal, so that a hostile log line can't play with it.

            EXAMPLES
              millrace tail nginx.access
              millrace tail nginx.access --from earliest --count 10 --output json
              millrace tail nginx.access --parse nginx --where 'status >= 500'
            """)

    enum Start: String, ExpressibleByArgument, CaseIterable { case earliest, latest }
    enum Parser: String, ExpressibleByArgument, CaseIterable { case nginx, json, raw }

    @Argument(help: "The topic.") var topic: String
    @Option(help: "earliest or latest.") var from = Start.latest
    @Option(help: ArgumentHelp("End after so many records.", valueName: "n")) var count: Int?
    @Flag(help: "End once the end of the topic is reached, instead of waiting for more.") var exit = false
    @Option(help: "How --where reads a record: nginx (combined), json or raw.") var parse: Parser?
    @Option(name: .customLong("where"), help: "Only records for which this expression is true.") var condition: String?
    @Option(help: "table (the values alone) or json (with offsets, keys and times).") var output = OutputFormat.table
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        try await reporting {
            let parser = self.parser
            let filter: Expression?
            do { filter = try condition.map { try Expression($0, fields: parser.fields) } } catch {
                throw ValidationError("--where: \(error)")
            }
            try await cluster.withCluster { cluster in
                let info = try await cluster.topicInfo(topic)
                let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
                var ends: [TopicPartition: Offset] = [:]
                if exit {
                    ends = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
                        .mapValues(\.offset)
                    let starts = try await cluster.offsets(
                        Dictionary(
                            uniqueKeysWithValues: partitions.map { ($0, from == .earliest ? .earliest : .latest) }))
                    ends = ends.filter { starts[$0.key].map(\.offset) ?? .zero < $0.value }
                    if ends.isEmpty { return }
                }
                let reader = PartitionReader(
                    cluster: cluster,
                    partitions: Dictionary(
                        uniqueKeysWithValues: partitions.map {
                            ($0, from == .earliest ? StartPosition.earliest : .latest)
                        }))
                var printed = 0
                let isTerminal = isatty(1) == 1
                try await reader.run { data in
                    for batch in data.batches {
                        var records = try batch.records(decompressedMax: .mib(64))
                        while let record = try records.next() {
                            guard record.offset >= data.startOffset else { continue }
                            guard passes(record, data.partition, filter, parser) else { continue }
                            show(record, data.partition, isTerminal: isTerminal)
                            printed += 1
                            if let count, printed >= count { return false }
                        }
                    }
                    guard exit else { return true }
                    ends = ends.filter { $0.key != data.partition || $0.value > data.nextOffset }
                    return !ends.isEmpty
                }
            }
        }
    }

    private var parser: any LineParser {
        switch parse ?? (topic.hasPrefix("nginx.access") ? .nginx : .json) {
        case .nginx: NginxLineParser.combined
        case .json: JSONLineParser()
        case .raw: RawLineParser()
        }
    }

    private func passes(
        _ record: Record, _ partition: TopicPartition, _ filter: Expression?, _ parser: any LineParser
    ) -> Bool {
        guard let filter else { return true }
        let hash = RecordHash.of(partition: partition.partition, offset: record.offset.rawValue)
        let bytes = record.value ?? ByteBuffer()
        let event: Event? = bytes.withUnsafeReadableBytes { value in
            do { return try parser.parse(value) } catch { return nil }
        }
        return event.map { filter.matches($0, recordHash: hash) } ?? false
    }

    private func show(_ record: Record, _ partition: TopicPartition, isTerminal: Bool) {
        let value = record.value.map { Array($0.readableBytesView) } ?? []
        switch output {
        case .json:
            let fields = [
                Field("partition", .int(Int64(partition.partition))), Field("offset", .int(record.offset.rawValue)),
                Field("timestamp", .timestamp(record.timestamp)),
                Field("key", record.key.map { .string(TextRepair.string(Array($0.readableBytesView))) } ?? .null),
                Field("value", .string(TextRepair.string(value))),
            ]
            printNow(Value.object(fields).json)
        case .table:
            StandardStreams.write((isTerminal ? Self.harmless(value) : value) + [0x0a])
        }
    }

    /// Control characters but the tab as `\xHH`.
    private static func harmless(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var shown: [UInt8] = []
        for byte in bytes {
            if byte < 0x20 && byte != 0x09 || byte == 0x7f {
                shown += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            } else {
                shown.append(byte)
            }
        }
        return shown
    }
}
