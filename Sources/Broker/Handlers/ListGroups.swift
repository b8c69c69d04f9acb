import GroupCoordination
import KafkaWire

/// ListGroups (16), versions 0–5: every group this broker coordinates; by state from v4 on, by type from v5 on.
struct ListGroupsHandler: ImmediateApiHandler {
    typealias Request = ListGroupsRequest
    static let versions: ClosedRange<Int16> = 0...5

    let coordinator: GroupCoordinator

    func answer(_ call: Call<ListGroupsRequest>) -> ListGroupsResponse {
        var response = ListGroupsResponse()
        let states = Set(call.request.statesFilter.map { $0.lowercased() })
        let types = Set(call.request.typesFilter.map { $0.lowercased() })
        response.groups = coordinator.list().sorted { $0.id < $1.id }.compactMap { group in
            guard types.isEmpty || types.contains(group.type) else { return nil }
            guard states.isEmpty || states.contains(group.state.lowercased()) else { return nil }
            var entry = ListGroupsResponse.ListedGroup()
            entry.groupId = group.id
            entry.protocolType = group.protocolType
            if call.version >= 4 { entry.groupState = group.state }
            if call.version >= 5 { entry.groupType = group.type }
            return entry
        }
        return response
    }
}
