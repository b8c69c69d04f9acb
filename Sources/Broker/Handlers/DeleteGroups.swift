import GroupCoordination
import KafkaWire

/// DeleteGroups (42), versions 0–2: deletes empty groups with their offsets; answered once the log holds that.
struct DeleteGroupsHandler: DeferredApiHandler {
    typealias Request = DeleteGroupsRequest
    static let versions: ClosedRange<Int16> = 0...2

    let coordinator: GroupCoordinator

    func answer(_ call: Call<DeleteGroupsRequest>) async -> DeleteGroupsResponse {
        var response = DeleteGroupsResponse()
        for group in call.request.groupsNames {
            var result = DeleteGroupsResponse.DeletableGroupResult()
            result.groupId = group
            result.errorCode = await withCheckedContinuation { continuation in
                coordinator.delete(group) { continuation.resume(returning: $0) }
            }
            response.results.append(result)
        }
        return response
    }
}
