import KafkaConnection
import KafkaWire

/// FindCoordinator (10), versions 0–6: who keeps a group or a transactional id. With one broker it is this one.
///
/// Key type 0 is a group, 1 a transactional id. Share groups (2) are not served and get INVALID_REQUEST, which clients report with its message.
struct FindCoordinatorHandler: ImmediateApiHandler {
    typealias Request = FindCoordinatorRequest
    static let versions: ClosedRange<Int16> = 0...6

    let services: BrokerServices

    func answer(_ call: Call<FindCoordinatorRequest>) -> FindCoordinatorResponse {
        var response = FindCoordinatorResponse()
        let keys = call.version >= 4 ? call.request.coordinatorKeys : [call.request.key]
        let coordinators = keys.map { coordinator(key: $0, type: call.request.keyType, advertised: call.advertised) }
        guard call.version < 4 else {
            response.coordinators = coordinators
            return response
        }
        let only = coordinators[0]
        response.errorCode = only.errorCode
        response.errorMessage = only.errorMessage
        response.nodeId = only.nodeId
        response.host = only.host
        response.port = only.port
        return response
    }

    private func coordinator(key: String, type: Int8, advertised: Address) -> FindCoordinatorResponse.Coordinator {
        var coordinator = FindCoordinatorResponse.Coordinator()
        coordinator.key = key
        guard type == 0 || type == 1 else {
            coordinator.nodeId = -1
            coordinator.port = -1
            coordinator.errorCode = .invalidRequest
            coordinator.errorMessage = "share groups are not served by this broker"
            return coordinator
        }
        if type == 1 { services.transactions.wanted() }
        coordinator.nodeId = services.brokerID.rawValue
        coordinator.host = advertised.host
        coordinator.port = Int32(advertised.port)
        return coordinator
    }
}
