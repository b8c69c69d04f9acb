import KafkaConnection
import KafkaWire

/// DescribeTopicPartitions (75), version 0: topics and their partitions in pages (KIP-966).
///
/// Topics come by name; no names asks for all. At most `response_partition_limit` partitions (2,000 of them here) are given, and a cursor
/// says where the next page begins.
struct DescribeTopicPartitionsHandler: ImmediateApiHandler {
    typealias Request = DescribeTopicPartitionsRequest
    static let versions: ClosedRange<Int16> = 0...0

    private static let partitionsMax = 2000

    let services: BrokerServices

    func answer(_ call: Call<DescribeTopicPartitionsRequest>) -> DescribeTopicPartitionsResponse {
        var response = DescribeTopicPartitionsResponse()
        var remaining = min(max(1, Int(call.request.responsePartitionLimit)), Self.partitionsMax)
        let asked = call.request.topics.map(\.name)
        let names = Set(asked.isEmpty ? services.topics.topics.map(\.name) : asked).sorted()
        let cursor = call.request.cursor
        for name in names where cursor == nil || name >= cursor!.topicName {
            var described = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic()
            described.name = name
            guard let topic = services.topics.topic(named: name) else {
                described.errorCode =
                    TopicName.fault(in: name) == nil ? .unknownTopicOrPartition : .invalidTopicException
                response.topics.append(described)
                continue
            }
            let first = cursor?.topicName == name ? max(0, Int(cursor!.partitionIndex)) : 0
            guard remaining > 0 else {
                response.nextCursor = Self.cursor(name, 0)
                break
            }
            described.topicId = topic.id
            described.isInternal = topic.isInternal
            described.topicAuthorizedOperations = AuthorizedOperations.topic
            let page = topic.partitions.enumerated().dropFirst(first).prefix(remaining)
            described.partitions = page.map { describe($0.offset, $0.element) }
            remaining -= page.count
            response.topics.append(described)
            if first + page.count < topic.partitions.count {
                response.nextCursor = Self.cursor(name, first + page.count)
                break
            }
        }
        return response
    }

    private static func cursor(_ topic: String, _ partition: Int) -> DescribeTopicPartitionsResponse.Cursor {
        var cursor = DescribeTopicPartitionsResponse.Cursor()
        cursor.topicName = topic
        cursor.partitionIndex = Int32(partition)
        return cursor
    }

    private func describe(
        _ index: Int, _ partition: Partition?
    ) -> DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition {
        var described = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition()
        let me = services.brokerID.rawValue
        described.partitionIndex = Int32(index)
        described.errorCode = partition == nil ? .leaderNotAvailable : .none
        described.leaderId = partition == nil ? -1 : me
        described.leaderEpoch = services.leaderEpoch.rawValue
        described.replicaNodes = [me]
        described.isrNodes = partition == nil ? [] : [me]
        described.offlineReplicas = partition == nil ? [me] : []
        // Nullable by the schema, yet Kafka never leaves them null, and its Java client fails where they are.
        described.eligibleLeaderReplicas = []
        described.lastKnownElr = []
        return described
    }
}
