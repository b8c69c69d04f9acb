import KafkaConnection
import KafkaWire

/// IncrementalAlterConfigs (44), versions 0–1: sets (0), removes (1), appends to (2) or subtracts from (3) settings of topics (KIP-339).
///
/// A topic's changes are taken all or none. The broker's own settings come from its file and can't be changed here.
struct IncrementalAlterConfigsHandler: DeferredApiHandler {
    typealias Request = IncrementalAlterConfigsRequest
    static let versions: ClosedRange<Int16> = 0...1

    let services: BrokerServices

    func answer(_ call: Call<IncrementalAlterConfigsRequest>) async -> IncrementalAlterConfigsResponse {
        var response = IncrementalAlterConfigsResponse()
        for resource in call.request.resources {
            var result = IncrementalAlterConfigsResponse.AlterConfigsResourceResponse()
            result.resourceType = resource.resourceType
            result.resourceName = resource.resourceName
            do throws(TopicError) {
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
        _ resource: IncrementalAlterConfigsRequest.AlterConfigsResource, validateOnly: Bool
    ) async throws(TopicError) {
        guard resource.resourceType == 2 else {
            throw TopicError(.invalidRequest, "only settings of topics (2) can be changed while the broker runs")
        }
        guard let topic = services.topics.topic(named: resource.resourceName) else {
            throw TopicError(.unknownTopicOrPartition, "there is no topic '\(resource.resourceName)'")
        }
        var settings = topic.settings
        for change in resource.configs {
            switch (change.configOperation, change.value) {
            case (0, let value?): settings[change.name] = value
            case (1, _): settings[change.name] = nil
            case (2, let value?): settings[change.name] = merged(change.name, settings, adding: value)
            case (3, let value?): settings[change.name] = merged(change.name, settings, removing: value)
            default:
                throw TopicError(
                    .invalidRequest, "setting \(change.name): operation \(change.configOperation) needs a value")
            }
        }
        _ = try services.topics.config(settings)
        if !validateOnly { try await services.topics.replaceSettings(of: topic.name, with: settings) }
    }

    private func merged(
        _ name: String, _ settings: [String: String], adding: String? = nil, removing: String? = nil
    ) -> String {
        var words = (settings[name] ?? services.settings.topicDefaults[name] ?? "").split(separator: ",").map(
            String.init)
        for word in (removing ?? "").split(separator: ",") { words.removeAll { $0 == word } }
        for word in (adding ?? "").split(separator: ",") where !words.contains(String(word)) {
            words.append(String(word))
        }
        return words.joined(separator: ",")
    }
}
