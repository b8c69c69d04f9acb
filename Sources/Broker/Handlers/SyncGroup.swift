import GroupCoordination
import KafkaWire
import NIOCore

/// SyncGroup (14), versions 0–5: the leader hands in the assignment, every member waits for its own.
///
/// Answered once the assignment stands in `__consumer_offsets`.
struct SyncGroupHandler: ApiHandler {
    typealias Request = SyncGroupRequest
    static let versions: ClosedRange<Int16> = 0...5

    let coordinator: GroupCoordinator

    func handle(_ call: Call<SyncGroupRequest>) {
        let request = call.request
        var assignments: [String: ByteBuffer] = [:]
        for entry in request.assignments { assignments[entry.memberId] = entry.assignment }
        let sync = SyncRequest(
            memberID: request.memberId, instanceID: request.groupInstanceId, generation: request.generationId,
            protocolType: request.protocolType, protocolName: request.protocolName, assignments: assignments)
        coordinator.sync(request.groupId, sync) { answer in
            var response = SyncGroupResponse()
            response.errorCode = answer.error
            response.protocolType = answer.protocolType
            response.protocolName = answer.protocolName
            response.assignment = answer.assignment
            call.answer(response)
        }
    }
}
