import KafkaConnection
import KafkaWire

/// DescribeConfigs (32), versions 1–4: the settings of topics (resource type 2) and of this broker (4), with where each value comes from.
struct DescribeConfigsHandler: ImmediateApiHandler {
    typealias Request = DescribeConfigsRequest
    static let versions: ClosedRange<Int16> = 1...4

    private typealias Setting = DescribeConfigsResponse.DescribeConfigsResourceResult

    let services: BrokerServices

    func answer(_ call: Call<DescribeConfigsRequest>) -> DescribeConfigsResponse {
        var response = DescribeConfigsResponse()
        response.results = call.request.resources.map { resource in
            var result = DescribeConfigsResponse.DescribeConfigsResult()
            result.resourceType = resource.resourceType
            result.resourceName = resource.resourceName
            switch describe(resource, call) {
            case .success(let settings):
                let keys = resource.configurationKeys
                result.configs = settings.filter { keys == nil || keys!.contains($0.name) }
            case .failure(let error):
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            return result
        }
        return response
    }

    private func describe(
        _ resource: DescribeConfigsRequest.DescribeConfigsResource, _ call: Call<DescribeConfigsRequest>
    ) -> Result<[Setting], TopicError> {
        switch resource.resourceType {
        case 2:
            if let fault = TopicName.fault(in: resource.resourceName) {
                return .failure(TopicError(.invalidTopicException, fault))
            }
            guard let topic = services.topics.topic(named: resource.resourceName) else {
                return .failure(TopicError(.unknownTopicOrPartition, "there is no topic '\(resource.resourceName)'"))
            }
            return .success(describe(topic, withSynonyms: call.request.includeSynonyms))
        case 4:
            guard resource.resourceName.isEmpty || resource.resourceName == "\(services.brokerID)" else {
                return .failure(TopicError(.invalidRequest, "this is broker \(services.brokerID)"))
            }
            return .success(resource.resourceName.isEmpty ? [] : brokerSettings(call.advertised))
        default:
            return .failure(TopicError(.invalidRequest, "topics (2) and brokers (4) have settings here"))
        }
    }

    private func describe(_ topic: Topic, withSynonyms: Bool) -> [Setting] {
        guard let config = try? services.topics.config(topic.settings) else { return [] }
        return TopicSettingsTable.describe(config, own: topic.settings, defaults: services.settings.topicDefaults)
            .map { setting in
                var described = Setting()
                described.name = setting.name
                described.value = setting.value
                described.configSource = setting.source.rawValue
                described.configType = setting.type.rawValue
                if withSynonyms, setting.source != .builtIn {
                    var synonym = DescribeConfigsResponse.DescribeConfigsSynonym()
                    synonym.name = setting.name
                    synonym.value = setting.value
                    synonym.source = setting.source.rawValue
                    described.synonyms = [synonym]
                }
                return described
            }
    }

    private func brokerSettings(_ advertised: Address) -> [Setting] {
        let settings = services.settings
        let values: [(String, String, TopicSettingsTable.ValueType)] = [
            (
                "advertised.listeners", settings.listeners.map { "\($0.name)://\(advertised)" }.joined(separator: ","),
                .string
            ),
            ("auto.create.topics.enable", String(settings.createsTopics), .boolean),
            ("broker.id", "\(services.brokerID)", .int),
            ("connections.max.idle.ms", String(settings.limits.connectionIdleMax.milliseconds), .long),
            ("default.replication.factor", "1", .int),
            ("fetch.max.bytes", String(settings.limits.fetchBytesMax.bytes), .int),
            ("listeners", settings.listeners.map { "\($0.name)://\($0.bind)" }.joined(separator: ","), .string),
            ("log.dirs", services.settings.logFolders.map(\.string).joined(separator: ","), .string),
            ("node.id", "\(services.brokerID)", .int),
            ("num.partitions", String(settings.partitionCountDefault), .int),
            ("socket.request.max.bytes", String(settings.limits.requestBytesMax.bytes), .int),
        ]
        return values.map { name, value, type in
            var setting = Setting()
            setting.name = name
            setting.value = value
            setting.readOnly = true
            setting.configSource = TopicSettingsTable.Source.brokerFile.rawValue
            setting.configType = type.rawValue
            return setting
        }
    }
}
