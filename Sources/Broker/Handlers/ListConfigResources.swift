import KafkaConnection
import KafkaWire

/// ListConfigResources (74), versions 0–1: what has settings, of the types asked for, or of all. Before v1 it lists client metrics subscriptions alone,
/// which this broker has none of (KIP-1142).
struct ListConfigResourcesHandler: ImmediateApiHandler {
    typealias Request = ListConfigResourcesRequest
    static let versions: ClosedRange<Int16> = 0...1

    private enum Kind: Int8, CaseIterable {
        case topic = 2, broker = 4, brokerLogger = 8, clientMetrics = 16, group = 32
    }

    let services: BrokerServices

    func answer(_ call: Call<ListConfigResourcesRequest>) -> ListConfigResourcesResponse {
        var response = ListConfigResourcesResponse()
        guard call.version >= 1 else { return response }
        let types = call.request.resourceTypes
        guard types.allSatisfy({ Kind(rawValue: $0) != nil }) else {
            // KIP-1142: a type from the future.
            response.errorCode = .unsupportedVersion
            return response
        }
        let kinds = types.isEmpty ? Kind.allCases : Kind.allCases.filter { types.contains($0.rawValue) }
        response.configResources = kinds.flatMap { kind in
            names(kind).map { name in
                var resource = ListConfigResourcesResponse.ConfigResource()
                resource.resourceName = name
                resource.resourceType = kind.rawValue
                return resource
            }
        }
        return response
    }

    private func names(_ kind: Kind) -> [String] {
        switch kind {
        case .topic: services.topics.topics.map(\.name).sorted()
        case .broker: ["\(services.brokerID)"]
        // Neither loggers nor groups can be set, and there are no client metrics.
        case .brokerLogger, .clientMetrics, .group: []
        }
    }
}
