import Base
import KafkaConnection
import KafkaWire
import LogStorage

/// CreateTopics (19), versions 2–7: makes topics, each on its own; one that can't be made says why.
///
/// Answered once what was made survives a crash. With one broker the replication factor is 1 (or −1, the default), and a manual assignment names
/// this broker for every partition. `validate_only` checks and makes nothing.
struct CreateTopicsHandler: DeferredApiHandler {
    typealias Request = CreateTopicsRequest
    static let versions: ClosedRange<Int16> = 2...7

    let services: BrokerServices

    func answer(_ call: Call<CreateTopicsRequest>) async -> CreateTopicsResponse {
        var response = CreateTopicsResponse()
        let counts = Dictionary(call.request.topics.map { ($0.name, 1) }, uniquingKeysWith: +)
        for asked in call.request.topics where !response.topics.contains(where: { $0.name == asked.name }) {
            var result = CreateTopicsResponse.CreatableTopicResult()
            result.name = asked.name
            do throws(TopicError) {
                guard counts[asked.name] == 1 else {
                    throw TopicError(.invalidRequest, "the request names topic '\(asked.name)' more than once")
                }
                try await create(asked, validateOnly: call.request.validateOnly, result: &result)
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
                result.numPartitions = -1
                result.replicationFactor = -1
            }
            response.topics.append(result)
        }
        return response
    }

    private func create(
        _ asked: CreateTopicsRequest.CreatableTopic, validateOnly: Bool,
        result: inout CreateTopicsResponse.CreatableTopicResult
    ) async throws(TopicError) {
        var order = TopicCatalog.Order(name: asked.name)
        order.partitionCount = try partitionCount(asked)
        for config in asked.configs {
            guard let value = config.value else {
                throw TopicError(.invalidConfig, "setting \(config.name) has no value")
            }
            guard order.settings.updateValue(value, forKey: config.name) == nil else {
                throw TopicError(.invalidRequest, "setting \(config.name) is given twice")
            }
        }
        if TopicName.isInternal(asked.name) {
            throw TopicError(
                .invalidTopicException, "\(asked.name) is the broker's own, which makes it when it is needed")
        }
        let (count, config) = try services.topics.check(order)
        if !validateOnly { result.topicId = try await services.topics.create(order).id }
        result.numPartitions = count
        result.replicationFactor = 1
        result.configs = TopicSettingsTable.describe(
            config, own: order.settings, defaults: services.settings.topicDefaults
        )
        .map { setting in
            var described = CreateTopicsResponse.CreatableTopicConfigs()
            described.name = setting.name
            described.value = setting.value
            described.configSource = setting.source.rawValue
            return described
        }
    }

    private func partitionCount(_ asked: CreateTopicsRequest.CreatableTopic) throws(TopicError) -> Int32? {
        guard !asked.assignments.isEmpty else {
            guard asked.replicationFactor == 1 || asked.replicationFactor == -1 else {
                throw TopicError(
                    .invalidReplicationFactor,
                    "one broker can't keep \(asked.replicationFactor) replicas: ask for 1, or -1")
            }
            return asked.numPartitions == -1 ? nil : asked.numPartitions
        }
        guard asked.numPartitions == -1, asked.replicationFactor == -1 else {
            throw TopicError(
                .invalidRequest, "an assignment excludes a count of partitions and of replicas: both have to be -1")
        }
        let indexes = asked.assignments.map(\.partitionIndex).sorted()
        guard indexes == Array(0..<Int32(indexes.count)),
            asked.assignments.allSatisfy({ $0.brokerIds == [services.brokerID.rawValue] })
        else {
            throw TopicError(
                .invalidReplicaAssignment,
                "partitions have to be numbered from 0 without gaps, each on broker \(services.brokerID) alone")
        }
        return Int32(indexes.count)
    }
}
