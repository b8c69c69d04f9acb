import GroupCoordination
import KafkaWire

/// DescribeGroups (15), versions 0–6: a group's state, assignor and members. A group that is not there, or is one of
/// the consumer protocol, is "Dead" (from v6 on GROUP_ID_NOT_FOUND).
struct DescribeGroupsHandler: ImmediateApiHandler {
    typealias Request = DescribeGroupsRequest
    static let versions: ClosedRange<Int16> = 0...6

    let coordinator: GroupCoordinator

    func answer(_ call: Call<DescribeGroupsRequest>) -> DescribeGroupsResponse {
        var response = DescribeGroupsResponse()
        response.groups = call.request.groups.map { id in
            var entry = DescribeGroupsResponse.DescribedGroup()
            entry.groupId = id
            let (error, group) = coordinator.describe(id)
            entry.errorCode = error
            guard error == .none else { return entry }
            guard let group else {
                entry.groupState = "Dead"
                if call.version >= 6 {
                    entry.errorCode = .groupIdNotFound
                    entry.errorMessage = "there is no group '\(id)'"
                }
                return entry
            }
            entry.groupState = group.state.name
            entry.protocolType = group.protocolType ?? ""
            let isStable = group.state == .stable
            entry.protocolData = isStable ? group.protocolName ?? "" : ""
            entry.members = group.members.map { member in
                var described = DescribeGroupsResponse.DescribedGroupMember()
                described.memberId = member.id
                if call.version >= 4 { described.groupInstanceId = member.instanceID }
                described.clientId = member.clientID
                described.clientHost = member.clientHost
                if isStable {
                    described.memberMetadata =
                        member.protocols.first { $0.name == group.protocolName }?.metadata ?? described.memberMetadata
                    described.memberAssignment = member.assignment
                }
                return described
            }
            return entry
        }
        return response
    }
}
