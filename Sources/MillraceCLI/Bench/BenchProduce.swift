import AgentCommands
import ArgumentParser
import Base
import Histogram
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import Records

struct BenchProduce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Send batches as fast as they are acknowledged.",
        discussion: """
            One batch is built before the clock starts and is sent again and again, so that the client costs as little as it can. Latency is from sending a
            batch to its acknowledgement, with as many others under way as --in-flight says.
            """)

    @OptionGroup var bench: BenchOptions
    @Option(help: ArgumentHelp("How much to send, as batches on the wire.", valueName: "size")) var bytes = "1GB"
    @Option(help: ArgumentHelp("How much to send before that, unmeasured.", valueName: "size")) var warmUp = "0"
    @Option(help: ArgumentHelp("Records' bytes in a batch, before it is compressed.", valueName: "size")) var batch =
        "64KiB"
    @Option(help: "Connections that send at a time.") var connections = 1
    @Option(help: "Batches under way on each of them.") var inFlight = 5
    @Option(help: "all or 1.") var acks = Acks.all
    @Option(help: "none, gzip, snappy, lz4 or zstd.") var codec = "none"
    @OptionGroup var meter: MeterOptions
    @OptionGroup var cluster: ClusterOptions

    enum Acks: String, ExpressibleByArgument, CaseIterable {
        case all
        case one = "1"

        var wireValue: Int16 { self == .all ? -1 : 1 }
    }

    func validate() throws {
        guard 1...1000 ~= connections, 1...1000 ~= inFlight else {
            throw ValidationError("--connections and --in-flight are from 1 to 1000")
        }
        guard Codec(name: codec) != nil else {
            throw ValidationError("'\(codec)' is no codec: none, gzip, snappy, lz4 or zstd")
        }
    }

    func run() async throws {
        try await reporting {
            let recordBytes = try bench.recordBytes(min: 1)
            let total = try size(bytes, "--bytes", in: .kib(1)...(.gib(10_240))).bytes
            let warmUp = try size(self.warmUp, "--warm-up", in: .zero...(.gib(10_240))).bytes
            let batchBytes = try size(batch, "--batch", in: .kib(1)...(.mib(64))).bytes
            let meter = try self.meter.meter()
            let records = max(1, batchBytes / (recordBytes + 16))
            let payload = BenchPayload(recordBytes: recordBytes)
            let time = SystemTime()
            let batch: RecordBatch
            do {
                batch = try RecordBatch.build(
                    (0..<records).map { NewRecord(timestamp: time.wallTime, value: payload.value($0)) },
                    codec: Codec(name: codec) ?? .none)
            } catch { throw ValidationError("a batch of \(records) records can't be built: \(error)") }
            try await cluster.withCluster { cluster in
                try await bench.ensureTopic(cluster)
                let partitions = try await cluster.topicInfo(bench.topic).partitions.map {
                    TopicPartition(topic: bench.topic, partition: $0.partition)
                }
                let load = ProduceLoad(
                    cluster: cluster, partitions: partitions, batch: batch, acks: acks.wireValue,
                    connections: connections,
                    inFlight: inFlight)
                if warmUp > 0 { _ = try await load.run(bytes: warmUp, label: "warm-up") }
                let before = meter?.read()
                let result = try await load.run(bytes: total, label: "produce")
                var report = BenchReport()
                report.addThroughput(
                    records: result.batches * Int64(records), bytes: result.batches * Int64(batch.byteCount),
                    seconds: result.seconds)
                report.add("batch_bytes", .int(Int64(batch.byteCount)), "B")
                report.add("acknowledged", result.latency)
                if let before {
                    report.addServer(before, meter?.read(), bytes: result.batches * Int64(batch.byteCount))
                }
                report.print(as: self.meter.output)
            }
        }
    }
}

/// Sends one batch again and again over several connections.
private struct ProduceLoad: Sendable {
    struct Result: Sendable {
        var batches: Int64 = 0
        var seconds = 0.0
        var latency = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    }

    private struct State: Sendable {
        var started = 0
        var result = Result()
    }

    let cluster: KafkaCluster
    let partitions: [TopicPartition]
    let batch: RecordBatch
    let acks: Int16
    let connections: Int
    let inFlight: Int

    func run(bytes: Int, label: String) async throws -> Result {
        let wanted = max(1, bytes / batch.byteCount)
        let state = Tally(State())
        let bar = ProgressBar(label, unit: .bytes)
        defer { bar.clear() }
        var open: [ClientConnection] = []
        for number in 0..<connections {
            open.append(
                try await cluster.connection(
                    to: .leader(partitions[number % partitions.count]), lane: Lane("bench-\(number)")))
        }
        let time = SystemTime()
        let begin = time.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for slot in 0..<(connections * inFlight) {
                let number = slot % connections
                let connection = open[number]
                let here = partitions.enumerated().filter {
                    connections == 1 || $0.offset % connections == number % partitions.count
                }
                .map(\.element)
                let mine = here.isEmpty ? [partitions[number % partitions.count]] : here
                group.addTask {
                    var turn = slot / connections
                    while state.update({ state in
                        if state.started >= wanted { return false }
                        state.started += 1
                        return true
                    }) {
                        let partition = mine[turn % mine.count]
                        turn += 1
                        let sent = time.now
                        try await BenchProduce.send(batch.bytes, to: partition, acks: acks, over: connection)
                        let taken = UInt64((time.now - sent).nanoseconds)
                        let done = state.update { state in
                            state.result.batches += 1
                            state.result.latency.record(taken)
                            return state.result.batches
                        }
                        bar.show(done * Int64(batch.byteCount), of: Int64(wanted * batch.byteCount))
                    }
                }
            }
            try await group.waitForAll()
        }
        var result = state.update { $0.result }
        result.seconds = Double((time.now - begin).nanoseconds) / 1e9
        return result
    }
}

extension BenchProduce {
    /// One Produce request, without a producer id. Throws what the broker answers but success: a benchmark tries nothing again.
    static func send(
        _ bytes: ByteBuffer, to partition: TopicPartition, acks: Int16, over connection: ClientConnection
    ) async throws {
        var data = ProduceRequest.PartitionProduceData()
        data.index = partition.partition
        data.records = bytes
        var topic = ProduceRequest.TopicProduceData()
        topic.name = partition.topic
        topic.partitionData = [data]
        var request = ProduceRequest()
        request.acks = acks
        request.timeoutMs = 30_000
        request.topicData = [topic]
        let response = try await connection.send(request, versionMax: 12)
        let answer = response.responses.first?.partitionResponses.first
        if let failure = ClientError(
            answer?.errorCode ?? .unknownServerError, "produce to \(partition)", detail: answer?.errorMessage)
        {
            throw failure
        }
    }
}

/// Printable values that no codec can do much with, the same in each run.
struct BenchPayload {
    private let bytes: [UInt8]
    private let recordBytes: Int

    init(recordBytes: Int) {
        self.recordBytes = recordBytes
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        bytes = (0..<(recordBytes + 4096)).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(32 + state % 95)
        }
    }

    func value(_ number: Int) -> [UInt8] {
        let start = number &* 31 % 4096
        return Array(bytes[start..<(start + recordBytes)])
    }
}
