import Base
import KafkaConnection
import KafkaWire
import LogStorage

/// DeleteRecords (21), versions 0–2: moves a partition's start forward to an offset; −1 is its high watermark. Answers where it starts now.
struct DeleteRecordsHandler: ApiHandler {
    typealias Request = DeleteRecordsRequest
    static let versions: ClosedRange<Int16> = 0...2

    let services: BrokerServices

    func handle(_ call: Call<DeleteRecordsRequest>) {
        if services.queryLane.submit({ call.answer(self.answer(call) { self.delete($0, before: $1) }) }) { return }
        call.answer(answer(call) { _, _ in .failure(TopicError(.requestTimedOut, "the disk does not keep up")) })
    }

    private func answer(
        _ call: Call<DeleteRecordsRequest>, delete: (Partition, Int64) -> Result<Offset, TopicError>
    ) -> DeleteRecordsResponse {
        var response = DeleteRecordsResponse()
        response.topics = call.request.topics.map { topic in
            var answered = DeleteRecordsResponse.DeleteRecordsTopicResult()
            answered.name = topic.name
            answered.partitions = topic.partitions.map { asked in
                var answered = DeleteRecordsResponse.DeleteRecordsPartitionResult()
                answered.partitionIndex = asked.partitionIndex
                answered.lowWatermark = -1
                switch services.partition(topic.name, asked.partitionIndex).flatMap({ delete($0, asked.offset) }) {
                case .success(let start): answered.lowWatermark = start.rawValue
                case .failure(let error): answered.errorCode = error.code
                }
                return answered
            }
            return answered
        }
        return response
    }

    private func delete(_ partition: Partition, before offset: Int64) -> Result<Offset, TopicError> {
        let log = partition.log
        guard !TopicName.isInternal(partition.id.topic) else {
            return .failure(TopicError(.invalidTopicException, "\(partition.id.topic) is the broker's own"))
        }
        guard log.config.deletes else {
            return .failure(TopicError(.policyViolation, "cleanup.policy of \(partition.id.topic) does not delete"))
        }
        let target = offset == -1 ? log.highWatermark : Offset(offset)
        guard target >= .zero, target <= log.highWatermark else {
            return .failure(TopicError(.offsetOutOfRange, "the high watermark is \(log.highWatermark)"))
        }
        do throws(LogError) {
            return .success(try log.deleteRecords(before: target))
        } catch { return .failure(TopicError(ErrorCode(error.code), error.message)) }
    }
}
