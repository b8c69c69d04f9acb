import Base
import GroupCoordination
import KafkaWire

/// OffsetDelete (47), version 0: forgets committed offsets of a group, except those of topics that its members read (KIP-496). Answered once the log
/// holds that.
struct OffsetDeleteHandler: DeferredApiHandler {
    typealias Request = OffsetDeleteRequest
    static let versions: ClosedRange<Int16> = 0...0

    let coordinator: GroupCoordinator

    func answer(_ call: Call<OffsetDeleteRequest>) async -> OffsetDeleteResponse {
        let partitions = call.request.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partitionIndex) }
        }
        let outcome = await withCheckedContinuation { continuation in
            coordinator.deleteOffsets(of: call.request.groupId, partitions) { continuation.resume(returning: $0) }
        }
        var response = OffsetDeleteResponse()
        switch outcome {
        case .failure(let refusal): response.errorCode = refusal.code
        case .success(let errors):
            response.topics = call.request.topics.map { topic in
                var answered = OffsetDeleteResponse.OffsetDeleteResponseTopic()
                answered.name = topic.name
                answered.partitions = topic.partitions.map { partition in
                    var answered = OffsetDeleteResponse.OffsetDeleteResponsePartition()
                    answered.partitionIndex = partition.partitionIndex
                    answered.errorCode =
                        errors[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] ?? .none
                    return answered
                }
                return answered
            }
        }
        return response
    }
}
