import KafkaConnection
import KafkaWire

/// AlterConfigs (33), versions 0–2: gives topics exactly the settings named; those that are not named go back to their defaults. Clients that can
/// use IncrementalAlterConfigs, which changes only what it names, do.
///
/// A topic's settings are taken all or none. The broker's own come from its file and can't be changed here.
struct AlterConfigsHandler: DeferredApiHandler {
    typealias Request = AlterConfigsRequest
    static let versions: ClosedRange<Int16> = 0...2

    let services: BrokerServices

    func answer(_ call: Call<AlterConfigsRequest>) async -> AlterConfigsResponse {
        var response = AlterConfigsResponse()
        for resource in call.request.resources {
            var result = AlterConfigsResponse.AlterConfigsResourceResponse()
            result.resourceType = resource.resourceType
            result.resourceName = resource.resourceName
            result.errorMessage = nil
            let isRepeated =
                call.request.resources.count {
                    $0.resourceType == resource.resourceType && $0.resourceName == resource.resourceName
                } > 1
            do throws(TopicError) {
                if isRepeated {
                    throw TopicError(.invalidRequest, "'\(resource.resourceName)' is named more than once")
                }
                try await alter(resource, validateOnly: call.request.validateOnly)
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            response.responses.append(result)
        }
        return response
    }

    private func alter(
        _ resource: AlterConfigsRequest.AlterConfigsResource, validateOnly: Bool
    ) async throws(TopicError) {
        guard resource.resourceType == 2 else {
            throw TopicError(.invalidRequest, "only settings of topics (2) can be changed while the broker runs")
        }
        guard let topic = services.topics.topic(named: resource.resourceName) else {
            throw TopicError(.unknownTopicOrPartition, "there is no topic '\(resource.resourceName)'")
        }
        var settings: [String: String] = [:]
        for setting in resource.configs {
            guard let value = setting.value else {
                throw TopicError(.invalidConfig, "setting \(setting.name) has no value; leave it out to reset it")
            }
            settings[setting.name] = value
        }
        _ = try services.topics.config(settings)
        if !validateOnly { try await services.topics.replaceSettings(of: topic.name, with: settings) }
    }
}
