import Base
import KafkaClient
import KafkaWire
import NIOCore

/// What a broker is asked: the few requests that the producer and the export need, without their wire form.
enum BrokerRequest: CustomStringConvertible {
    case produce(TopicPartition, ByteBuffer)
    case listOffsets(TopicPartition)
    case describeProducers(TopicPartition, ProducerID)
    /// With the epoch of the record before the offset, where it is known (KIP-320).
    case fetch(TopicPartition, from: Offset, lastEpoch: LeaderEpoch, bytesMax: ByteCount)
    /// Where the records of an epoch end.
    case epochEnd(TopicPartition, LeaderEpoch)
    case initProducerID

    var description: String {
        switch self {
        case .produce(let partition, let bytes): "produce \(partition) \(bytes.readableBytes) bytes"
        case .listOffsets(let partition): "listOffsets \(partition)"
        case .describeProducers(let partition, let id): "describeProducers \(partition) \(id)"
        case .fetch(let partition, let offset, _, _): "fetch \(partition) from \(offset)"
        case .epochEnd(let partition, let epoch): "epochEnd \(partition) \(epoch)"
        case .initProducerID: "initProducerID"
        }
    }
}

enum BrokerResponse {
    case produced(ErrorCode, baseOffset: Offset)
    case offsets(TopicID, start: Offset, highWatermark: Offset)
    case producer(PartitionReport.Producer)
    case epochEnd(Offset?)
    case fetched(ByteBuffer, start: Offset, highWatermark: Offset)
    case offsetOutOfRange(start: Offset, end: Offset)
    case producerID(ProducerIdentity)
    case failed(ErrorCode)
}
