import Base
import KafkaConnection
import KafkaWire
import NIOCore
import Records

/// A small idempotent producer for tools: gathers records into one batch per partition and sends a batch at a time, waiting for its answer.
///
/// A batch whose answer is lost is sent again with the same sequence, so it stands once. It keeps nothing on disk: what was not acknowledged
/// when the process dies may or may not be in the log. The agent has its own producer (`ProducerMachine`), which does.
public struct RecordProducer: ~Copyable {
    public static let batchBytesMax = ByteCount.kib(256)

    private let cluster: KafkaCluster
    public let topic: String
    private let codec: Codec
    private let partitionCount: Int32
    private let producer: (id: ProducerID, epoch: ProducerEpoch)
    private var waiting: [Int32: [NewRecord]] = [:]
    private var waitingBytes: [Int32: Int] = [:]
    private var sequences: [Int32: Int32] = [:]
    private var turn: Int32 = 0
    /// Records acknowledged so far.
    public private(set) var sentCount = 0

    private init(
        cluster: KafkaCluster, topic: String, codec: Codec, partitionCount: Int32,
        producer: (id: ProducerID, epoch: ProducerEpoch)
    ) {
        self.cluster = cluster
        self.topic = topic
        self.codec = codec
        self.partitionCount = partitionCount
        self.producer = producer
    }

    /// Asks the cluster for the topic (which it may make) and for a producer id.
    public static func open(
        cluster: KafkaCluster, topic: String, codec: Codec = .none
    ) async throws(ClientError) -> RecordProducer {
        let count = try await cluster.retrying { () async throws(ClientError) in
            try await cluster.partitionCount(topic, mayCreate: true)
        }
        let producer = try await cluster.retrying { () async throws(ClientError) in
            try await cluster.initProducerID()
        }
        return RecordProducer(
            cluster: cluster, topic: topic, codec: codec, partitionCount: Int32(count), producer: producer)
    }

    /// Adds a record to its partition's batch: by the key's hash as Java's clients have it, in turn where there is no key. Sends a batch that is full.
    public mutating func append(_ record: NewRecord) async throws(ClientError) {
        var partition = turn % partitionCount
        if let key = record.key { partition = Murmur2.partition(key: key, count: partitionCount) }
        waiting[partition, default: []].append(record)
        waitingBytes[partition, default: 0] += (record.key?.count ?? 0) + (record.value?.count ?? 0) + 32
        if waitingBytes[partition, default: 0] >= Self.batchBytesMax.bytes {
            try await send(partition)
            turn &+= 1
            if turn < 0 { turn = 0 }
        }
    }

    /// Sends what waits; returns once all of it is acknowledged.
    public mutating func flush() async throws(ClientError) {
        for partition in waiting.keys.sorted() { try await send(partition) }
    }

    private mutating func send(_ partition: Int32) async throws(ClientError) {
        guard let records = waiting.removeValue(forKey: partition), !records.isEmpty else { return }
        waitingBytes[partition] = 0
        let sequence = sequences[partition, default: 0]
        let batch: RecordBatch
        do {
            batch = try RecordBatch.build(
                records, codec: codec, producerID: producer.id, producerEpoch: producer.epoch, baseSequence: sequence)
        } catch { throw ClientError(.corruptRecords, "the batch can't be built: \(error)") }
        let id = TopicPartition(topic: topic, partition: partition)
        let cluster = self.cluster
        try await cluster.retrying { () async throws(ClientError) in
            let response = try await cluster.send(
                Self.request(id, batch.bytes), to: .leader(id), versionMax: 12)
            let answer = response.responses.first?.partitionResponses.first
            let error = answer?.errorCode ?? .unknownServerError
            if error.isRetriable { cluster.doubt(topic: id.topic) }
            if let failure = ClientError(error, "produce to \(id)", detail: answer?.errorMessage) { throw failure }
        }
        sequences[partition] = Sequence32.advance(sequence, by: Int32(records.count))
        sentCount += records.count
    }

    private static func request(_ partition: TopicPartition, _ bytes: ByteBuffer) -> ProduceRequest {
        var data = ProduceRequest.PartitionProduceData()
        data.index = partition.partition
        data.records = bytes
        var topic = ProduceRequest.TopicProduceData()
        topic.name = partition.topic
        topic.partitionData = [data]
        var request = ProduceRequest()
        request.acks = -1
        request.timeoutMs = 30_000
        request.topicData = [topic]
        return request
    }
}
