import Base
import Exports
import KafkaClient
import KafkaConnection
import NIOCore
import RemoteStores
import Synchronization
import Telemetry

/// The pipeline's side of its membership: a task for each assigned partition, started over where a new attempt may help.
final class PipelineMember: GroupConsumerHandler {
    /// A partition that is this member's.
    private enum Slot {
        case running(PartitionTask)
        /// An attempt failed; the next begins at `at`.
        case waiting(at: Instant, tries: Int, reason: String)
    }

    private struct State {
        var slots: [TopicPartition: Slot] = [:]
        var committed: [TopicPartition: Offset] = [:]
        /// By the place of their sink.
        var gates: [String: DeliveryGate] = [:]
        /// Not read on while a sink takes nothing.
        var held: Set<TopicPartition> = []
        var generation: GroupGeneration?
    }

    /// Only touched while `lock` is held.
    private final class Guarded: @unchecked Sendable { var state = State() }

    private static let aheadOfLogTriesMax = 4

    private let settings: PipelineSettings
    private let cluster: KafkaCluster
    private let consumer: GroupConsumer
    private let time: any TimeSource
    private let telemetry: Telemetry
    private let stores: [StoreLocation: any AuditedStore]
    /// By the place that the export writes to.
    private let memories: [String: ExportMemory]
    private let lineFiles: LineFiles
    /// By the place of their sink.
    private let databases: [String: PostgresClient]
    /// By the place of their sink.
    private let keepers: [(place: Int, keeper: MarkerKeeper)]
    private let lock = AsyncLock()
    private let guarded = Guarded()
    private let outcome = Mutex<(rows: Int, failure: (any Error)?)>((0, nil))

    /// One `LineFile` for each file sink; only touched while `lock` is held.
    private final class LineFiles: @unchecked Sendable {
        let files: [String: LineFile]
        init(_ files: [String: LineFile]) { self.files = files }
    }

    init(
        settings: PipelineSettings, cluster: KafkaCluster, consumer: GroupConsumer, fileSystem: any FileSystem,
        time: any TimeSource, telemetry: Telemetry
    ) {
        self.settings = settings
        self.cluster = cluster
        self.consumer = consumer
        self.time = time
        self.telemetry = telemetry
        var stores: [StoreLocation: any AuditedStore] = [:]
        var memories: [String: ExportMemory] = [:]
        var files: [String: LineFile] = [:]
        var databases: [String: PostgresClient] = [:]
        for sink in settings.sinks {
            switch sink {
            case .export(let export):
                stores[export.root] = stores[export.root] ?? export.root.open(fileSystem: fileSystem)
                memories[sink.place] = ExportMemory(bytesMax: export.settings.memoryMax)
            case .file(let file): files[file.path.string] = LineFile(settings: file, fileSystem: fileSystem)
            case .postgres(let postgres): databases[sink.place] = PostgresClient(postgres)
            case .topic, .webhook, .clickhouse, .elasticsearch, .aggregate: break
            }
        }
        var keepers: [(place: Int, keeper: MarkerKeeper)] = []
        for (place, sink) in settings.sinks.enumerated() {
            guard case .export(let export) = sink, let success = export.success, let store = stores[export.root] else {
                continue
            }
            keepers.append(
                (
                    place,
                    MarkerKeeper(
                        pipeline: settings, export: export, settings: success, store: store, cluster: cluster,
                        time: time, telemetry: telemetry)
                ))
        }
        self.keepers = keepers
        self.stores = stores
        self.databases = databases
        self.memories = memories
        lineFiles = LineFiles(files)
    }

    /// How often markers are looked after; nil where no table has any.
    var markerInterval: Duration? {
        settings.sinks.compactMap { if case .export(let export) = $0 { export.success?.interval } else { nil } }.min()
    }

    var rowCount: Int { outcome.withLock { $0.rows } }
    var failure: (any Error)? { outcome.withLock { $0.failure } }
    func failed(_ error: any Error) { outcome.withLock { if $0.failure == nil { $0.failure = error } } }

    // MARK: Membership

