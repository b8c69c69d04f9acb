import AgentCommands
import ArgumentParser
import Base
import Histogram
import KafkaClient
import KafkaConnection
import Records

struct BenchLatency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Measure from a record's due time to its acknowledgement, and to its arrival at a consumer.",
        discussion: """
            Records are due at a steady rate; each is sent as soon as it can be, together with others that are due by then (linger 0), with acks=all. Times count from
            the moment a record was due, so that a server that stalls can't hide what waited meanwhile (coordinated omission). Producer and consumer are this
            process: one clock.

            EXAMPLE
              millrace bench latency --rate 5000 --seconds 60 --set millrace.durability=page-cache
            """)

    @OptionGroup var bench: BenchOptions
    @Option(help: "Records due each second.") var rate = 5000
    @Option(help: "How long to measure.") var seconds = 30
    @Option(help: "How long to send before that, unmeasured.") var warmUpSeconds = 3
    @Option(help: "Batches under way at a time.") var inFlight = 5
    @OptionGroup var meter: MeterOptions
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard 1...1_000_000 ~= rate, 1...86_400 ~= seconds, 0...3600 ~= warmUpSeconds, 1...1000 ~= inFlight else {
            throw ValidationError(
                "--rate is from 1 to 1000000, --seconds to 86400, --warm-up-seconds from 0 to 3600, --in-flight from 1 to 1000"
            )
        }
    }

    func run() async throws {
        try await reporting {
            let recordBytes = try bench.recordBytes(min: LatencyRun.stampBytes)
            let meter = try self.meter.meter()
            try await cluster.withCluster { cluster in
                try await bench.ensureTopic(cluster)
                let partitions = try await cluster.topicInfo(bench.topic).partitions.map {
                    TopicPartition(topic: bench.topic, partition: $0.partition)
                }
                let run = LatencyRun(
                    cluster: cluster, partitions: partitions, recordBytes: recordBytes, rate: rate,
                    warmUpCount: rate * warmUpSeconds, count: rate * (warmUpSeconds + seconds), inFlight: inFlight)
                let before = meter?.read()
                let result = try await run.run()
                var report = BenchReport()
                report.add("records", .int(Int64(result.arrived.totalCount)))
                report.add("rate_wanted", .int(Int64(rate)), "records/s")
                report.add("rate_sent", .double((result.rate * 10).rounded() / 10), "records/s")
                report.add("records_per_batch", .double((result.recordsPerBatch * 100).rounded() / 100))
                report.add("acknowledged", result.acknowledged)
                report.add("arrived", result.arrived)
                if let before {
                    report.addServer(before, meter?.read(), bytes: Int64(run.count) * Int64(recordBytes))
                }
                report.print(as: self.meter.output)
            }
        }
    }
}

/// One run: a producer that keeps to a timetable, and a consumer.
private struct LatencyRun: Sendable {
    /// The run's number, and when the record was due.
    static let stampBytes = 16
    /// How long the consumer may take for what was acknowledged.
    private static let arrivalMax = Duration.seconds(30)

    struct Result: Sendable {
        var acknowledged = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        var arrived = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        var arrivedCount = 0
        var batches = 0
        var rate = 0.0
        var recordsPerBatch = 0.0
    }

    let cluster: KafkaCluster
    let partitions: [TopicPartition]
    let recordBytes: Int
    let rate: Int
    let warmUpCount: Int
    let count: Int
    let inFlight: Int
    let number = UInt64.random(in: .min ... .max)

