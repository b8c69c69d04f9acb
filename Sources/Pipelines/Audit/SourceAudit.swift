import Base
public import Exports
public import KafkaClient

/// From a host's file to the table: holds what agents say that their sources shipped (`__millrace_status`) against what was exported.
///
/// Made before the tables are audited, so that what an agent says lies in the topic below the ends that were asked after it.
public struct SourceAudit: Sendable {
    private let reports: [AgentReports.Report]
    private let ends: [MarkerMachine.PartitionID: Offset]

    /// - Parameter chains: of the tables that will be audited; their topics' ends are asked. Topics that are gone are left out.
    public init(cluster: KafkaCluster, statusTopic: String, chains: [ChainID]) async throws {
        reports = try await AgentReports(cluster: cluster, topic: statusTopic).refresh()
        var ends: [MarkerMachine.PartitionID: Offset] = [:]
        for topic in Set(chains.map(\.topic)).sorted() {
            let info: TopicInfo
            do { info = try await cluster.topicInfo(topic) } catch {
                guard error.kafkaError == .unknownTopicOrPartition else { throw error }
                continue
            }
            let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
            for (partition, end) in try await cluster.offsets(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            {
                ends[.init(topicID: info.id, partition: partition.partition)] = end.offset
            }
        }
        self.ends = ends
    }

    /// Adds findings to the report, and returns remarks about what could not be compared.
    public func compare(_ report: inout AuditReport) -> [String] {
        var remarks: [String] = []
        for exported in report.sources {
            let name = "\(exported.pipeline)/\(exported.table)"
            if let gap = exported.gap {
                remarks.append("\(name): sources are not compared: \(gap)")
                continue
            }
            // Only partitions of topics that still are the exported ones.
            let behind = exported.positions.filter { $0.value < ends[$0.key] ?? .zero }
            guard behind.isEmpty else {
                remarks.append(
                    "\(name): sources are not compared: \(behind.count) partitions hold records that are not exported yet"
                )
                continue
            }
            for agent in reports {
                guard let watermark = agent.watermark else { continue }
                let (compared, problems) = exported.compare(with: agent.lines, before: watermark)
                report.sourceHourCount += compared
                for problem in problems { report.add(.source, exported.table, "", problem) }
            }
        }
        return remarks
    }
}
