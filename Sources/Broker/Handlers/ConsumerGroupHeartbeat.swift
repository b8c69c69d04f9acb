import Base
import GroupCoordination
import KafkaWire

/// ConsumerGroupHeartbeat (68), versions 0–1: all that a member of a consumer group says and is told (KIP-848).
///
/// - Joins with epoch 0, leaves with −1, or −2 as a static member that will be back; else keeps its session alive, says what it owns, and is told what it may own.
/// - From v1 on the member makes its own id, and may subscribe by a regular expression.
/// - Answered once the log holds what the answer tells.
struct ConsumerGroupHeartbeatHandler: ApiHandler {
    typealias Request = ConsumerGroupHeartbeatRequest
    static let versions: ClosedRange<Int16> = 0...1

    let coordinator: GroupCoordinator

    func handle(_ call: Call<ConsumerGroupHeartbeatRequest>) {
        let request = call.request
        let heartbeat = ConsumerHeartbeat(
            memberID: request.memberId, epoch: request.memberEpoch, instanceID: request.instanceId,
            rackID: request.rackId, clientID: call.received.clientID,
            clientHost: "/" + call.received.connection.remoteAddress,
            rebalanceTimeout: request.rebalanceTimeoutMs == -1
                ? nil : .milliseconds(Int64(request.rebalanceTimeoutMs)),
            topicNames: request.subscribedTopicNames, topicPattern: request.subscribedTopicRegex,
            assignor: request.serverAssignor,
            owned: request.topicPartitions.map { topics in
                MemberAssignment(topics.map { (topic: $0.topicId, partitions: $0.partitions) })
            },
            newMemberID: call.version == 0 ? "\(KafkaUUID.random())" : "")
        let interval = Int32(clamping: coordinator.settings.consumerHeartbeatInterval.milliseconds)
        coordinator.consumerHeartbeat(request.groupId, heartbeat) { outcome in
            var response = ConsumerGroupHeartbeatResponse()
            switch outcome {
            case .success(let answer):
                response.memberId = answer.memberID
                response.memberEpoch = answer.epoch
                response.heartbeatIntervalMs = interval
                response.assignment = answer.assignment.map { assignment in
                    var told = ConsumerGroupHeartbeatResponse.Assignment()
                    told.topicPartitions = assignment.sorted.map { .init(topicId: $0.topic, partitions: $0.partitions) }
                    return told
                }
            case .failure(let refusal):
                response.errorCode = refusal.code
                response.errorMessage = refusal.message
            }
            call.answer(response)
        }
    }
}