    func run() async throws -> Result {
        let result = Tally(Result())
        let ends = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
        var settings = FetchSettings()
        settings.waitMax = .milliseconds(500)
        let reader = PartitionReader(
            cluster: cluster, partitions: ends.mapValues { .offset($0.offset) }, settings: settings)
        let bar = ProgressBar("latency", unit: .things)
        defer { bar.clear() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await consume(reader, result, bar)
                return true
            }
            group.addTask {
                try await produce(result)
                return false
            }
            // Both have to end: the producer when all is acknowledged, the consumer when all has arrived.
            if try await group.next() == false {
                group.addTask {
                    try await Task.sleep(for: Self.arrivalMax)
                    let arrived = result.update { $0.arrivedCount }
                    throw ClientError(
                        .timedOut,
                        "\(count - arrived) of \(count) acknowledged records have not arrived after \(Self.arrivalMax)")
                }
            }
            _ = try await group.next()
            group.cancelAll()
        }
        return result.update { $0 }
    }

    // MARK: Sending

    private func produce(_ result: Tally<Result>) async throws {
        var connections: [TopicPartition: ClientConnection] = [:]
        for partition in partitions {
            connections[partition] = try await cluster.connection(to: .leader(partition), lane: Lane("bench-send"))
        }
        let time = SystemTime()
        let payload = BenchPayload(recordBytes: recordBytes)
        let interval = 1e9 / Double(rate)
        let begin = time.now
        func due(_ index: Int) -> Instant { begin + .nanoseconds(Int64(Double(index) * interval)) }
        var next = 0
        var turn = 0
        while next < count {
            // The batches under way are one each of these: a loop that takes what is due, as a client with linger 0 does.
            try await withThrowingTaskGroup(of: (first: Int, last: Int, at: Instant).self) { group in
                var underWay = 0
                func finish() async throws {
                    guard let batch = try await group.next() else { return }
                    underWay -= 1
                    result.update { result in
                        for index in batch.first..<batch.last where index >= warmUpCount {
                            result.acknowledged.record(UInt64(max(0, (batch.at - due(index)).nanoseconds)))
                        }
                    }
                }
                while next < count {
                    if underWay == inFlight { try await finish() }
                    let now = time.now
                    let wait = due(next) - now
                    if wait > .zero { try await Task.sleep(for: wait, tolerance: .zero) }
                    let ready = time.now
                    let first = next
                    while next < count, due(next) <= ready, next - first < 10_000 { next += 1 }
                    guard next > first else { continue }
                    let wallTime = time.wallTime
                    let records = (first..<next).map { index in
                        NewRecord(timestamp: wallTime, value: stamped(payload.value(index), due(index)))
                    }
                    let batch = try RecordBatch.build(records)
                    let partition = partitions[turn % partitions.count]
                    turn += 1
                    let last = next
                    let connection = connections[partition]!
                    underWay += 1
                    group.addTask {
                        try await BenchProduce.send(batch.bytes, to: partition, acks: -1, over: connection)
                        return (first, last, time.now)
                    }
                }
                while underWay > 0 { try await finish() }
            }
        }
        let seconds = Double((time.now - begin).nanoseconds) / 1e9
        result.update { result in
            result.rate = Double(count) / seconds
            result.batches = turn
            result.recordsPerBatch = Double(count) / Double(max(1, turn))
        }
    }

    private func stamped(_ value: [UInt8], _ due: Instant) -> [UInt8] {
        var value = value
        withUnsafeBytes(of: number.bigEndian) { value.replaceSubrange(0..<8, with: $0) }
        withUnsafeBytes(of: due.nanoseconds.bigEndian) { value.replaceSubrange(8..<16, with: $0) }
        return value
    }

    // MARK: Receiving

    private func consume(_ reader: PartitionReader, _ result: Tally<Result>, _ bar: ProgressBar) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await reader.run() }
            defer { reader.close() }
            let time = SystemTime()
            var seen = 0
            while seen < count, let data = try await reader.next() {
                let now = time.now
                var dues: [Int64] = []
                for batch in data.batches {
                    var records = try batch.records(decompressedMax: .mib(64))
                    while let record = try records.next() {
                        guard record.offset >= data.startOffset, let value = record.value,
                            value.getInteger(at: value.readerIndex, as: UInt64.self) == number,
                            let due = value.getInteger(at: value.readerIndex + 8, as: Int64.self)
                        else { continue }
                        dues.append(due)
                    }
                }
                // A partition's records arrive in the order in which they were due; over several, warm-up ends a little apart.
                let skipped = max(0, min(dues.count, warmUpCount - seen))
                seen += dues.count
                result.update { result in
                    for due in dues.dropFirst(skipped) { result.arrived.record(UInt64(max(0, now.nanoseconds - due))) }
                    result.arrivedCount = seen
                }
                bar.show(Int64(seen), of: Int64(count))
            }
        }
    }
}
