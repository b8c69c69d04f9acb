import Base
import Events
import KafkaClient
import Records

/// Follows `__millrace_status` and keeps the newest report under each key: what agents and pipelines tell about themselves.
actor StatusReader {
    static let reportsMax = 1_000
    static let reportBytesMax = 256 * 1_024
    /// How far back the first look goes. A compacted topic holds little more than its keys.
    static let recordsMax: Int64 = 50_000

    private let cluster: KafkaCluster
    private let topic: String
    private var reports: [String: Value] = [:]
    /// Why there is nothing, in words.
    private(set) var trouble: String?

    init(cluster: KafkaCluster, topic: String) {
        self.cluster = cluster
        self.topic = topic
    }

    /// All reports of this kind (`agent`, `pipeline`), in the order of their keys.
    func reports(kind: String) -> [(key: String, report: Value)] {
        reports.filter { $0.value["kind"] == .string(kind) }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    func report(_ key: String) -> Value? { reports[key] }

    /// Follows the topic until the task is cancelled; where it is missing or can't be read, looks again every 15 seconds.
    func run() async {
        while !Task.isCancelled {
            do {
                try await follow()
            } catch {
                trouble = "\(error)"
            }
            try? await Task.sleep(for: .seconds(15))
        }
    }

    private func follow() async throws {
        cluster.doubt(topic: topic)
        let info = try await cluster.topicInfo(topic)
        let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
        let starts = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
        let ends = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
        trouble = nil
        var positions: [TopicPartition: StartPosition] = [:]
        for partition in partitions {
            let start = starts[partition]?.offset.rawValue ?? 0
            positions[partition] = .offset(
                Offset(max(start, (ends[partition]?.offset.rawValue ?? 0) - Self.recordsMax)))
        }
        var settings = FetchSettings()
        settings.queueBytesMax = .mib(4)
        settings.responseBytesMax = .mib(4)
        settings.waitMax = .seconds(5)
        let reader = PartitionReader(cluster: cluster, partitions: positions, settings: settings)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await reader.run() }
            defer { reader.close() }
            while let data = try await reader.next() { take(data) }
        }
    }

    private func take(_ data: FetchedPartition) {
        for batch in data.batches {
            guard var records = try? batch.records(decompressedMax: .mib(16)) else { continue }
            while let record = try? records.next() { take(record) }
        }
    }

    private func take(_ record: Record) {
        guard let key = record.key.map({ TextRepair.string(Array($0.readableBytesView)) }) else { return }
        guard let value = record.value else {
            reports[key] = nil
            return
        }
        guard value.readableBytes <= Self.reportBytesMax, reports[key] != nil || reports.count < Self.reportsMax,
            let report = try? JSON.parse(Array(value.readableBytesView))
        else { return }
        reports[key] = report
    }
}

extension Value {
    /// A member of an object; null where this is none.
    subscript(name: String) -> Value {
        guard case .object(let fields) = self else { return .null }
        return fields.first { $0.name == name }?.value ?? .null
    }

    var elements: [Value] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    var int: Int64? {
        guard case .int(let number) = self else { return nil }
        return number
    }
}
