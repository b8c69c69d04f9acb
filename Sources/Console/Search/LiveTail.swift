import Base
import Events
import KafkaClient
import Records

/// What comes into a topic from now on, to one browser.
struct LiveTail: Sendable {
    let cluster: KafkaCluster
    let limits: ConsoleSettings.Limits
    let time: any TimeSource
    let partitions: [TopicPartition]
    let filter: RecordFilter

    func run(_ stream: EventStream) async {
        var settings = FetchSettings()
        settings.queueBytesMax = .mib(4)
        settings.responseBytesMax = .mib(4)
        let reader = PartitionReader(
            cluster: cluster, partitions: Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }),
            settings: settings)
        let beat = Task { [limits] in
            let rounds = Int(limits.tailTimeMax / .seconds(10))
            for _ in 0..<rounds {
                try await Task.sleep(for: .seconds(10))
                guard await stream.sendBeat() else { break }
            }
            reader.close()
        }
        defer { beat.cancel() }
        // Tells the page that from here on nothing is missed.
        guard await stream.sendBeat() else { return }
        var budget = TailBudget(rowsPerSecond: limits.tailRowsPerSecond)
        do {
            try await reader.run { data in
                for batch in data.batches {
                    var records = try batch.records(decompressedMax: limits.decompressedMax)
                    while let record = try records.next() {
                        guard record.offset >= data.startOffset,
                            filter.accepts(record, partition: data.partition.partition)
                        else { continue }
                        guard budget.take(now: time.now) else { continue }
                        let row = RecordRow(
                            record, partition: data.partition.partition, shownBytesMax: limits.shownBytesMax)
                        guard await stream.send(Self.bytes(row.fields)) else { return false }
                    }
                }
                if let leftOut = budget.takeLeftOut() {
                    return await stream.send(Self.bytes([Field("left_out", .int(Int64(leftOut)))]), event: "gap")
                }
                return true
            }
        } catch {
            _ = await stream.send(Self.bytes([Field("error", .string("\(error)"))]), event: "trouble")
        }
    }

    static func bytes(_ fields: [Field]) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(object: fields, to: &bytes)
        return bytes
    }
}

/// How many rows a tail may send in a second; counts those it may not.
struct TailBudget: Sendable {
    let rowsPerSecond: Int
    private var second = Instant.zero
    private var sent = 0
    private var leftOut = 0

    init(rowsPerSecond: Int) { self.rowsPerSecond = rowsPerSecond }

    mutating func take(now: Instant) -> Bool {
        if now >= second + .seconds(1) {
            second = now
            sent = 0
        }
        guard sent < rowsPerSecond else {
            leftOut += 1
            return false
        }
        sent += 1
        return true
    }

    /// Those left out since this was last asked; nil where there were none.
    mutating func takeLeftOut() -> Int? {
        defer { leftOut = 0 }
        return leftOut == 0 ? nil : leftOut
    }
}
