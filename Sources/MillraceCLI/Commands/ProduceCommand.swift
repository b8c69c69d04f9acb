import AgentCommands
import ArgumentParser
import Base
import KafkaClient
import Records

struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Write the lines of standard input to a topic.",
        discussion: """
            Each line becomes a record. The command ends once every record is acknowledged.

            EXAMPLES
              echo hello | millrace produce greetings
              millrace produce app --key-separator ':' --codec zstd < lines.txt
            """)

    @Argument(help: "The topic; made where it is missing and the broker allows it.") var topic: String
    @Option(help: ArgumentHelp("What stands before the first of these is the record's key.", valueName: "text"))
    var keySeparator: String?
    @Option(help: "none, gzip, snappy, lz4 or zstd.") var codec: String = "none"
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard Codec(name: codec) != nil else {
            throw ValidationError("'\(codec)' is no codec: none, gzip, snappy, lz4 or zstd")
        }
    }

    func run() async throws {
        try await reporting {
            let codec = Codec(name: self.codec) ?? .none
            let count = try await cluster.withCluster { cluster in
                var producer = try await RecordProducer.open(cluster: cluster, topic: topic, codec: codec)
                let time = SystemTime()
                let separator = keySeparator.map { Array($0.utf8) }
                for line in StandardInputLines() {
                    let (key, value) = Self.split(line, at: separator)
                    try await producer.append(NewRecord(timestamp: time.wallTime, key: key, value: value))
                }
                try await producer.flush()
                return producer.sentCount
            }
            printError("\(count) records to \(topic)")
        }
    }

    private static func split(_ line: [UInt8], at separator: [UInt8]?) -> (key: [UInt8]?, value: [UInt8]) {
        guard let separator, !separator.isEmpty, line.count >= separator.count else { return (nil, line) }
        for start in 0...(line.count - separator.count) where line[start...].starts(with: separator) {
            return (Array(line[..<start]), Array(line[(start + separator.count)...]))
        }
        return (nil, line)
    }
}
