import Base
import KafkaConnection
import KafkaWire

/// A topic to be made.
public struct NewTopic: Sendable {
    public var name: String
    /// −1: the broker's default.
    public var partitionCount: Int32
    /// −1: the broker's default.
    public var replicationFactor: Int16
    /// Kafka's dotted names (`retention.ms`).
    public var configs: [String: String]

    public init(
        _ name: String, partitionCount: Int32 = -1, replicationFactor: Int16 = -1, configs: [String: String] = [:]
    ) {
        self.name = name
        self.partitionCount = partitionCount
        self.replicationFactor = replicationFactor
        self.configs = configs
    }
}

/// One setting of a topic or broker, as the broker has it.
public struct ConfigEntry: Sendable, Equatable {
    public var name: String
    /// Nil where it is secret.
    public var value: String?
    public var isReadOnly: Bool
    /// True where nobody set it.
    public var isDefault: Bool
}

/// What an operator asks of a cluster: topics, settings, offsets, groups. Every call throws the broker's error with its message.
public struct Admin: Sendable {
    public let cluster: KafkaCluster
    /// How long the broker may take over a change of topics.
    public var timeout = Duration.seconds(30)

    public init(_ cluster: KafkaCluster) { self.cluster = cluster }

    // MARK: Topics

    /// Makes topics. Throws at the first that the broker refuses (`TOPIC_ALREADY_EXISTS`…); others of the list may have been made.
    public func createTopics(_ topics: [NewTopic], validateOnly: Bool = false) async throws(ClientError) {
        var request = CreateTopicsRequest()
        request.timeoutMs = Int32(clamping: timeout.milliseconds)
        request.validateOnly = validateOnly
        request.topics = topics.map { topic in
            var wire = CreateTopicsRequest.CreatableTopic()
            wire.name = topic.name
            wire.numPartitions = topic.partitionCount
            wire.replicationFactor = topic.replicationFactor
            wire.configs = topic.configs.sorted { $0.key < $1.key }.map { entry in
                var config = CreateTopicsRequest.CreatableTopicConfig()
                config.name = entry.key
                config.value = entry.value
                return config
            }
            return wire
        }
        let response = try await cluster.send(request, to: .controller, timeout: timeout + .seconds(5))
        for topic in response.topics { cluster.doubt(topic: topic.name) }
        for topic in response.topics {
            if let error = ClientError(topic.errorCode, "creating topic \(topic.name)", detail: topic.errorMessage) {
                throw error
            }
        }
    }

    /// Makes the topic where it is missing; one that exists is left as it is. True where it was made.
    @discardableResult
    public func ensureTopic(_ topic: NewTopic) async throws(ClientError) -> Bool {
        do {
            try await createTopics([topic])
            return true
        } catch {
            guard error.kafkaError == .topicAlreadyExists else { throw error }
            return false
        }
    }

    /// Deletes topics by name. Throws at the first that the broker refuses.
    public func deleteTopics(_ names: [String]) async throws(ClientError) {
        var request = DeleteTopicsRequest()
        request.timeoutMs = Int32(clamping: timeout.milliseconds)
        let connection = try await cluster.connection(to: .controller)
        let version = try connection.versions.version(of: DeleteTopicsRequest.self)
        if version >= 6 {
            request.topics = names.map { name in
                var topic = DeleteTopicsRequest.DeleteTopicState()
                topic.name = name
                return topic
            }
        } else {
            request.topicNames = names
        }
        let response = try await connection.send(request, version: version, timeout: timeout + .seconds(5))
        for name in names { cluster.doubt(topic: name) }
        for topic in response.responses {
            let name = topic.name ?? topic.topicId.description
            if let error = ClientError(topic.errorCode, "deleting topic \(name)", detail: topic.errorMessage) {
                throw error
            }
        }
    }

    /// All topics, in the order of their names.
    public func listTopics(includeInternal: Bool = false) async throws(ClientError) -> [TopicInfo] {
        let view = try await cluster.retrying { () async throws(ClientError) in try await cluster.refresh(nil) }
        return view.topics.values.filter { includeInternal || !$0.isInternal }.sorted { $0.name < $1.name }
    }

    /// One topic. Throws `.brokerError` with `UNKNOWN_TOPIC_OR_PARTITION` where there is none.
    public func describeTopic(_ name: String) async throws(ClientError) -> TopicInfo {
        cluster.doubt(topic: name)
        return try await cluster.topicInfo(name)
    }

    // MARK: Settings

    /// A topic's settings, all or those named.
    public func describeConfigs(
        topic: String, names: [String]? = nil
    ) async throws(ClientError) -> [ConfigEntry] {
        try await describeConfigs(type: 2, name: topic, names: names, at: .any)
    }

    /// A broker's settings.
    public func describeConfigs(broker: BrokerID, names: [String]? = nil) async throws(ClientError) -> [ConfigEntry] {
        try await describeConfigs(type: 4, name: "\(broker)", names: names, at: .broker(broker))
    }

    private func describeConfigs(
        type: Int8, name: String, names: [String]?, at destination: Destination
    ) async throws(ClientError) -> [ConfigEntry] {
        var resource = DescribeConfigsRequest.DescribeConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configurationKeys = names
        var request = DescribeConfigsRequest()
        request.resources = [resource]
        let response = try await cluster.send(request, to: destination)
        guard let result = response.results.first else {
            throw ClientError(.protocolViolation, "DescribeConfigs of \(name) was answered with nothing")
        }
        if let error = ClientError(result.errorCode, "settings of \(name)", detail: result.errorMessage) { throw error }
        // Sources 5 and 6 are the broker's own and the static default (DescribeConfigsResponse.ConfigSource).
        return result.configs.map { config in
            ConfigEntry(
                name: config.name, value: config.value, isReadOnly: config.readOnly, isDefault: config.configSource >= 5
            )
        }.sorted { $0.name < $1.name }
    }

    // MARK: Offsets and cluster

    /// Looks offsets up; see `KafkaCluster.offsets`.
    public func listOffsets(
        _ queries: [TopicPartition: OffsetQuery], isolation: IsolationLevel = .readUncommitted
    ) async throws(ClientError) -> [TopicPartition: OffsetAnswer] {
        try await cluster.offsets(queries, isolation: isolation)
    }

    /// Id, controller and brokers.
    public func describeCluster() async throws(ClientError) -> ClusterView {
        try await cluster.retrying { () async throws(ClientError) in try await cluster.refresh([]) }
    }
}
