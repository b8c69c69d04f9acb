import Base
import KafkaConnection
import KafkaWire
import LogStorage

/// ListOffsets (2), versions 1–10: a partition's first offset (−2), its end (−1), the offset of its greatest timestamp (−3), or the first offset
/// whose record is not older than a time.
///
/// "End" is the high watermark, or the last stable offset for a reader of committed records. Nothing found is offset −1. The local log's start
/// (−4) is the first offset, for nothing is kept elsewhere, and the end of what is kept elsewhere (−5) is not known.
struct ListOffsetsHandler: ApiHandler {
    typealias Request = ListOffsetsRequest
    static let versions: ClosedRange<Int16> = 1...10

    let services: BrokerServices

    func handle(_ call: Call<ListOffsetsRequest>) {
        let readsDisk = call.request.topics.contains {
            $0.partitions.contains { $0.timestamp >= 0 || $0.timestamp == -3 }
        }
        guard readsDisk else { return call.answer(answer(call)) }
        if services.queryLane.submit({ call.answer(self.answer(call)) }) { return }
        call.answer(response(to: call) { _, _ in Found(error: .requestTimedOut) })
    }

    private struct Found {
        var error = ErrorCode.none
        var offset = Offset.none
        var timestamp = Timestamp.none
        var epoch = LeaderEpoch.none
    }

    private func answer(_ call: Call<ListOffsetsRequest>) -> ListOffsetsResponse {
        response(to: call) { name, asked in find(name, asked, isolation: call.request.isolationLevel) }
    }

    private func response(
        to call: Call<ListOffsetsRequest>, find: (String, ListOffsetsRequest.ListOffsetsPartition) -> Found
    ) -> ListOffsetsResponse {
        var response = ListOffsetsResponse()
        response.topics = call.request.topics.map { topic in
            var answered = ListOffsetsResponse.ListOffsetsTopicResponse()
            answered.name = topic.name
            answered.partitions = topic.partitions.map { asked in
                let found = find(topic.name, asked)
                var answered = ListOffsetsResponse.ListOffsetsPartitionResponse()
                answered.partitionIndex = asked.partitionIndex
                answered.errorCode = found.error
                answered.offset = found.offset.rawValue
                answered.timestamp = found.timestamp.milliseconds
                if call.version >= 4 { answered.leaderEpoch = found.epoch.rawValue }
                return answered
            }
            return answered
        }
        return response
    }

    private func find(_ name: String, _ asked: ListOffsetsRequest.ListOffsetsPartition, isolation: Int8) -> Found {
        let partition: Partition
        switch services.partition(name, asked.partitionIndex) {
        case .success(let found): partition = found
        case .failure(let error): return Found(error: error.code)
        }
        let epochError = partition.check(currentLeaderEpoch: asked.currentLeaderEpoch)
        guard !epochError.isError else { return Found(error: epochError) }
        let log = partition.log
        let limit: ReadLimit = isolation == 1 ? .lastStableOffset : .highWatermark
        let end = isolation == 1 ? log.lastStableOffset : log.highWatermark
        do throws(ReadError) {
            switch asked.timestamp {
            case -1: return Found(offset: end, epoch: partition.leaderEpoch)
            case -2, -4:
                let found = try log.offset(for: .earliest)
                return Found(offset: found?.offset ?? log.logStartOffset, epoch: found?.epoch ?? .none)
            case -3: return visible(try log.offset(for: .maxTimestamp, upTo: limit), before: end)
            case -5: return Found()
            case 0...:
                let time = Timestamp(milliseconds: asked.timestamp)
                return visible(try log.offset(for: .timestamp(time), upTo: limit), before: end)
            default: return Found(error: .invalidRequest)
            }
        } catch { return Found(error: ErrorCode(error.code)) }
    }

    private func visible(_ found: FoundOffset?, before end: Offset) -> Found {
        guard let found, found.offset < end else { return Found() }
        return Found(offset: found.offset, timestamp: found.timestamp, epoch: found.epoch ?? .none)
    }
}