    func assigned(
        _ partitions: [TopicPartition], generation: GroupGeneration
    ) async throws -> [TopicPartition: StartPosition] {
        try await lock.withLock {
            guarded.state.generation = generation
            var positions: [TopicPartition: StartPosition] = [:]
            for partition in partitions {
                if let start = try await begin(partition, tries: 0) { positions[partition] = start }
            }
            telemetry.emit(PartitionsTaken(pipeline: settings.name, partitions: partitions))
            return positions
        }
    }

    func revoked(_ partitions: [TopicPartition], generation: GroupGeneration) async throws {
        await lock.withLock {
            for partition in partitions {
                if case .running(let task) = guarded.state.slots.removeValue(forKey: partition) {
                    do {
                        try await task.stop()
                        await commit(task, partition)
                    } catch {
                        // What was not committed is read again by the next owner, from the chain's end.
                        telemetry.emit(
                            Note("\(settings.name): \(partition) was given back uncommitted: \(error)", level: .warning)
                        )
                        await task.abandon()
                    }
                }
                guarded.state.committed[partition] = nil
            }
        }
    }

    func lost(_ partitions: [TopicPartition], generation: GroupGeneration) async throws {
        await lock.withLock {
            for partition in partitions {
                if case .running(let task) = guarded.state.slots.removeValue(forKey: partition) { await task.abandon() }
                guarded.state.committed[partition] = nil
            }
        }
    }

    // MARK: Records

    func fetched(_ data: FetchedPartition) async throws {
        try await lock.withLock {
            guard case .running(let task) = guarded.state.slots[data.partition] else { return }
            guard task.blockedBy == nil else { return hold(data.partition) }
            guard task.continues(data) else {
                if let start = task.start { consumer.seek(data.partition, to: start) }
                return
            }
            try await guarding(task, data.partition) {
                let counts = try await task.take(data)
                telemetry.emit(RecordsProcessed(pipeline: settings.name, counts: counts, steps: settings.steps))
                outcome.withLock { $0.rows += counts.rows }
            }
            if task.blockedBy != nil { hold(data.partition) }
        }
    }

    /// Reads a partition no further while a sink of its takes nothing.
    private func hold(_ partition: TopicPartition) {
        consumer.pause(partition)
        guarded.state.held.insert(partition)
    }

    /// Reads it on where it waited for nothing else.
    private func release(_ partition: TopicPartition) {
        guard guarded.state.held.contains(partition), case .running(let task) = guarded.state.slots[partition],
            task.blockedBy == nil, let start = task.start
        else { return }
        guarded.state.held.remove(partition)
        consumer.seek(partition, to: start)
    }

    func outOfRange(_ problem: OffsetOutOfRange) async throws -> OutOfRangeDecision {
        try await lock.withLock {
            // A partition that starts over is sought to its place then.
            guard case .running(let task) = guarded.state.slots[problem.partition] else { return .pause }
            do { try await task.offsetOutOfRange() } catch {
                await task.abandon()
                try startOver(problem.partition, after: error, tries: 0)
                return .pause
            }
            return task.start.map { .seek($0) } ?? .pause
        }
    }

    func tick() async throws {
        try await lock.withLock {
            for (partition, slot) in guarded.state.slots {
                switch slot {
                case .running(let task):
                    try await guarding(task, partition) { try await task.tick() }
                    release(partition)
                case .waiting(let at, let tries, _):
                    guard at <= time.now else { continue }
                    if let start = try await begin(partition, tries: tries) { consumer.seek(partition, to: start) }
                }
            }
        }
    }

    /// Whether the member does its work: it is in its group, and no partition of its waits for another attempt.
    var status: Health.Status {
        get async {
            await lock.withLock {
                guard guarded.state.generation != nil else { return .notReady("joining group \(settings.group)") }
                for (partition, slot) in guarded.state.slots.sorted(by: { $0.key.description < $1.key.description }) {
                    switch slot {
                    case .waiting(_, _, let reason): return .notReady("\(partition) starts over: \(reason)")
                    case .running(let task):
                        if let reason = task.blockedBy { return .notReady("\(partition) waits for \(reason)") }
                    }
                }
                return .ready
            }
        }
    }

    // MARK: Markers

