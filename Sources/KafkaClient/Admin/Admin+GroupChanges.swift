import Base
import KafkaConnection
import KafkaWire

extension Admin {
    /// Commits offsets for a group that has no members, as an operator who sets it back or ahead does.
    ///
    /// - Throws: `UNKNOWN_MEMBER_ID` where the group has members: their own commits would undo it. Partitions before the refused one may be committed.
    public func commitOffsets(
        group name: String, _ offsets: [TopicPartition: CommittedOffset]
    ) async throws(ClientError) {
        var request = OffsetCommitRequest()
        request.groupId = name
        // No generation and no member: a "simple" commit, which a coordinator takes for an empty group alone.
        request.generationIdOrMemberEpoch = -1
        for (topic, entries) in Dictionary(grouping: offsets, by: \.key.topic).sorted(by: { $0.key < $1.key }) {
            var wire = OffsetCommitRequest.OffsetCommitRequestTopic()
            wire.name = topic
            wire.partitions = entries.sorted { $0.key < $1.key }.map { entry in
                var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
                partition.partitionIndex = entry.key.partition
                partition.committedOffset = entry.value.offset.rawValue
                partition.committedLeaderEpoch = entry.value.leaderEpoch.rawValue
                partition.committedMetadata = entry.value.metadata ?? ""
                return partition
            }
            request.topics.append(wire)
        }
        let asked = request
        try await cluster.retrying { () async throws(ClientError) in
            let response = try await cluster.send(asked, to: .coordinator(group: name))
            for topic in response.topics {
                for partition in topic.partitions {
                    let what = "committing group \(name)'s offset of \(topic.name)-\(partition.partitionIndex)"
                    guard let error = ClientError(partition.errorCode, what) else { continue }
                    if partition.errorCode == .notCoordinator || partition.errorCode == .coordinatorNotAvailable {
                        cluster.doubtCoordinator(of: name)
                    }
                    throw error
                }
            }
        }
    }

    /// Deletes groups with their committed offsets. Throws at the first that the broker refuses (`NON_EMPTY_GROUP`…).
    public func deleteGroups(_ names: [String]) async throws(ClientError) {
        for name in names {
            try await cluster.retrying { () async throws(ClientError) in
                var request = DeleteGroupsRequest()
                request.groupsNames = [name]
                let response = try await cluster.send(request, to: .coordinator(group: name))
                for result in response.results {
                    guard let error = ClientError(result.errorCode, "deleting group \(name)") else { continue }
                    if result.errorCode == .notCoordinator || result.errorCode == .coordinatorNotAvailable {
                        cluster.doubtCoordinator(of: name)
                    }
                    throw error
                }
            }
        }
    }
}
