import KafkaWire

/// Heartbeat (12), versions 0–4: keeps a member's session alive; REBALANCE_IN_PROGRESS asks it to join again.
struct HeartbeatHandler: ImmediateApiHandler {
    typealias Request = HeartbeatRequest
    static let versions: ClosedRange<Int16> = 0...4

    let coordinator: GroupCoordinator

    func answer(_ call: Call<HeartbeatRequest>) -> HeartbeatResponse {
        var response = HeartbeatResponse()
        response.errorCode = coordinator.heartbeat(
            call.request.groupId, memberID: call.request.memberId, instanceID: call.request.groupInstanceId,
            generation: call.request.generationId)
        return response
    }
}
