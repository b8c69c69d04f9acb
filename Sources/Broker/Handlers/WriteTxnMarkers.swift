import Base
import KafkaWire
import Synchronization

/// WriteTxnMarkers (27), version 1: ends a transaction in partitions, whatever its coordinator knows. For an administrator who aborts one that hangs
/// (`Admin.abortTransaction`); this broker's own coordinator writes its markers without it.
struct WriteTxnMarkersHandler: ApiHandler {
    typealias Request = WriteTxnMarkersRequest
    static let versions: ClosedRange<Int16> = 1...1

    let services: BrokerServices

    func handle(_ call: Call<WriteTxnMarkersRequest>) {
        var response = WriteTxnMarkersResponse()
        var work: [(marker: Int, topic: Int, partition: Int)] = []
        for (number, marker) in call.request.markers.enumerated() {
            var result = WriteTxnMarkersResponse.WritableTxnMarkerResult()
            result.producerId = marker.producerId
            for (place, topic) in marker.topics.enumerated() {
                var topicResult = WriteTxnMarkersResponse.WritableTxnMarkerTopicResult()
                topicResult.name = topic.name
                for (index, partition) in topic.partitionIndexes.enumerated() {
                    var entry = WriteTxnMarkersResponse.WritableTxnMarkerPartitionResult()
                    entry.partitionIndex = partition
                    topicResult.partitions.append(entry)
                    work.append((number, place, index))
                }
                result.topics.append(topicResult)
            }
            response.markers.append(result)
        }
        guard !work.isEmpty else { return call.answer(response) }
        let answer = MarkersAnswer(response, missing: work.count, call: call)
        for (number, place, index) in work {
            let marker = call.request.markers[number]
            let partition = TopicPartition(
                topic: marker.topics[place].name, partition: marker.topics[place].partitionIndexes[index])
            services.transactions.writeMarker(
                partition, producerID: ProducerID(marker.producerId), epoch: ProducerEpoch(marker.producerEpoch),
                commits: marker.transactionResult, coordinatorEpoch: marker.coordinatorEpoch
            ) { answer.take($0, number, place, index) }
        }
    }
}

private final class MarkersAnswer: Sendable {
    private let state: Mutex<(response: WriteTxnMarkersResponse, missing: Int)>
    private let call: Call<WriteTxnMarkersRequest>

    init(_ response: WriteTxnMarkersResponse, missing: Int, call: Call<WriteTxnMarkersRequest>) {
        state = Mutex((response, missing))
        self.call = call
    }

    func take(_ error: ErrorCode, _ marker: Int, _ topic: Int, _ partition: Int) {
        let finished = state.withLock { state -> WriteTxnMarkersResponse? in
            state.response.markers[marker].topics[topic].partitions[partition].errorCode = error
            state.missing -= 1
            return state.missing == 0 ? state.response : nil
        }
        if let finished { call.answer(finished) }
    }
}
