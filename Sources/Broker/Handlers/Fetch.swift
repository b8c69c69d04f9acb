import Base
import KafkaConnection
import KafkaWire

/// Fetch (1), versions 4–18: record batches from an offset on, as they stand in the log.
///
/// - Answers once `min_bytes` can be read, an error is found, or `max_wait_ms` is over, whichever comes first.
/// - Gives at most `max_bytes`, except that the first batch is given whole, and never beyond the high watermark (or, read committed,
///   the last stable offset).
/// - From v13 on topics go by id.
/// - No fetch sessions (KIP-227): every answer is full, under session id 0, which asks the client to go on so.
struct FetchHandler: ApiHandler {
    typealias Request = FetchRequest
    static let versions: ClosedRange<Int16> = 4...18

    let services: BrokerServices

    func handle(_ call: Call<FetchRequest>) {
        let request = call.request
        guard request.sessionId == 0 else {
            // A session of an earlier life of this broker's, or another's.
            var response = FetchResponse()
            response.errorCode = .fetchSessionIdNotFound
            return call.answer(response)
        }
        var targets: [PendingFetch.Target] = []
        for (topicIndex, fetchTopic) in request.topics.enumerated() {
            let byID = call.version >= 13
            let topic =
                byID ? services.topics.topic(id: fetchTopic.topicId) : services.topics.topic(named: fetchTopic.topic)
            for (partitionIndex, fetchPartition) in fetchTopic.partitions.enumerated() {
                let place = FetchPlace(topic: topicIndex, partition: partitionIndex)
                var error = byID ? ErrorCode.unknownTopicId : .unknownTopicOrPartition
                var partition: Partition?
                if let topic {
                    let isKnown = topic.partitions.indices.contains(Int(fetchPartition.partition))
                    partition = isKnown ? topic.partitions[Int(fetchPartition.partition)] : nil
                    error = isKnown ? .kafkaStorageError : .unknownTopicOrPartition
                }
                targets.append(
                    PendingFetch.Target(place: place, partition: partition, error: error, request: fetchPartition))
            }
        }
        PendingFetch(call, targets: targets, services: services).start()
    }
}
