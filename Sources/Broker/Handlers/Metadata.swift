import Base
import KafkaConnection
import KafkaWire

/// Metadata (3), versions 0–13: the broker's address and the topics asked for, or all of them.
///
/// - A topic that is missing is made with the broker's defaults, where the client allows it (always before v4) and `createsTopics` is set;
///   the answer then waits until it is there.
/// - From v10 on topics may be asked for by id; an unknown id is UNKNOWN_TOPIC_ID.
/// - The broker's address is the one that the client's own listener advertises.
struct MetadataHandler: ApiHandler {
    typealias Request = MetadataRequest
    static let versions: ClosedRange<Int16> = 0...13

    let services: BrokerServices

    func handle(_ call: Call<MetadataRequest>) {
        let missing = namesToCreate(call)
        guard !missing.isEmpty else { return call.answer(answer(call, failures: [:])) }
        Task {
            var failures: [String: TopicError] = [:]
            for name in missing {
                do throws(TopicError) {
                    _ = try await services.topics.findOrCreate(TopicCatalog.Order(name: name))
                } catch { failures[name] = error }
            }
            call.answer(answer(call, failures: failures))
        }
    }

    private func namesToCreate(_ call: Call<MetadataRequest>) -> [String] {
        guard services.settings.createsTopics, call.version < 4 || call.request.allowAutoTopicCreation else {
            return []
        }
        return (call.request.topics ?? []).compactMap(\.name).filter {
            !TopicName.isInternal($0) && TopicName.fault(in: $0) == nil && services.topics.topic(named: $0) == nil
        }
    }

    private func answer(_ call: Call<MetadataRequest>, failures: [String: TopicError]) -> MetadataResponse {
        var response = MetadataResponse()
        var broker = MetadataResponse.MetadataResponseBroker()
        broker.nodeId = services.brokerID.rawValue
        broker.host = call.advertised.host
        broker.port = Int32(call.advertised.port)
        response.brokers = [broker]
        response.clusterId = services.clusterID
        response.controllerId = services.brokerID.rawValue
        if call.request.includeClusterAuthorizedOperations {
            response.clusterAuthorizedOperations = AuthorizedOperations.cluster
        }
        let operations = call.request.includeTopicAuthorizedOperations ? AuthorizedOperations.topic : Int32.min
        if let asked = call.request.topics, !(call.version == 0 && asked.isEmpty) {
            response.topics = asked.map { topic(asked: $0, failures: failures, operations: operations) }
        } else {
            response.topics = services.topics.topics.map { describe($0, operations: operations) }
        }
        return response
    }

    private func topic(
        asked: MetadataRequest.MetadataRequestTopic, failures: [String: TopicError], operations: Int32
    ) -> MetadataResponse.MetadataResponseTopic {
        var unknown = MetadataResponse.MetadataResponseTopic()
        unknown.name = asked.name
        unknown.topicId = asked.topicId
        guard let name = asked.name else {
            if let topic = services.topics.topic(id: asked.topicId) { return describe(topic, operations: operations) }
            unknown.errorCode = .unknownTopicId
            return unknown
        }
        if let topic = services.topics.topic(named: name) { return describe(topic, operations: operations) }
        if let failure = failures[name] {
            unknown.errorCode = failure.code
        } else {
            unknown.errorCode = TopicName.fault(in: name) == nil ? .unknownTopicOrPartition : .invalidTopicException
        }
        return unknown
    }

    private func describe(_ topic: Topic, operations: Int32) -> MetadataResponse.MetadataResponseTopic {
        var described = MetadataResponse.MetadataResponseTopic()
        described.name = topic.name
        described.topicId = topic.id
        described.isInternal = topic.isInternal
        described.topicAuthorizedOperations = operations
        let me = services.brokerID.rawValue
        described.partitions = topic.partitions.enumerated().map { index, partition in
            var described = MetadataResponse.MetadataResponsePartition()
            described.partitionIndex = Int32(index)
            described.leaderId = partition == nil ? -1 : me
            described.leaderEpoch = services.leaderEpoch.rawValue
            described.replicaNodes = [me]
            described.isrNodes = partition == nil ? [] : [me]
            described.offlineReplicas = partition == nil ? [me] : []
            described.errorCode = partition == nil ? .leaderNotAvailable : .none
            return described
        }
        return described
    }
}

/// The operations that a client may do, as bits of Kafka's `AclOperation`. Without an authorizer they are all that there are.
enum AuthorizedOperations {
    private static func bits(_ operations: Int32...) -> Int32 { operations.reduce(0) { $0 | 1 << $1 } }

    /// Read, write, create, delete, alter, describe, describe and alter configs.
    static let topic = bits(3, 4, 5, 6, 7, 8, 10, 11)
    /// Create, alter, describe, cluster action, describe and alter configs, idempotent write.
    static let cluster = bits(5, 7, 8, 9, 10, 11, 12)
    /// Read, delete, describe.
    static let group = bits(3, 6, 8)
}
