import Base
import KafkaConnection
import KafkaWire

/// DescribeProducers (61), version 0: the idempotent producers that a partition remembers, each with the last sequence it wrote.
///
/// An agent that came back from a crash asks this before it sends again what may have arrived (design, step 5).
struct DescribeProducersHandler: ImmediateApiHandler {
    typealias Request = DescribeProducersRequest
    static let versions: ClosedRange<Int16> = 0...0

    let services: BrokerServices

    func answer(_ call: Call<DescribeProducersRequest>) -> DescribeProducersResponse {
        var response = DescribeProducersResponse()
        response.topics = call.request.topics.map { topic in
            var answered = DescribeProducersResponse.TopicResponse()
            answered.name = topic.name
            answered.partitions = topic.partitionIndexes.map { describe(topic.name, $0) }
            return answered
        }
        return response
    }

    private func describe(_ topic: String, _ index: Int32) -> DescribeProducersResponse.PartitionResponse {
        var answered = DescribeProducersResponse.PartitionResponse()
        answered.partitionIndex = index
        switch services.partition(topic, index) {
        case .failure(let error):
            answered.errorCode = error.code
            answered.errorMessage = error.message
        case .success(let partition):
            answered.activeProducers = partition.log.producers().map { producer in
                var state = DescribeProducersResponse.ProducerState()
                state.producerId = producer.producerID.rawValue
                state.producerEpoch = Int32(producer.epoch.rawValue)
                state.lastSequence = producer.lastSequence
                state.lastTimestamp = producer.lastTimestamp.milliseconds
                state.coordinatorEpoch = producer.coordinatorEpoch
                state.currentTxnStartOffset = producer.transactionStart?.rawValue ?? -1
                return state
            }
        }
        return answered
    }
}
