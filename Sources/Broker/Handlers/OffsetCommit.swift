import Base
import GroupCoordination
import KafkaWire

/// OffsetCommit (8), versions 2–9: remembers how far a group has read.
///
/// - Fenced by generation: only members of the generation that stands may commit, or anybody while the group is empty. Members of a consumer group
///   are fenced by their own epoch (STALE_MEMBER_EPOCH), and need v9.
/// - All offsets of a request are written in one batch, answered once the log holds it.
/// - Metadata is limited to 4,096 bytes a partition (`offset.metadata.max.bytes`).
struct OffsetCommitHandler: ApiHandler {
    typealias Request = OffsetCommitRequest
    static let versions: ClosedRange<Int16> = 2...9
    static let metadataBytesMax = 4096

    let coordinator: GroupCoordinator
    let services: BrokerServices

    func handle(_ call: Call<OffsetCommitRequest>) {
        let request = call.request
        let refusal = coordinator.mayCommit(
            request.groupId, memberID: request.memberId, instanceID: request.groupInstanceId,
            generation: request.generationIdOrMemberEpoch, version: call.version)
        var offsets: [(TopicPartition, CommittedOffset)] = []
        var response = OffsetCommitResponse()
        let now = services.time.wallTime
        for topic in request.topics {
            var entry = OffsetCommitResponse.OffsetCommitResponseTopic()
            entry.name = topic.name
            for partition in topic.partitions {
                var result = OffsetCommitResponse.OffsetCommitResponsePartition()
                result.partitionIndex = partition.partitionIndex
                if refusal != .none {
                    result.errorCode = refusal
                } else if services.topics.topic(named: topic.name)?.partitions.indices.contains(
                    Int(partition.partitionIndex)) != true
                {
                    result.errorCode = .unknownTopicOrPartition
                } else if (partition.committedMetadata ?? "").utf8.count > Self.metadataBytesMax {
                    result.errorCode = .offsetMetadataTooLarge
                } else {
                    let committed = CommittedOffset(
                        offset: Offset(partition.committedOffset),
                        leaderEpoch: LeaderEpoch(partition.committedLeaderEpoch),
                        metadata: partition.committedMetadata ?? "", committedAt: now)
                    offsets.append((TopicPartition(topic: topic.name, partition: partition.partitionIndex), committed))
                }
                entry.partitions.append(result)
            }
            response.topics.append(entry)
        }
        let prepared = response
        coordinator.commit(request.groupId, offsets) { error in
            var response = prepared
            if error != .none {
                for topic in response.topics.indices {
                    for partition in response.topics[topic].partitions.indices
                    where response.topics[topic].partitions[partition].errorCode == .none {
                        response.topics[topic].partitions[partition].errorCode = error
                    }
                }
            }
            call.answer(response)
        }
    }
}
