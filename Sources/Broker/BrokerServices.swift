import Base
import KafkaWire
import LogStorage
import Telemetry

/// What the handlers share.
struct BrokerServices: Sendable {
    let settings: BrokerSettings
    let clusterID: String
    /// Under which this broker leads all its partitions, until it starts again.
    let leaderEpoch: LeaderEpoch
    let fileSystem: any FileSystem
    let logs: LogDirectories
    let topics: TopicCatalog
    let appender: PartitionAppender
    let fetches: WaitingFetches
    let fetchSessions: FetchSessions
    let readAhead: ReadAhead
    let producerIDs: ProducerIDs
    let groups: GroupCoordinator
    let transactions: TransactionCoordinator
    let authentication: Authentication
    /// For look-ups that may wait for the disk.
    let queryLane: DiskLane
    let time: any TimeSource
    let telemetry: Telemetry

    var brokerID: BrokerID { settings.brokerID }

    /// The partition, or what a client that asked for it is to be told.
    func partition(_ topic: String, _ index: Int32) -> Result<Partition, TopicError> {
        guard let topic = topics.topic(named: topic), topic.partitions.indices.contains(Int(index)) else {
            return .failure(TopicError(.unknownTopicOrPartition, "there is no partition \(topic)-\(index)"))
        }
        guard let partition = topic.partitions[Int(index)] else {
            return .failure(TopicError(.kafkaStorageError, "\(topic.name)-\(index) is offline: see the broker's log"))
        }
        return .success(partition)
    }
}
