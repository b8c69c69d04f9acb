import Base
import KafkaConnection
import KafkaWire

public struct BrokerInfo: Sendable, Equatable {
    public var id: BrokerID
    public var address: Address
    public var rack: String?
}

public struct PartitionInfo: Sendable, Equatable {
    public var partition: Int32
    /// Nil while it has none.
    public var leader: BrokerID?
    public var leaderEpoch: LeaderEpoch
    public var replicas: [BrokerID]
    public var inSync: [BrokerID]
}

public struct TopicInfo: Sendable, Equatable {
    public var name: String
    /// `.zero` where the cluster has no topic ids (before Kafka 2.8).
    public var id: TopicID
    public var isInternal: Bool
    /// In the order of their numbers.
    public var partitions: [PartitionInfo]

    public func partition(_ number: Int32) -> PartitionInfo? {
        if partitions.indices.contains(Int(number)), partitions[Int(number)].partition == number {
            return partitions[Int(number)]
        }
        return partitions.first { $0.partition == number }
    }
}

/// What is known of a cluster. A value without I/O: answers go in, the picture comes out.
public struct ClusterView: Sendable, Equatable {
    public private(set) var clusterID: String?
    public private(set) var controller: BrokerID?
    public private(set) var brokers: [BrokerID: BrokerInfo] = [:]
    public private(set) var topics: [String: TopicInfo] = [:]
    /// Why a topic that was asked for is not in `topics`.
    public private(set) var topicErrors: [String: ErrorCode] = [:]
    /// When each topic was last told about, known or not.
    private(set) var toldAt: [String: Instant] = [:]

    public init() {}

    public func partition(_ partition: TopicPartition) -> PartitionInfo? {
        topics[partition.topic]?.partition(partition.partition)
    }

    /// Takes an answer in. A leader of an earlier epoch than the known one is old news and not believed, unless the topic is another one (KIP-320).
    mutating func metadataReceived(_ response: MetadataResponse, wantsAllTopics: Bool, now: Instant) {
        if let id = response.clusterId { clusterID = id }
        controller = response.controllerId < 0 ? nil : BrokerID(response.controllerId)
        if !response.brokers.isEmpty {
            brokers = [:]
            for broker in response.brokers {
                let id = BrokerID(broker.nodeId)
                let address = Address(host: broker.host, port: Int(broker.port))
                brokers[id] = BrokerInfo(id: id, address: address, rack: broker.rack)
            }
        }
        if wantsAllTopics {
            let told = Set(response.topics.compactMap(\.name))
            topics = topics.filter { told.contains($0.key) }
            topicErrors = [:]
        }
        for topic in response.topics { topicReceived(topic, now: now) }
    }

    private mutating func topicReceived(_ topic: MetadataResponse.MetadataResponseTopic, now: Instant) {
        guard let name = topic.name else { return }
        toldAt[name] = now
        guard topic.errorCode == .none || topic.errorCode == .leaderNotAvailable && !topic.partitions.isEmpty else {
            topics[name] = nil
            topicErrors[name] = topic.errorCode
            return
        }
        topicErrors[name] = nil
        let known = topics[name].flatMap { $0.id == topic.topicId ? $0 : nil }
        let partitions = topic.partitions.map { partition in
            let told = PartitionInfo(
                partition: partition.partitionIndex,
                leader: partition.leaderId < 0 ? nil : BrokerID(partition.leaderId),
                leaderEpoch: LeaderEpoch(partition.leaderEpoch), replicas: partition.replicaNodes.map { BrokerID($0) },
                inSync: partition.isrNodes.map { BrokerID($0) })
            if let old = known?.partition(told.partition), old.leaderEpoch > told.leaderEpoch, told.leaderEpoch != .none
            {
                return old
            }
            return told
        }
        topics[name] = TopicInfo(
            name: name, id: topic.topicId, isInternal: topic.isInternal,
            partitions: partitions.sorted { $0.partition < $1.partition })
    }

    /// A coordinator that metadata has not named yet.
    mutating func brokerFound(_ id: BrokerID, address: Address) {
        brokers[id] = BrokerInfo(id: id, address: address, rack: brokers[id]?.rack)
    }

    /// What was told of the topic is not to be trusted: it is asked for again before its next use.
    mutating func topicDoubted(_ topic: String) { toldAt[topic] = nil }

    func isFresh(_ topic: String, ageMax: Duration, now: Instant) -> Bool {
        toldAt[topic].map { now < $0 + ageMax } ?? false
    }
}