    /// Writes the markers that are due, where this member is elected. Beside the records, not between them.
    func keepMarkers() async {
        for (place, keeper) in keepers { await keeper.check(attempt: await electedAttempt(place)) }
    }

    /// The attempt at the first partition of the first topic, where it is this member's.
    private func electedAttempt(_ place: Int) async -> AttemptID? {
        await lock.withLock {
            guard let topic = settings.topics.first,
                case .running(let task) = guarded.state.slots[TopicPartition(topic: topic, partition: 0)]
            else { return nil }
            return task.sinks[place].attempt
        }
    }

    // MARK: Attempts

    /// Begins an attempt at the partition. Returns where to read from; nil where the attempt failed and will be made again.
    private func begin(_ partition: TopicPartition, tries: Int) async throws -> StartPosition? {
        do {
            let topicID = try await cluster.topicID(partition.topic)
            var committed: Offset?
            if settings.sinks.contains(where: \.followsGroup) || settings.deadLetters != nil {
                committed =
                    try await Admin(cluster).committedOffsets(group: settings.group, partitions: [partition])[
                        partition]?
                    .offset
            }
            let task = PartitionTask(
                partition: partition, topicID: topicID, steps: settings.steps,
                sinks: settings.sinks.map { sink(for: $0, partition, topicID) },
                routes: settings.routes,
                deadLetters: settings.deadLetters.map { deadLetters($0, partition, topicID) })
            try await task.start(committed: committed)
            var start = task.start
            if start == nil {
                let query: OffsetQuery = settings.start == .earliest ? .earliest : .latest
                start = try await cluster.offsets([partition: query])[partition].map { .offset($0.offset) }
            }
            guarded.state.slots[partition] = .running(task)
            guarded.state.held.remove(partition)
            return start
        } catch {
            try startOver(partition, after: error, tries: tries)
            return nil
        }
    }

    private func progressTopic(
        _ topic: String, _ partition: TopicPartition, _ topicID: TopicID, purpose: String
    ) -> ProgressTopic {
        ProgressTopic(
            cluster: cluster, topic: topic, partition: partition, topicID: topicID, purpose: purpose,
            pipeline: settings.name, group: settings.group)
    }

    private func deadLetters(
        _ deadLetters: DeadLetterSettings, _ partition: TopicPartition, _ topicID: TopicID
    ) -> DeadLetterSink {
        DeadLetterSink(
            log: progressTopic(deadLetters.topic, partition, topicID, purpose: "dlq"),
            settings: deadLetters, partition: partition, pipeline: settings.name, time: time)
    }

    private func sink(
        for settings: SinkSettings, _ partition: TopicPartition, _ topicID: TopicID
    ) -> any PartitionSink {
        switch settings {
        case .file(let file):
            guard let lineFile = lineFiles.files[file.path.string] else {
                preconditionFailure("a sink without its file")
            }
            return FileSink(file: lineFile, time: time)
        case .aggregate(let aggregate):
            return AggregateSink(
                log: progressTopic(aggregate.topic, partition, topicID, purpose: "aggregate.\(aggregate.name)"),
                settings: aggregate, partition: partition, pipeline: self.settings.name, time: time,
                telemetry: telemetry)
        case .export(let export):
            guard let store = stores[export.root] else { preconditionFailure("a sink without its store") }
            let chain = ChainID(
                pipeline: self.settings.name, table: export.table, topic: partition.topic, topicID: topicID,
                partition: partition.partition)
            return sink(chain, export.settings, store, memories[settings.place])
        case .topic(let topic):
            let target = TopicTarget(
                cluster: cluster, settings: topic, partition: partition, topicID: topicID, pipeline: self.settings.name,
                group: self.settings.group)
            return sink(target, topic.batch, settings.place, partition)
        case .webhook(let webhook):
            let target = WebhookTarget(
                settings: webhook, transport: ClientTransport(webhook.transport), partition: partition)
            return sink(target, webhook.batch, settings.place, partition)
        case .clickhouse(let clickhouse):
            let target = ClickHouseTarget(
                settings: clickhouse, transport: ClientTransport(clickhouse.transport), partition: partition)
            return sink(target, clickhouse.batch, settings.place, partition)
        case .elasticsearch(let bulk):
            let target = BulkTarget(
                settings: bulk, transport: ClientTransport(bulk.transport), partition: partition)
            return sink(target, bulk.batch, settings.place, partition)
        case .postgres(let postgres):
            guard let client = databases[settings.place] else { preconditionFailure("a sink without its database") }
            let chain = ChainID(
                pipeline: self.settings.name, table: postgres.table, topic: partition.topic, topicID: topicID,
                partition: partition.partition)
            let target = PostgresTarget(settings: postgres, client: client, chain: chain)
            return sink(target, postgres.batch, settings.place, partition)
        }
    }

