public import Base
import KafkaConnection
import KafkaWire

extension KafkaCluster {
    /// Where the records of a leader epoch end in a partition (KIP-320): what was read beyond that under this epoch is no longer there. Tried
    /// again like `offsets`.
    ///
    /// - Returns: nil where the broker doesn't know (the epoch is older than its log), or can't be asked.
    public func endOffset(
        of epoch: LeaderEpoch, in partition: TopicPartition
    ) async throws(ClientError) -> Offset? {
        try await retrying { [self] () async throws(ClientError) in
            do throws(ClientError) { return try await askForEnd(of: epoch, in: partition) } catch {
                if error.code == .unsupportedVersion { return nil }
                throw error
            }
        }
    }

    private func askForEnd(of epoch: LeaderEpoch, in partition: TopicPartition) async throws(ClientError) -> Offset? {
        var asked = OffsetForLeaderEpochRequest.OffsetForLeaderPartition()
        asked.partition = partition.partition
        asked.currentLeaderEpoch = -1
        asked.leaderEpoch = epoch.rawValue
        var topic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic()
        topic.topic = partition.topic
        topic.partitions = [asked]
        var request = OffsetForLeaderEpochRequest()
        request.replicaId = -1
        request.topics = [topic]
        let response = try await send(request, to: .leader(partition))
        guard let answer = response.topics.first?.partitions.first else {
            throw ClientError(.protocolViolation, "OffsetForLeaderEpoch of \(partition) was answered without it")
        }
        if let error = ClientError(answer.errorCode, "OffsetForLeaderEpoch of \(partition)") {
            if error.isRetriable { doubt(topic: partition.topic) }
            throw error
        }
        return answer.endOffset < 0 ? nil : Offset(answer.endOffset)
    }
}
