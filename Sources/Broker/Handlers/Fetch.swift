import Base
import KafkaConnection
import KafkaWire

/// Fetch (1), versions 4–18: record batches from an offset on, as they stand in the log.
///
/// - Answers once `min_bytes` can be read, an error is found, or `max_wait_ms` is over, whichever comes first.
/// - Gives at most `max_bytes`, except that the first batch is given whole, and never beyond the high watermark (or, read committed,
///   the last stable offset).
/// - From v13 on topics go by id.
/// - Fetch sessions (KIP-227): a client that opens one names only what changes, and is told only of partitions with news. Their number is limited; beyond
///   it answers are full, under session id 0.
struct FetchHandler: ApiHandler {
    typealias Request = FetchRequest
    static let versions: ClosedRange<Int16> = 4...18

    let services: BrokerServices

    func handle(_ call: Call<FetchRequest>) {
        switch services.fetchSessions.requested(call.request, version: call.version) {
        case .refused(let error):
            var response = FetchResponse()
            response.errorCode = error
            call.answer(response)
        case .plan(let plan):
            let targets = plan.asked.map { target($0, byID: call.version >= 13) }
            PendingFetch(call, plan: plan, targets: targets, services: services).start()
        }
    }

    private func target(_ asked: AskedPartition, byID: Bool) -> PendingFetch.Target {
        let found = byID ? services.topics.topic(id: asked.topicID) : services.topics.topic(named: asked.topic)
        guard let topic = found else {
            let error = byID ? ErrorCode.unknownTopicId : .unknownTopicOrPartition
            return PendingFetch.Target(asked: asked, partition: nil, error: error)
        }
        let index = Int(asked.request.partition)
        guard topic.partitions.indices.contains(index) else {
            return PendingFetch.Target(asked: asked, partition: nil, error: .unknownTopicOrPartition)
        }
        return PendingFetch.Target(asked: asked, partition: topic.partitions[index], error: .kafkaStorageError)
    }
}
