import KafkaWire

/// LeaveGroup (13), versions 0–5: takes members out at once, so that the others need not wait for their sessions to end.
///
/// Up to v2 one member; from v3 on several, each with its own error, static ones by instance id.
struct LeaveGroupHandler: ImmediateApiHandler {
    typealias Request = LeaveGroupRequest
    static let versions: ClosedRange<Int16> = 0...5

    let coordinator: GroupCoordinator

    func answer(_ call: Call<LeaveGroupRequest>) -> LeaveGroupResponse {
        let request = call.request
        var response = LeaveGroupResponse()
        if call.version < 3 {
            let (error, errors) = coordinator.leave(request.groupId, members: [(request.memberId, nil)])
            response.errorCode = error == .none ? errors.first ?? .none : error
            return response
        }
        let (error, errors) = coordinator.leave(
            request.groupId, members: request.members.map { ($0.memberId, $0.groupInstanceId) })
        response.errorCode = error
        response.members = zip(request.members, errors).map { member, error in
            var entry = LeaveGroupResponse.MemberResponse()
            entry.memberId = member.memberId
            entry.groupInstanceId = member.groupInstanceId
            entry.errorCode = error
            return entry
        }
        return response
    }
}
