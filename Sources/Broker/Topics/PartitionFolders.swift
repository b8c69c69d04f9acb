import Base
import LogStorage
import Telemetry

/// The folders of partitions on the disk, made, opened and removed on a lane of their own.
final class PartitionFolders: Sendable {
    private let logs: LogDirectories
    /// For administrative work, which may wait for the disk.
    private let adminLane: DiskLane
    /// For appends.
    private let writeLanes: [DiskLane]
    private let leaderEpoch: LeaderEpoch
    private let telemetry: Telemetry

    init(
        logs: LogDirectories, adminLane: DiskLane, writeLanes: [DiskLane], leaderEpoch: LeaderEpoch,
        telemetry: Telemetry
    ) {
        self.logs = logs
        self.adminLane = adminLane
        self.writeLanes = writeLanes
        self.leaderEpoch = leaderEpoch
        self.telemetry = telemetry
    }

    /// Every partition that has a folder, with the id of the topic that made it.
    var found: [(key: TopicPartition, value: TopicID)] {
        get async {
            await adminLane.run { [logs] in
                logs.partitions.map { (key: $0.partition, value: $0.topicID) }
            }
        }
    }

    /// Makes the folders of the partitions from `first` on.
    func make(_ topic: ClusterMetadata.Topic, from first: Int32, config: LogConfig) async throws(LogError)
        -> [Partition]
    {
        let outcome = await adminLane.run { [self] () -> Result<[Partition], LogError> in
            var partitions: [Partition] = []
            do throws(LogError) {
                for index in first..<topic.partitionCount {
                    let log = try logs.create(topic: topic.name, id: topic.id, partition: index, config: config)
                    partitions.append(partition(topic, index, log))
                }
                return .success(partitions)
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Opens all partitions of a topic, making the folders that are missing. One that fails is offline, and the others go on.
    func open(_ topic: ClusterMetadata.Topic, config: LogConfig) async -> Topic {
        let partitions = await adminLane.run { [self] in
            (0..<topic.partitionCount).map { index -> Partition? in
                let id = TopicPartition(topic: topic.name, partition: index)
                do throws(LogError) {
                    if let log = logs.log(for: id, of: topic.id) {
                        guard log.topicID == topic.id else {
                            throw LogError(
                                .alreadyExists,
                                "its folder belongs to a topic with the id \(log.topicID), not \(topic.id)")
                        }
                        log.config = config
                        return partition(topic, index, log)
                    }
                    // What an offline disk may hold is not begun anew elsewhere.
                    if let reason = logs.mayHold(id) { throw LogError(.offline, reason) }
                    return partition(
                        topic, index,
                        try logs.create(topic: topic.name, id: topic.id, partition: index, config: config))
                } catch {
                    telemetry.emit(PartitionOffline(partition: id, reason: error.message))
                    return nil
                }
            }
        }
        return Topic(name: topic.name, id: topic.id, settings: topic.settings, partitions: partitions)
    }

    /// Removes the folders of the topic that still stand and are its own.
    ///
    /// - Throws: `.offline` where a disk that is offline holds one, or may: for a topic that was never made whole (`isNew`) that is not asked.
    func remove(_ topic: ClusterMetadata.Topic, isNew: Bool) async throws(LogError) {
        let failure = await adminLane.run { [logs] () -> LogError? in
            do throws(LogError) {
                for index in 0..<topic.partitionCount {
                    let id = TopicPartition(topic: topic.name, partition: index)
                    let wasHere = logs.log(for: id, of: topic.id)?.topicID == topic.id
                    try logs.delete(id, of: topic.id)
                    // Its files are removed by a start that can reach them.
                    let reason = isNew ? logs.offlinePartitions[id] : logs.mayHold(id)
                    if !wasHere, let reason { throw LogError(.offline, reason) }
                }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    private func partition(_ topic: ClusterMetadata.Topic, _ index: Int32, _ log: PartitionLog) -> Partition {
        // Neighbouring partitions of a topic go to different lanes; the topic's id spreads topics of one partition.
        let lane = Int((topic.id.low &+ UInt64(index)) % UInt64(writeLanes.count))
        return Partition(
            id: TopicPartition(topic: topic.name, partition: index), topicID: topic.id, log: log,
            leaderEpoch: leaderEpoch, lane: writeLanes[lane])
    }
}