    private func sink(
        _ target: any DeliveryTarget, _ batch: DeliverySettings, _ place: String, _ partition: TopicPartition
    ) -> any PartitionSink {
        let gate = guarded.state.gates[place] ?? DeliveryGate()
        guarded.state.gates[place] = gate
        return DeliverySink(
            target: target, settings: batch, gate: gate,
            name: .init(pipeline: settings.name, sink: place, partition: partition), time: time, telemetry: telemetry)
    }

    private func sink(
        _ chain: ChainID, _ settings: ExportSettings, _ store: some ExportStore, _ memory: ExportMemory?
    ) -> any PartitionSink {
        let partition = TopicPartition(topic: chain.topic, partition: chain.partition)
        let cluster = cluster
        return ExportSink(
            chain: chain, settings: settings, store: store,
            log: { epoch in
                let start = try await cluster.offsets([partition: .earliest])[partition]
                let end = try await cluster.offsets([partition: .latest])[partition]
                guard let start, let end else {
                    throw PipelineError("the leader of \(partition) did not tell its first and last offset")
                }
                let epochEnd = epoch == .none ? nil : try await cluster.endOffset(of: epoch, in: partition)
                return LogRange(start: start.offset, end: end.offset, epochEnd: epochEnd)
            }, time: time, memory: memory, telemetry: telemetry)
    }

    /// Runs the body; an error that a new attempt may mend starts the partition over, another ends the pipeline.
    private func guarding(_ task: PartitionTask, _ partition: TopicPartition, _ body: () async throws -> Void)
        async throws
    {
        do {
            try await body()
            await commit(task, partition)
        } catch {
            await task.abandon()
            try startOver(partition, after: error, tries: 0)
        }
    }

    private func startOver(_ partition: TopicPartition, after error: any Error, tries: Int) throws {
        var isRetriable = (error as? ClientError).map { $0.isRetriable || $0.endsTransactionOnly } ?? false
        if let export = error as? ExportError {
            // A broker that has just come up, or a new leader, may know less of its log for a moment.
            isRetriable = export.isRetriable || (export.code == .aheadOfLog && tries < Self.aheadOfLogTriesMax)
        }
        if error is FileError { isRetriable = true }
        if let failure = error as? DeliveryFailure { isRetriable = failure.kind != .refused }
        guard isRetriable else {
            failed(error)
            throw error
        }
        let delay = min(Duration.milliseconds(250) * (1 << min(tries, 7)), .seconds(30))
        guarded.state.slots[partition] = .waiting(
            at: time.now + delay, tries: tries + 1, reason: "\(error)")
        telemetry.emit(
            PartitionRestarting(pipeline: settings.name, partition: partition, delay: delay, reason: "\(error)"))
    }

    /// The group's offset follows what the sinks made safe. It only tells how far the pipeline is: a failure costs nothing.
    private func commit(_ task: PartitionTask, _ partition: TopicPartition) async {
        guard let safe = task.committable, guarded.state.committed[partition].map({ $0 < safe.offset }) ?? true else {
            return
        }
        do throws(ClientError) {
            try await consumer.commit(
                [partition: CommittedOffset(safe.offset, leaderEpoch: safe.leaderEpoch)],
                generation: guarded.state.generation)
            guarded.state.committed[partition] = safe.offset
        } catch {
            // While the group rebalances this is usual: the next commit says the same.
            if error.code != .rebalancing && error.code != .fenced {
                telemetry.emit(GroupCommitFailed(pipeline: settings.name, reason: "\(error)"))
            }
        }
    }
}
