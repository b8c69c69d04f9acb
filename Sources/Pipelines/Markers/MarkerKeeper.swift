import Base
import Exports
import KafkaClient
import KafkaConnection
import Telemetry

/// Puts markers into one table's folders: runs the actions of `MarkerMachine`. Works only while it is elected.
///
/// Elected is whoever owns the first partition of the pipeline's first topic. The chain of that partition tells whether it still does, just before
/// markers are written; one that was fenced between that look and the write puts an older marker there at worst, which the next owner finds.
actor MarkerKeeper {
    private let pipeline: PipelineSettings
    private let export: ExportSinkSettings
    private let settings: SuccessSettings
    private let store: any AuditedStore
    private let cluster: KafkaCluster
    private let reports: AgentReports
    private let time: any TimeSource
    private let telemetry: Telemetry

    private var attempt: AttemptID?
    private var machine: MarkerMachine
    /// The next record of each chain that the machine has not been told.
    private var next: [ChainID: Int64] = [:]
    private var trouble: String?

    init(
        pipeline: PipelineSettings, export: ExportSinkSettings, settings: SuccessSettings, store: any AuditedStore,
        cluster: KafkaCluster, time: any TimeSource, telemetry: Telemetry
    ) {
        self.pipeline = pipeline
        self.export = export
        self.settings = settings
        self.store = store
        self.cluster = cluster
        self.time = time
        self.telemetry = telemetry
        reports = AgentReports(cluster: cluster, topic: settings.statusTopic)
        machine = Self.machine(pipeline, export, settings)
    }

    private static func machine(
        _ pipeline: PipelineSettings, _ export: ExportSinkSettings, _ settings: SuccessSettings
    ) -> MarkerMachine {
        MarkerMachine(
            pipeline: pipeline.name, table: export.table, layout: export.settings.layout, settings: settings.marker)
    }

    /// Looks at agents, topics and chains, and writes the markers that are due. Says what goes wrong, once, and tries again at the next call.
    /// - Parameter attempt: the one that elects this owner; nil where it isn't elected.
    func check(attempt: AttemptID?) async {
        if attempt != self.attempt {
            self.attempt = attempt
            machine = Self.machine(pipeline, export, settings)
            next = [:]
        }
        guard let attempt else { return }
        do {
            try await work(attempt)
            trouble = nil
        } catch {
            machine.endsNotFound()
            guard trouble != "\(error)" else { return }
            trouble = "\(error)"
            telemetry.emit(
                Note("\(pipeline.name): markers of table \(export.table) wait: \(error)", level: .warning))
        }
    }

    private func work(_ attempt: AttemptID) async throws {
        // In this order: agents, then the topics' ends, then the chains.
        let agents = settings.marker.waitsForAgents ? try await agents() : []
        if machine.agentsReported(agents, wallTime: time.wallTime) == [.findEnds] {
            machine.endsFound(try await ends())
        }
        for chain in try await chains() { try await read(chain) }
        guard try await isElected(attempt) else { return }
        while true {
            let actions = machine.check(wallTime: time.wallTime)
            // What was written is read back at the next call, when others had time to do harm.
            var hasWritten = false
            for action in actions {
                switch action {
                case .findEnds: break
                case .readMarker(let folder):
                    machine.markerRead(try await store.marker(in: folder, of: export.table), in: folder)
                case .write(let marker):
                    hasWritten = true
                    try await write(marker)
                }
            }
            if actions.isEmpty || hasWritten { return }
        }
    }

    private func write(_ marker: HourMarker) async throws {
        do {
            let isThere = try await store.writeMarker(marker)
            machine.markerWritten(marker, isThere: isThere)
            if isThere { telemetry.emit(FolderFinal(marker: marker)) }
        } catch {
            machine.markerFailed(in: marker.folder)
            throw error
        }
    }

    private func agents() async throws -> [MarkerMachine.AgentReport] {
        let topics = Set(pipeline.topics)
        return try await reports.refresh().filter { !$0.topics.isDisjoint(with: topics) }.map {
            MarkerMachine.AgentReport(
                name: $0.agent, watermark: $0.watermark, sources: $0.lines.keys.sorted(), sourcesTotal: $0.sourcesTotal)
        }
    }

    private func ends() async throws -> [MarkerMachine.PartitionID: Offset] {
        var ends: [MarkerMachine.PartitionID: Offset] = [:]
        for topic in pipeline.topics {
            // A partition that was added meanwhile counts.
            cluster.doubt(topic: topic)
            let info = try await cluster.topicInfo(topic)
            let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
            let found = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            for partition in partitions {
                guard let end = found[partition] else {
                    throw PipelineError("the leader of \(partition) did not tell its last offset")
                }
                ends[.init(topicID: info.id, partition: partition.partition)] = end.offset
            }
        }
        return ends
    }

    private func chains() async throws -> [ChainID] {
        // Those of topics that were made anew are known by the table alone.
        try await store.chains().filter { $0.pipeline == pipeline.name && $0.table == export.table }
    }

    private func read(_ chain: ChainID) async throws {
        var index = next[chain] ?? 0
        defer { next[chain] = index }
        var waiting: CommitRecord?
        while let record = try await store.record(index + (waiting == nil ? 0 : 1), of: chain) {
            // What has a successor is published.
            if let earlier = waiting {
                machine.published(earlier)
                index += 1
            }
            waiting = record
        }
        guard let last = waiting, try await isPublished(last) else { return }
        machine.published(last)
        index += 1
    }

    private func isPublished(_ record: CommitRecord) async throws -> Bool {
        for file in record.files where try await store.isStaged(file, of: record) { return false }
        return true
    }

    private func isElected(_ attempt: AttemptID) async throws -> Bool {
        guard let topic = pipeline.topics.first else { return false }
        let chain = ChainID(
            pipeline: pipeline.name, table: export.table, topic: topic, topicID: try await cluster.topicID(topic),
            partition: 0)
        return try await store.tail(of: chain)?.last.attempt == attempt
    }
}
