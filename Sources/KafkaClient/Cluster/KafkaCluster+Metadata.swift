import Base
import KafkaConnection
import KafkaWire

extension KafkaCluster {
    /// The topics as they are known; asks where one is unknown, too old or doubted. A topic that does not exist is in `topicErrors`.
    ///
    /// - Parameter mayCreate: lets the broker create missing topics, if it is set up so.
    public func metadata(for topics: [String], mayCreate: Bool = false) async throws(ClientError) -> ClusterView {
        let now = time.now
        let (view, isFresh) = state.withLock { state in
            let isFresh = topics.allSatisfy {
                state.view.isFresh($0, ageMax: settings.metadataAgeMax, now: now) && state.view.topics[$0] != nil
            }
            return (state.view, isFresh)
        }
        if isFresh { return view }
        return try await refresh(topics, mayCreate: mayCreate)
    }

    /// Asks for these topics now; nil asks for all, none only for the brokers. A refresh under way that covers them is shared.
    @discardableResult
    public func refresh(_ topics: [String]?, mayCreate: Bool = false) async throws(ClientError) -> ClusterView {
        let wanted = topics.map { Set($0) }
        let task = state.withLock { state -> Task<Result<ClusterView, ClientError>, Never> in
            if let refresh = state.refresh, refresh.mayCreate || !mayCreate {
                let covers =
                    switch (refresh.topics, wanted) {
                    case (nil, _): true
                    case (.some, nil): false
                    case (.some(let asked), .some(let wanted)): wanted.isSubset(of: asked)
                    }
                if covers { return refresh.task }
            }
            let task = Task { await self.askForMetadata(wanted, mayCreate: mayCreate) }
            state.refresh = (wanted, mayCreate, task)
            return task
        }
        return try await task.value.get()
    }

    private func askForMetadata(_ topics: Set<String>?, mayCreate: Bool) async -> Result<ClusterView, ClientError> {
        defer { state.withLock { $0.refresh = nil } }
        var request = MetadataRequest()
        request.topics = topics.map { names in
            names.sorted().map { name in
                var topic = MetadataRequest.MetadataRequestTopic()
                topic.name = name
                return topic
            }
        }
        request.allowAutoTopicCreation = mayCreate
        do throws(ClientError) {
            let response = try await send(request, to: .any)
            if let error = ClientError(response.errorCode, "Metadata") { throw error }
            let now = time.now
            return .success(
                state.withLock { state in
                    state.view.metadataReceived(response, wantsAllTopics: topics == nil, now: now)
                    return state.view
                })
        } catch {
            return .failure(error)
        }
    }

    /// The leader of a partition. Throws `.noLeader`, with the broker's error where it gave one; try again after a while.
    public func leader(of partition: TopicPartition) async throws(ClientError) -> (broker: BrokerID, epoch: LeaderEpoch)
    {
        let view = try await metadata(for: [partition.topic])
        guard let topic = view.topics[partition.topic] else {
            let error = view.topicErrors[partition.topic]
            throw ClientError(
                .noLeader, "topic \(partition.topic): \(error?.description ?? "not found")", kafkaError: error)
        }
        guard let info = topic.partition(partition.partition) else {
            doubt(topic: partition.topic)
            throw ClientError(
                .noLeader,
                "topic \(partition.topic) has \(topic.partitions.count) partitions, no \(partition.partition)",
                kafkaError: .unknownTopicOrPartition)
        }
        guard let leader = info.leader else {
            doubt(topic: partition.topic)
            throw ClientError(.noLeader, "\(partition) has no leader now", kafkaError: .leaderNotAvailable)
        }
        return (leader, info.leaderEpoch)
    }

    /// How many partitions a topic has. Throws `.brokerError` where it does not exist.
    public func partitionCount(_ topic: String, mayCreate: Bool = false) async throws(ClientError) -> Int {
        try await topicInfo(topic, mayCreate: mayCreate).partitions.count
    }

    /// A topic's id; `.zero` where the cluster has no topic ids.
    public func topicID(_ topic: String) async throws(ClientError) -> TopicID { try await topicInfo(topic).id }

    /// What is known of a topic. Throws `.brokerError` where it does not exist.
    public func topicInfo(_ topic: String, mayCreate: Bool = false) async throws(ClientError) -> TopicInfo {
        let view = try await metadata(for: [topic], mayCreate: mayCreate)
        if let info = view.topics[topic] { return info }
        let error = view.topicErrors[topic] ?? .unknownTopicOrPartition
        throw ClientError(.brokerError, "topic \(topic): \(error)", kafkaError: error)
    }

    /// The cluster's id; nil where the cluster has none.
    public func clusterID() async throws(ClientError) -> String? {
        if let id = view.clusterID { return id }
        return try await refresh([]).clusterID
    }

    /// What is known of the topic is wrong (a broker said so): it is asked for again before its next use.
    public func doubt(topic: String) { state.withLock { $0.view.topicDoubted(topic) } }

    // MARK: Coordinators

    /// The broker that coordinates a group. Throws `.brokerError` (`COORDINATOR_NOT_AVAILABLE` may be tried again).
    public func coordinator(of group: String) async throws(ClientError) -> BrokerID {
        if let known = state.withLock({ $0.coordinators[group] }) { return known }
        let id = try await findCoordinator(of: group, type: 0, "group \(group)")
        state.withLock { $0.coordinators[group] = id }
        return id
    }

    /// The broker that coordinates a transactional id (KIP-98); as above.
    public func coordinator(ofTransactions id: String) async throws(ClientError) -> BrokerID {
        if let known = state.withLock({ $0.transactionCoordinators[id] }) { return known }
        let broker = try await findCoordinator(of: id, type: 1, "transactional id \(id)")
        state.withLock { $0.transactionCoordinators[id] = broker }
        return broker
    }

    private func findCoordinator(of key: String, type: Int8, _ what: String) async throws(ClientError) -> BrokerID {
        var request = FindCoordinatorRequest()
        request.keyType = type
        // v4 and later take a list of keys, earlier ones a single key; both fields are set for the version that is negotiated.
        let connection = try await connection(to: .any)
        let version = try connection.versions.version(of: FindCoordinatorRequest.self)
        if version >= 4 { request.coordinatorKeys = [key] } else { request.key = key }
        let response = try await connection.send(request, version: version)
        let answer: (error: ErrorCode, message: String?, id: Int32, host: String, port: Int32)
        if version >= 4 {
            guard let found = response.coordinators.first else {
                throw ClientError(.protocolViolation, "FindCoordinator for \(what) was answered with nothing")
            }
            answer = (found.errorCode, found.errorMessage, found.nodeId, found.host, found.port)
        } else {
            answer = (response.errorCode, response.errorMessage, response.nodeId, response.host, response.port)
        }
        if let error = ClientError(answer.error, "FindCoordinator for \(what)", detail: answer.message) {
            throw error
        }
        let id = BrokerID(answer.id)
        let address = Address(host: answer.host, port: Int(answer.port))
        state.withLock { state in
            if state.view.brokers[id]?.address != address { state.view.brokerFound(id, address: address) }
        }
        return id
    }

    /// The group's coordinator is somebody else: it is looked up again before its next use.
    public func doubtCoordinator(of group: String) { state.withLock { _ = $0.coordinators.removeValue(forKey: group) } }

    public func doubtCoordinator(ofTransactions id: String) {
        state.withLock { _ = $0.transactionCoordinators.removeValue(forKey: id) }
    }
}
