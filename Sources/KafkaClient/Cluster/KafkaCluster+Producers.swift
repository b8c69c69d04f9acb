import Base
import KafkaConnection
import KafkaWire

/// A producer that a partition's leader remembers (KIP-664).
public struct ActiveProducer: Sendable, Equatable {
    public var id: ProducerID
    public var epoch: ProducerEpoch
    /// The last sequence number it appended; −1 where unknown.
    public var lastSequence: Int32
    public var lastTimestamp: Timestamp
}

extension KafkaCluster {
    /// A new producer id for an idempotent producer without transactions (KIP-98). One try; `isRetriable` tells whether another may help.
    public func initProducerID() async throws(ClientError) -> (id: ProducerID, epoch: ProducerEpoch) {
        var request = InitProducerIdRequest()
        request.transactionalId = nil
        request.transactionTimeoutMs = Int32.max
        let response = try await send(request, to: .any)
        if let error = ClientError(response.errorCode, "InitProducerId") { throw error }
        return (ProducerID(response.producerId), ProducerEpoch(response.producerEpoch))
    }

    /// The producers that the partition's leader remembers now. One try. Throws `.unsupportedVersion` before Kafka 2.8.
    public func activeProducers(of partition: TopicPartition) async throws(ClientError) -> [ActiveProducer] {
        var topic = DescribeProducersRequest.TopicRequest()
        topic.name = partition.topic
        topic.partitionIndexes = [partition.partition]
        var request = DescribeProducersRequest()
        request.topics = [topic]
        let response = try await send(request, to: .leader(partition))
        let answer = response.topics.first { $0.name == partition.topic }?.partitions
            .first { $0.partitionIndex == partition.partition }
        guard let answer else {
            throw ClientError(.protocolViolation, "DescribeProducers of \(partition) was answered without it")
        }
        if let error = ClientError(answer.errorCode, "DescribeProducers of \(partition)", detail: answer.errorMessage) {
            if answer.errorCode.isRetriable { doubt(topic: partition.topic) }
            throw error
        }
        return answer.activeProducers.map { producer in
            ActiveProducer(
                id: ProducerID(producer.producerId),
                epoch: ProducerEpoch(Int16(truncatingIfNeeded: producer.producerEpoch)),
                lastSequence: producer.lastSequence, lastTimestamp: Timestamp(milliseconds: producer.lastTimestamp))
        }
    }
}
