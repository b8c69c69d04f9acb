public import Base
public import Exports
public import KafkaClient

/// Records that a topic lost before they were exported: found by holding every chain of a pipeline against its log.
///
/// A pipeline never skips them by itself. An operator who accepts the loss records the gap in the chain, for good, and the pipeline goes on behind it.
public struct ExportGap: Sendable {
    public var chain: ChainID
    /// The next offset to export, which is gone.
    public var from: Offset
    /// The oldest offset that is still there.
    public var to: Offset
    private let store: any AuditedStore

    /// The gaps of all exports of the pipeline, for topics and partitions that the cluster has now.
    public static func find(
        in settings: PipelineSettings, on cluster: KafkaCluster, fileSystem: any FileSystem = PosixFileSystem()
    ) async throws -> [ExportGap] {
        var gaps: [ExportGap] = []
        for case .export(let export) in settings.sinks {
            let store = export.root.open(fileSystem: fileSystem)
            for topic in settings.topics {
                let id = try await cluster.topicID(topic)
                for number in 0..<Int32(try await cluster.partitionCount(topic)) {
                    let chain = ChainID(
                        pipeline: settings.name, table: export.table, topic: topic, topicID: id, partition: number)
                    guard let tail = try await store.tail(of: chain) else { continue }
                    let partition = TopicPartition(topic: topic, partition: number)
                    let start = try await cluster.offset(of: partition, at: .earliest).offset
                    if start > tail.last.to {
                        gaps.append(
                            ExportGap(chain: chain, from: tail.last.to, to: start, store: store))
                    }
                }
            }
        }
        return gaps
    }

    /// Writes the gap into its chain. The pipeline should stand still; one that runs is fenced, and goes on behind the gap.
    public func record(note: String, time: any TimeSource = SystemTime()) async throws -> CommitRecord {
        try await store.recordGap(
            of: chain, to: to, note: note, attempt: .random(), wallTime: time.wallTime)
    }
}
