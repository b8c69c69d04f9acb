public import Base
import Events
public import KafkaClient
import NIOCore
import Records

/// What the agents last said in `__millrace_status`, which is compacted: the newest under a key counts.
///
/// Read on demand, each record once: `refresh` goes on where it was and returns at the topic's end.
public actor AgentReports {
    /// An agent's last report, as far as completeness is concerned.
    public struct Report: Sendable, Equatable {
        public var agent: String
        public var time: Timestamp
        /// Everything that its sources had written by then is acknowledged; nil where it has not said.
        public var watermark: Timestamp?
        /// Topics that it ships to.
        public var topics: Set<String>
        /// Lines by source and by the hour (since 1970) in which they were read; of each source the last 24 hours.
        public var lines: [String: [Int32: Int64]]
        /// Sources that the report has no room for are counted here, too.
        public var sourcesTotal: Int64
    }

    static let agentsMax = 10_000
    static let reportBytesMax = 1 << 20

    private let cluster: KafkaCluster
    private let topic: String
    private var positions: [TopicPartition: Offset] = [:]
    private var topicID: TopicID?
    private var reports: [String: Report] = [:]

    public init(cluster: KafkaCluster, topic: String = "__millrace_status") {
        self.cluster = cluster
        self.topic = topic
    }

    /// Reads what is new and returns all reports, in the order of their agents.
    public func refresh() async throws -> [Report] {
        let info = try await cluster.topicInfo(topic)
        if info.id != topicID {
            topicID = info.id
            positions = [:]
            reports = [:]
        }
        let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
        let starts = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
        var ends = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            .mapValues(\.offset)
        var from: [TopicPartition: StartPosition] = [:]
        for partition in partitions {
            let start = max(positions[partition] ?? .zero, starts[partition]?.offset ?? .zero)
            positions[partition] = start
            if let end = ends[partition], start < end {
                from[partition] = .offset(start)
            } else {
                ends[partition] = nil
            }
        }
        if !from.isEmpty {
            var settings = FetchSettings()
            settings.queueBytesMax = .mib(4)
            settings.responseBytesMax = .mib(4)
            let reader = PartitionReader(cluster: cluster, partitions: from, settings: settings)
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await reader.run() }
                defer { reader.close() }
                while let data = try await reader.next(), try take(data, &ends) {}
            }
        }
        return reports.values.sorted { $0.agent < $1.agent }
    }

    /// False once every partition was read to its end.
    private func take(_ data: FetchedPartition, _ ends: inout [TopicPartition: Offset]) throws -> Bool {
        for batch in data.batches {
            var records = try batch.records(decompressedMax: .mib(16))
            while let record = try records.next() { take(record) }
        }
        positions[data.partition] = data.nextOffset
        if let end = ends[data.partition], data.nextOffset >= end { ends[data.partition] = nil }
        return !ends.isEmpty
    }

    private func take(_ record: Record) {
        guard let key = record.key.map({ TextRepair.string(Array($0.readableBytesView)) }) else { return }
        guard let value = record.value else {
            reports[key] = nil
            return
        }
        guard value.readableBytes <= Self.reportBytesMax, reports[key] != nil || reports.count < Self.agentsMax,
            case .object(let fields)? = try? JSON.parse(Array(value.readableBytesView)),
            let report = Report(Event(fields))
        else { return }
        reports[key] = report
    }
}

extension AgentReports.Report {
    /// Nil where it is no agent's report.
    init?(_ event: Event) {
        guard event["kind"] == .string("agent"), case .string(let agent) = event["agent"],
            case .int(let time) = event["time"]
        else { return nil }
        self.init(
            agent: agent, time: Timestamp(milliseconds: time), watermark: nil, topics: [], lines: [:], sourcesTotal: 0)
        if case .int(let watermark) = event["watermark"] { self.watermark = Timestamp(milliseconds: watermark) }
        if case .int(let total) = event["sources_total"] { sourcesTotal = total }
        for partition in Self.objects(event["partitions"]) {
            if case .string(let topic) = partition["topic"] { topics.insert(topic) }
        }
        for source in Self.objects(event["sources"]) {
            guard case .string(let name) = source["source"] else { continue }
            var hours: [Int32: Int64] = [:]
            for hour in Self.objects(source["hours"]) {
                guard case .int(let start) = hour["hour_start"], case .int(let lines) = hour["lines"] else { continue }
                hours[Int32(clamping: start / 3_600_000)] = lines
            }
            lines[name] = hours
        }
    }

    private static func objects(_ value: Value) -> [Event] {
        guard case .list(let elements) = value else { return [] }
        return elements.compactMap { if case .object(let fields) = $0 { Event(fields) } else { nil } }
    }
}
