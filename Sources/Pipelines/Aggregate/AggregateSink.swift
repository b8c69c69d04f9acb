import Base
import Events
import Exports
import KafkaClient
import Logging
import Records
import Telemetry

/// One partition's windows as a sink: their results go to a topic, each once, in one transaction with where to read on.
final class AggregateSink: PartitionSink {
    /// What every result has besides its groups and values.
    static let ownNames = ["aggregate", "window_start", "window_end", "kafka_topic", "kafka_partition"]

    private let log: any ProgressLog
    private let settings: AggregateSinkSettings
    private let partition: TopicPartition
    private let pipeline: String
    private let time: any TimeSource
    private let telemetry: Telemetry
    private var machine: WindowMachine
    /// Everything below was looked at.
    private var seen: (offset: Offset, leaderEpoch: LeaderEpoch)?
    private var lastRecordAt: Instant
    private var left = (late: 0, timeless: 0)
    private(set) var committed: (offset: Offset, leaderEpoch: LeaderEpoch)?

    init(
        log: any ProgressLog, settings: AggregateSinkSettings, partition: TopicPartition, pipeline: String,
        time: any TimeSource, telemetry: Telemetry
    ) {
        self.log = log
        self.settings = settings
        self.partition = partition
        self.pipeline = pipeline
        self.time = time
        self.telemetry = telemetry
        machine = WindowMachine(settings.window)
        lastRecordAt = time.now
    }

    var position: Offset { seen?.offset ?? .zero }
    var leaderEpoch: LeaderEpoch { seen?.leaderEpoch ?? .none }
    var wantsFlush: Bool { machine.isDue }

    /// The group never commits beyond what this sink made safe: where its own progress is gone or older, the group's holds.
    func start(committed: Offset?) async throws -> Offset? {
        let progress = try await log.takeOver()
        if let closedThrough = progress.flatMap({ Int64($0.note) }) {
            machine = WindowMachine(settings.window, closedThrough: closedThrough)
        }
        guard let start = [progress?.offset, committed].compactMap(\.self).max() else { return nil }
        seen = (start, .none)
        self.committed = seen
        return start
    }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        let verdict = machine.took(
            row.event, time: time, offset: offset, arrival: timestamp,
            recordHash: RecordHash.of(partition: partition.partition, offset: offset.rawValue))
        switch verdict {
        case .counted: break
        case .late: left.late += 1
        case .timeless: left.timeless += 1
        }
        // What is read first is where reading begins again, also for a pipeline that begins at the topic's end.
        if committed == nil { committed = (offset, .none) }
        seen = (offset + 1, leaderEpoch)
        lastRecordAt = self.time.now
    }

    func flush() async throws {
        guard let seen else { return }
        let results = machine.close()
        let resume = machine.resume ?? seen.offset
        // The epoch is that of the record before; of an older one it isn't known any more.
        let epoch = resume == seen.offset ? seen.leaderEpoch : .none
        let now = time.wallTime
        try await log.write(
            results.map { record(of: $0, now) }, Progress(offset: resume, note: "\(machine.closedThrough)"),
            leaderEpoch: epoch)
        committed = (resume, epoch)
        if !results.isEmpty {
            telemetry.emit(
                WindowsTold(pipeline: pipeline, settings: settings, partition: partition, results: results))
        }
    }

    private func record(of result: WindowMachine.Result, _ now: Timestamp) -> NewRecord {
        var fields = [
            Field("aggregate", .string(settings.name)), Field("window_start", .timestamp(result.start)),
            Field("window_end", .timestamp(result.end)),
        ]
        for (name, value) in zip(settings.by, result.group) { fields.append(Field(name, value)) }
        for (value, found) in zip(settings.window.values, result.values) { fields.append(Field(value.name, found)) }
        fields.append(Field("kafka_topic", .string(partition.topic)))
        fields.append(Field("kafka_partition", .int(Int64(partition.partition))))
        let key = Value.list(
            [.string(settings.name), .timestamp(result.start), .string(partition.description)] + result.group)
        return NewRecord(timestamp: now, key: Array(key.json.utf8), value: Array(Value.object(fields).json.utf8))
    }

    func advance(to offset: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws {
        seen = (offset, leaderEpoch)
        if left != (0, 0) {
            telemetry.emit(
                RecordsLeftOut(pipeline: pipeline, aggregate: settings.name, late: left.late, timeless: left.timeless))
            left = (0, 0)
        }
        if machine.isDue { try await flush() }
        if machine.openCount == 0 { committed = seen }
    }

    func tick() async throws {
        if machine.openCount > 0, time.now - lastRecordAt >= settings.idle {
            machine.idle(until: Timestamp(milliseconds: time.wallTime.milliseconds - settings.idle.milliseconds))
        }
        if machine.isDue { try await flush() }
    }

    /// Windows that are open stay so: their records are read again.
    func stop() async throws { if machine.isDue { try await flush() } }

    func abandon() async {}

    func offsetOutOfRange() async throws {
        throw PipelineError(
            "aggregate \(settings.name): records of \(partition) that belong to open windows were deleted before their windows closed; "
                + "raise the topic's retention, or reset the groups \(pipeline) and its own to go on without them")
    }
}

/// Results of windows stand in the topic.
struct WindowsTold: Fact {
    var pipeline: String
    var settings: AggregateSinkSettings
    var partition: TopicPartition
    var results: [WindowMachine.Result]

    var level: Logger.Level { .debug }
    var message: String { "\(pipeline): \(settings.name): \(results.count) results of \(partition)" }

    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.results, pipeline, settings.name).increment(by: results.count)
        guard settings.showsMetrics, let last = results.last else { return }
        for result in results where result.start == last.start {
            let group = result.group.map(\.plainText).joined(separator: ",")
            for (value, found) in zip(settings.window.values, result.values) {
                guard let number = found.number else { continue }
                metrics.gauge(
                    PipelineMetrics.aggregate, pipeline, settings.name, value.name, group, partition.topic,
                    "\(partition.partition)"
                ).set(number)
            }
        }
    }
}

/// Records came for windows that were told already, or have no time.
struct RecordsLeftOut: Fact {
    var pipeline: String
    var aggregate: String
    var late: Int
    var timeless: Int

    var level: Logger.Level { .debug }
    var message: String { "\(pipeline): \(aggregate): \(late) records were late, \(timeless) had no time" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.late, pipeline, aggregate).increment(by: late)
        metrics.counter(PipelineMetrics.timeless, pipeline, aggregate).increment(by: timeless)
    }
}
