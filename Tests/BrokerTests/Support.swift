import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import Testing

@testable import Broker

/// What the handler tests have in common: requests in a line each.
extension WireSocket {
    @discardableResult
    func createTopic(
        _ name: String, partitions: Int32 = 1, settings: [String: String] = [:]
    ) async throws -> CreateTopicsResponse.CreatableTopicResult {
        var topic = CreateTopicsRequest.CreatableTopic()
        topic.name = name
        topic.numPartitions = partitions
        topic.replicationFactor = -1
        topic.configs = settings.map { name, value in
            var config = CreateTopicsRequest.CreatableTopicConfig()
            config.name = name
            config.value = value
            return config
        }
        var request = CreateTopicsRequest()
        request.topics = [topic]
        return try await call(request, version: 7).topics[0]
    }

    func produce(
        _ records: ByteBuffer?, to topic: String, id: TopicID = .zero, partition: Int32 = 0, acks: Int16 = -1,
        version: Int16 = 9
    ) async throws -> ProduceResponse.PartitionProduceResponse {
        let request = Requests.produce(records, to: topic, id: id, partition: partition, acks: acks)
        return try await call(request, version: version).responses[0].partitionResponses[0]
    }

    func fetch(
        _ topic: String, id: TopicID = .zero, partition: Int32 = 0, from offset: Int64, waitMilliseconds: Int32 = 0,
        bytesMin: Int32 = 1, bytesMax: Int32 = 1 << 20, version: Int16 = 12
    ) async throws -> FetchResponse.PartitionData {
        let request = Requests.fetch(
            topic, id: id, partition: partition, from: offset, waitMilliseconds: waitMilliseconds, bytesMin: bytesMin,
            bytesMax: bytesMax)
        return try await call(request, version: version).responses[0].partitions[0]
    }

    /// With nil every topic but the broker's own.
    func metadata(_ names: [String]?, mayCreate: Bool = false, version: Int16 = 12) async throws -> MetadataResponse {
        var request = MetadataRequest()
        request.topics = names?.map { name in
            var topic = MetadataRequest.MetadataRequestTopic()
            topic.name = name
            return topic
        }
        request.allowAutoTopicCreation = mayCreate
        var response = try await call(request, version: version)
        if names == nil { response.topics.removeAll { $0.name?.hasPrefix("__") ?? false } }
        return response
    }

    func listOffset(
        _ topic: String, partition: Int32 = 0, timestamp: Int64, version: Int16 = 9
    ) async throws -> ListOffsetsResponse.ListOffsetsPartitionResponse {
        var asked = ListOffsetsRequest.ListOffsetsPartition()
        asked.partitionIndex = partition
        asked.timestamp = timestamp
        var askedTopic = ListOffsetsRequest.ListOffsetsTopic()
        askedTopic.name = topic
        askedTopic.partitions = [asked]
        var request = ListOffsetsRequest()
        request.replicaId = -1
        request.topics = [askedTopic]
        return try await call(request, version: version).topics[0].partitions[0]
    }
}

enum Requests {
    static func produce(
        _ records: ByteBuffer?, to topic: String, id: TopicID = .zero, partition: Int32 = 0, acks: Int16 = -1
    ) -> ProduceRequest {
        var data = ProduceRequest.PartitionProduceData()
        data.index = partition
        data.records = records
        var topicData = ProduceRequest.TopicProduceData()
        topicData.name = topic
        topicData.topicId = id
        topicData.partitionData = [data]
        var request = ProduceRequest()
        request.acks = acks
        request.timeoutMs = 10_000
        request.topicData = [topicData]
        return request
    }

    static func fetch(
        _ topic: String, id: TopicID = .zero, partition: Int32 = 0, from offset: Int64, waitMilliseconds: Int32 = 0,
        bytesMin: Int32 = 1, bytesMax: Int32 = 1 << 20
    ) -> FetchRequest {
        var fetchPartition = FetchRequest.FetchPartition()
        fetchPartition.partition = partition
        fetchPartition.fetchOffset = offset
        fetchPartition.partitionMaxBytes = bytesMax
        var fetchTopic = FetchRequest.FetchTopic()
        fetchTopic.topic = topic
        fetchTopic.topicId = id
        fetchTopic.partitions = [fetchPartition]
        var request = FetchRequest()
        request.maxWaitMs = waitMilliseconds
        request.minBytes = bytesMin
        request.maxBytes = bytesMax
        request.topics = [fetchTopic]
        return request
    }
}

/// A batch of records whose values are the given words.
func batch(
    _ words: [String], codec: Codec = .none, producer: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1,
    timestamp: Int64? = nil
) throws -> ByteBuffer {
    let time = timestamp.map { Timestamp(milliseconds: $0) } ?? SystemTime().wallTime
    return try RecordBatch.build(
        words.map { NewRecord(timestamp: time, value: Array($0.utf8)) }, codec: codec, producerID: ProducerID(producer),
        producerEpoch: ProducerEpoch(epoch), baseSequence: sequence
    ).bytes
}

/// The values of all records in the batches, in order; offsets have to ascend without gaps from `first`.
func words(_ data: FetchResponse.PartitionData, first: Int64? = nil) throws -> [String] {
    guard let bytes = data.records?.bytes else { return [] }
    var cursor = RecordBatchCursor(bytes)
    var words: [String] = []
    var next = first
    while let batch = try cursor.next() {
        try batch.checkCRC()
        var records = try batch.records(decompressedMax: .mib(64))
        while let record = try records.next() {
            if let expected = next {
                // A fetch may begin before the offset asked for, at the start of its batch.
                guard record.offset.rawValue >= expected else { continue }
                #expect(record.offset.rawValue == expected)
                next = expected + 1
            }
            words.append(record.value.map { String(buffer: $0) } ?? "")
        }
    }
    return words
}
