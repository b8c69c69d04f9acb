import Base
import GroupCoordination
import KafkaWire

/// OffsetFetch (9), versions 1–9: what a group has committed; offset −1 where it has not.
///
/// From v2 on no list of topics means all; from v8 on several groups at once. With `require_stable` (v7) a partition of which an open transaction holds
/// an offset is UNSTABLE_OFFSET_COMMIT: to be asked again. From v9 on members of a consumer group are fenced by their epoch.
struct OffsetFetchHandler: ImmediateApiHandler {
    typealias Request = OffsetFetchRequest
    static let versions: ClosedRange<Int16> = 1...9

    let coordinator: GroupCoordinator

    func answer(_ call: Call<OffsetFetchRequest>) -> OffsetFetchResponse {
        let request = call.request
        var response = OffsetFetchResponse()
        if call.version >= 8 {
            response.groups = request.groups.map { group in
                var entry = OffsetFetchResponse.OffsetFetchResponseGroup()
                entry.groupId = group.groupId
                let wanted = group.topics.map { $0.map { ($0.name, $0.partitionIndexes) } }
                let (error, topics) = offsets(
                    of: group.groupId, memberID: group.memberId ?? "", epoch: group.memberEpoch, wanted: wanted)
                let unstable = request.requireStable ? coordinator.unstablePartitions(of: group.groupId) : []
                entry.errorCode = error
                entry.topics = topics.map { topic, partitions in
                    var found = OffsetFetchResponse.OffsetFetchResponseTopics()
                    found.name = topic
                    found.partitions = partitions.map { partition, committed in
                        var place = OffsetFetchResponse.OffsetFetchResponsePartitions()
                        place.partitionIndex = partition
                        if unstable.contains(TopicPartition(topic: topic, partition: partition)) {
                            place.committedOffset = -1
                            place.errorCode = .unstableOffsetCommit
                            return place
                        }
                        place.committedOffset = committed?.offset.rawValue ?? -1
                        place.committedLeaderEpoch = committed?.leaderEpoch.rawValue ?? -1
                        place.metadata = committed?.metadata ?? ""
                        return place
                    }
                    return found
                }
                return entry
            }
            return response
        }
        let wanted = request.topics.map { $0.map { ($0.name, $0.partitionIndexes) } }
        let (error, topics) = offsets(of: request.groupId, wanted: wanted)
        let unstable = request.requireStable ? coordinator.unstablePartitions(of: request.groupId) : []
        if call.version >= 2 { response.errorCode = error }
        response.topics = topics.map { topic, partitions in
            var found = OffsetFetchResponse.OffsetFetchResponseTopic()
            found.name = topic
            found.partitions = partitions.map { partition, committed in
                var place = OffsetFetchResponse.OffsetFetchResponsePartition()
                place.partitionIndex = partition
                if unstable.contains(TopicPartition(topic: topic, partition: partition)) {
                    place.committedOffset = -1
                    place.errorCode = .unstableOffsetCommit
                    return place
                }
                place.committedOffset = committed?.offset.rawValue ?? -1
                if call.version >= 5 { place.committedLeaderEpoch = committed?.leaderEpoch.rawValue ?? -1 }
                place.metadata = committed?.metadata ?? ""
                place.errorCode = error
                return place
            }
            return found
        }
        return response
    }

    private typealias Found = [(topic: String, partitions: [(Int32, CommittedOffset?)])]

    private func offsets(
        of group: String, memberID: String = "", epoch: Int32 = -1, wanted: [(String, [Int32])]?
    ) -> (ErrorCode, Found) {
        let (error, committed) = coordinator.offsets(of: group, memberID: memberID, epoch: epoch)
        if let wanted {
            return (
                error,
                wanted.map { topic, partitions in
                    (topic, partitions.map { ($0, committed[TopicPartition(topic: topic, partition: $0)]) })
                }
            )
        }
        let byTopic = Dictionary(grouping: committed, by: \.key.topic)
        return (
            error,
            byTopic.sorted { $0.key < $1.key }.map { topic, offsets in
                (topic, offsets.map { ($0.key.partition, $0.value) }.sorted { $0.0 < $1.0 })
            }
        )
    }
}
