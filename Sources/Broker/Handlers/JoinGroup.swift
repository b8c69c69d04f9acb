import Base
import GroupCoordination
import KafkaWire

/// JoinGroup (11), versions 0–9: takes part in the group's next generation.
///
/// - Answered when the rebalance ends: every member has joined again, or the rebalance timeout is over.
/// - From v4 on a member without an id gets one first (MEMBER_ID_REQUIRED, KIP-394), unless it is static (KIP-345, v5).
struct JoinGroupHandler: ApiHandler {
    typealias Request = JoinGroupRequest
    static let versions: ClosedRange<Int16> = 0...9

    let coordinator: GroupCoordinator

    func handle(_ call: Call<JoinGroupRequest>) {
        let request = call.request
        let sessionTimeout = Duration.milliseconds(Int64(request.sessionTimeoutMs))
        let join = JoinRequest(
            memberID: request.memberId, instanceID: request.groupInstanceId, clientID: call.received.clientID,
            clientHost: "/" + call.received.connection.remoteAddress, protocolType: request.protocolType,
            protocols: request.protocols.map { GroupMember.Assignor(name: $0.name, metadata: $0.metadata) },
            sessionTimeout: sessionTimeout,
            rebalanceTimeout: request.rebalanceTimeoutMs > 0
                ? .milliseconds(Int64(request.rebalanceTimeoutMs)) : sessionTimeout,
            requiresKnownMemberID: call.version >= 4,
            newMemberID: "\(request.groupInstanceId ?? call.received.clientID)-\(KafkaUUID.random())")
        coordinator.join(request.groupId, join) { answer in
            var response = JoinGroupResponse()
            response.errorCode = answer.error
            response.memberId = answer.memberID
            response.generationId = answer.generation
            response.protocolType = answer.protocolType
            response.protocolName = answer.protocolName ?? (call.version >= 7 ? nil : "")
            response.leader = answer.leader
            if call.version >= 9 { response.skipAssignment = answer.skipAssignment }
            response.members = answer.members.map { member in
                var entry = JoinGroupResponse.JoinGroupResponseMember()
                entry.memberId = member.id
                entry.groupInstanceId = member.instanceID
                entry.metadata = member.metadata
                return entry
            }
            call.answer(response)
        }
    }
}
