public import Base
public import Events
import Exports
public import KafkaClient
import NIOCore
import Records

/// Shows what a pipeline would make of its topics: reads without a group, writes nothing, commits nothing.
public struct DryRun: Sendable {
    /// What became of one record.
    public struct Result: Sendable {
        public enum Outcome: Sendable, Equatable {
            case row(Event)
            case filtered
            case dropped(reason: String)
            case deadLetter(StepFailure)
        }

        public var partition: TopicPartition
        public var offset: Offset
        public var outcome: Outcome
        /// Of each export, the table and the folder that the row goes to.
        public var folders: [(table: String, folder: String)]
    }

    private let settings: PipelineSettings
    private let steps: Steps
    private let cluster: KafkaCluster

    /// What steps remember, by the partition that they remember it of.
    private typealias Memories = [TopicPartition: StepMemory]

    /// - Parameter after: shows records as they are after so many steps, the parser first; nil after all.
    public init(_ settings: PipelineSettings, on cluster: KafkaCluster, after: Int? = nil) {
        self.settings = settings
        steps = after.map { settings.steps.first($0) } ?? settings.steps
        self.cluster = cluster
    }

    /// From each partition's beginning, until so many records were seen or the end that the topics have now is reached.
    public func run(limit: Int, _ show: (Result) -> Void) async throws {
        try await run(limit: limit, from: .earliest, follows: false) { result in
            show(result)
            return true
        }
    }

    /// - Parameters:
    ///   - follows: goes on at the topics' ends, until so many records were shown or the task is cancelled.
    ///   - show: false for one that doesn't count.
    public func run(
        limit: Int, from begin: ExportStart, follows: Bool, _ show: (Result) -> Bool
    ) async throws {
        var ends: [TopicPartition: Offset] = [:]
        var from: [TopicPartition: StartPosition] = [:]
        for topic in settings.topics {
            let partitions = try await cluster.topicInfo(topic).partitions.map {
                TopicPartition(topic: topic, partition: $0.partition)
            }
            let starts = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            let found = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            for partition in partitions {
                guard let first = starts[partition]?.offset, let end = found[partition]?.offset else { continue }
                let start = begin == .earliest ? first : end
                guard follows || start < end else { continue }
                ends[partition] = follows ? Offset(.max) : end
                from[partition] = .offset(start)
            }
        }
        guard !ends.isEmpty, limit > 0 else { return }
        var rest = limit
        var memories: Memories = [:]
        let reader = PartitionReader(cluster: cluster, partitions: from)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await reader.run() }
            defer { reader.close() }
            while !ends.isEmpty, rest > 0, let data = try await reader.next() {
                try take(data, &rest, &memories, show)
                if let end = ends[data.partition], data.nextOffset >= end { ends[data.partition] = nil }
            }
        }
    }

    private func take(
        _ data: FetchedPartition, _ rest: inout Int, _ memories: inout Memories, _ show: (Result) -> Bool
    ) throws {
        var row = Row()
        let memory = memories[data.partition] ?? StepMemory()
        memories[data.partition] = memory
        for batch in data.batches {
            var records = try batch.records(decompressedMax: PartitionTask.batchBytesMax)
            while rest > 0, let record = try records.next() {
                guard record.offset >= data.startOffset else { continue }
                if show(result(of: record, in: data.partition, memory, &row)) { rest -= 1 }
            }
        }
    }

    private func result(
        of record: Record, in partition: TopicPartition, _ memory: StepMemory, _ row: inout Row
    ) -> Result {
        let hash = RecordHash.of(partition: partition.partition, offset: record.offset.rawValue)
        var result = Result(partition: partition, offset: record.offset, outcome: .filtered, folders: [])
        (record.value ?? ByteBuffer()).withUnsafeReadableBytes { bytes in
            let outcome = steps.apply(
                to: bytes, recordHash: hash, arrival: record.timestamp, memory: memory, row: &row)
            switch outcome {
            case .filteredOut: break
            case .dropped(let reason): result.outcome = .dropped(reason: reason)
            case .deadLetter(let failure): result.outcome = .deadLetter(failure)
            case .row(let time):
                result.outcome = .row(row.event)
                for case .export(let export) in settings.sinks {
                    let layout = export.settings.layout
                    let folder = layout.folder(layout.key(time ?? record.timestamp))
                    result.folders.append((export.table, folder))
                }
            }
        }
        return result
    }
}
