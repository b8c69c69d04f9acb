import Base
import KafkaConnection
import KafkaWire

/// OffsetForLeaderEpoch (23), versions 2–4: where the records of an epoch end, so that a reader finds out whether what it read was taken
/// back (KIP-101, KIP-320). An epoch that the log does not know is answered with the one before it.
struct OffsetForLeaderEpochHandler: ImmediateApiHandler {
    typealias Request = OffsetForLeaderEpochRequest
    static let versions: ClosedRange<Int16> = 2...4

    let services: BrokerServices

    func answer(_ call: Call<OffsetForLeaderEpochRequest>) -> OffsetForLeaderEpochResponse {
        var response = OffsetForLeaderEpochResponse()
        response.topics = call.request.topics.map { topic in
            var answered = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult()
            answered.topic = topic.topic
            answered.partitions = topic.partitions.map { answer(topic.topic, $0) }
            return answered
        }
        return response
    }

    private func answer(
        _ topic: String, _ asked: OffsetForLeaderEpochRequest.OffsetForLeaderPartition
    ) -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var answered = OffsetForLeaderEpochResponse.EpochEndOffset()
        answered.partition = asked.partition
        switch services.partition(topic, asked.partition) {
        case .failure(let error): answered.errorCode = error.code
        case .success(let partition):
            answered.errorCode = partition.check(currentLeaderEpoch: asked.currentLeaderEpoch)
            guard !answered.errorCode.isError else { return answered }
            guard let (epoch, end) = partition.log.endOffset(for: LeaderEpoch(asked.leaderEpoch)) else {
                return answered
            }
            answered.leaderEpoch = epoch.rawValue
            answered.endOffset = end.rawValue
        }
        return answered
    }
}
