public import Base
public import KafkaConnection
import KafkaWire
import NIOCore
public import Records

/// Writes records and consumed offsets in transactions (KIP-98): readers of committed records see all of a transaction or nothing.
///
/// One transaction at a time; calls wait for their answers. A batch whose answer was lost is sent again with its sequence, so it stands once. It speaks the
/// protocol that every Kafka from 2.1 on serves: partitions are added before they are written. After an error call `abort()` and begin anew; a
/// producer that another one with its id has fenced throws `.fenced` from then on.
public struct TransactionalProducer: ~Copyable {
    /// A group's position, as it is committed.
    public struct Position: Sendable, Equatable {
        public var offset: Offset
        public var leaderEpoch: LeaderEpoch
        public var metadata: String

        public init(_ offset: Offset, leaderEpoch: LeaderEpoch = .none, metadata: String = "") {
            self.offset = offset
            self.leaderEpoch = leaderEpoch
            self.metadata = metadata
        }
    }

    /// The member in whose name offsets are committed, so that one that lost its partitions can't.
    public struct Member: Sendable, Equatable {
        public var id: String
        public var generation: Int32
        public var instanceID: String?

        public init(id: String, generation: Int32, instanceID: String? = nil) {
            self.id = id
            self.generation = generation
            self.instanceID = instanceID
        }
    }

    private let cluster: KafkaCluster
    private let transactionalID: String
    private let timeout: Duration
    private let codec: Codec
    private var machine = TransactionalMachine()

    private var coordinator: Destination { .transactionCoordinator(id: transactionalID) }

    private init(cluster: KafkaCluster, transactionalID: String, timeout: Duration, codec: Codec) {
        self.cluster = cluster
        self.transactionalID = transactionalID
        self.timeout = timeout
        self.codec = codec
    }

    /// Takes over the transactional id: producers that had it are fenced, and what they left open is aborted.
    ///
    /// - Parameter timeout: a transaction that is open for longer is aborted by its coordinator; brokers allow 15 minutes by default.
    public static func open(
        cluster: KafkaCluster, transactionalID: String, timeout: Duration = .seconds(60), codec: Codec = .none
    ) async throws(ClientError) -> TransactionalProducer {
        var producer = TransactionalProducer(
            cluster: cluster, transactionalID: transactionalID, timeout: timeout, codec: codec)
        try await producer.initialise()
        return producer
    }

    private mutating func initialise() async throws(ClientError) {
        var request = InitProducerIdRequest()
        request.transactionalId = transactionalID
        request.transactionTimeoutMs = Int32(clamping: timeout.milliseconds)
        let connection = try await cluster.connection(to: coordinator)
        // From v3 on it says who it was, so that a producer that was fenced meanwhile does not take the id back.
        if try connection.versions.version(of: InitProducerIdRequest.self) >= 3, machine.producerID != .none {
            request.producerId = machine.producerID.rawValue
            request.producerEpoch = machine.epoch.rawValue
        }
        let response = try await call(request, "InitProducerId", versionMax: 5) { $0.errorCode }
        machine.initialised(ProducerID(response.producerId), ProducerEpoch(response.producerEpoch))
    }

    /// Begins a transaction; nobody is told before the first record or offset.
    public mutating func begin() throws(ClientError) { try machine.begin() }

    /// Writes the records as one batch and waits until it is in the log.
    public mutating func send(_ records: [NewRecord], to partition: TopicPartition) async throws(ClientError) {
        guard !records.isEmpty else { return }
        try await addIfMissing(partition)
        let batch: RecordBatch
        do {
            batch = try RecordBatch.build(
                records, codec: codec, producerID: machine.producerID, producerEpoch: machine.epoch,
                baseSequence: machine.sequence(of: partition), isTransactional: true)
        } catch { throw ClientError(.corruptRecords, "the batch can't be built: \(error)") }
        let request = produceRequest(batch.bytes, to: partition)
        let cluster = cluster
        do {
            try await cluster.retrying { () async throws(ClientError) in
                // From v12 on brokers take partitions that were not added, and count on ends that raise the epoch.
                let response = try await cluster.send(request, to: .leader(partition), versionMax: 11)
                let answer = response.responses.first?.partitionResponses.first
                let error = answer?.errorCode ?? .unknownServerError
                if error.isRetriable { cluster.doubt(topic: partition.topic) }
                if let failure = ClientError(error, "produce to \(partition)", detail: answer?.errorMessage) {
                    throw failure
                }
            }
        } catch {
            machine.failed(error)
            throw error
        }
        machine.written(Int32(records.count), to: partition)
    }

    private mutating func addIfMissing(_ partition: TopicPartition) async throws(ClientError) {
        guard try machine.mustAdd(partition) else { return }
        var topic = AddPartitionsToTxnRequest.AddPartitionsToTxnTopic()
        topic.name = partition.topic
        topic.partitions = [partition.partition]
        var request = AddPartitionsToTxnRequest()
        request.v3AndBelowTransactionalId = transactionalID
        request.v3AndBelowProducerId = machine.producerID.rawValue
        request.v3AndBelowProducerEpoch = machine.epoch.rawValue
        request.v3AndBelowTopics = [topic]
        _ = try await call(request, "AddPartitionsToTxn", versionMax: 3) {
            $0.resultsByTopicV3AndBelow.first?.resultsByPartition.first?.partitionErrorCode ?? .unknownServerError
        }
        try machine.added(partition)
    }

    private func produceRequest(_ bytes: ByteBuffer, to partition: TopicPartition) -> ProduceRequest {
        var data = ProduceRequest.PartitionProduceData()
        data.index = partition.partition
        data.records = bytes
        var topic = ProduceRequest.TopicProduceData()
        topic.name = partition.topic
        topic.partitionData = [data]
        var request = ProduceRequest()
        request.transactionalId = transactionalID
        request.acks = -1
        request.timeoutMs = 30_000
        request.topicData = [topic]
        return request
    }

    /// Commits how far a group has read together with the transaction.
    ///
    /// - Parameter member: with it a member whose generation is over is refused (brokers from 2.5 on).
    public mutating func send(
        offsets: [TopicPartition: Position], group: String, member: Member? = nil
    ) async throws(ClientError) {
        guard !offsets.isEmpty else { return }
        if try machine.mustAdd(group: group) {
            var request = AddOffsetsToTxnRequest()
            request.transactionalId = transactionalID
            request.producerId = machine.producerID.rawValue
            request.producerEpoch = machine.epoch.rawValue
            request.groupId = group
            _ = try await call(request, "AddOffsetsToTxn", versionMax: 3) { $0.errorCode }
            try machine.added(group: group)
        }
        var request = TxnOffsetCommitRequest()
        request.transactionalId = transactionalID
        request.groupId = group
        request.producerId = machine.producerID.rawValue
        request.producerEpoch = machine.epoch.rawValue
        let destination = Destination.coordinator(group: group)
        let cluster = cluster
        do {
            let version = try await cluster.connection(to: destination).versions.version(
                of: TxnOffsetCommitRequest.self)
            if let member, version >= 3 {
                request.memberId = member.id
                request.generationId = member.generation
                request.groupInstanceId = member.instanceID
            }
            request.topics = Dictionary(grouping: offsets, by: \.key.topic).map { name, offsets in
                var topic = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic()
                topic.name = name
                topic.partitions = offsets.map { id, position in
                    var entry = TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition()
                    entry.partitionIndex = id.partition
                    entry.committedOffset = position.offset.rawValue
                    if version >= 2 { entry.committedLeaderEpoch = position.leaderEpoch.rawValue }
                    entry.committedMetadata = position.metadata
                    return entry
                }
                return topic
            }
            let request = request
            try await cluster.retrying { () async throws(ClientError) in
                let response = try await cluster.send(request, to: destination, versionMax: 4)
                let error = response.topics.flatMap { $0.partitions.map(\.errorCode) }.first { $0.isError } ?? .none
                if error == .notCoordinator || error == .coordinatorNotAvailable {
                    cluster.doubtCoordinator(of: group)
                }
                if let failure = ClientError(error, "TxnOffsetCommit of group \(group)") { throw failure }
            }
        } catch {
            machine.failed(error)
            throw error
        }
    }

    /// Makes all of the transaction readable, or throws. Where it throws for want of an answer the transaction may be committed all the same.
    public mutating func commit() async throws(ClientError) { try await end(commits: true) }

    /// Makes sure that nothing of the transaction will be read. Also the way on after an error: then the producer gets a new epoch.
    public mutating func abort() async throws(ClientError) { try await end(commits: false) }

    private mutating func end(commits: Bool) async throws(ClientError) {
        switch try machine.ending(commits: commits) {
        case .nothing: machine.ended()
        case .abortAndInitialise:
            // An InitProducerId that finds the transaction open fences its own producer: it raises the epoch, and the next try names the old one.
            do { try await endTransaction(commits: false) } catch  where error.kafkaError == .invalidTxnState {}
            try await initialise()
        case .end:
            try await endTransaction(commits: commits)
            machine.ended()
        }
    }

    private mutating func endTransaction(commits: Bool) async throws(ClientError) {
        var request = EndTxnRequest()
        request.transactionalId = transactionalID
        request.producerId = machine.producerID.rawValue
        request.producerEpoch = machine.epoch.rawValue
        request.committed = commits
        // Answered alike when it is asked again, as long as the epoch stays.
        _ = try await call(request, "EndTxn", versionMax: 4) { $0.errorCode }
    }

    /// Asks the coordinator until it answers otherwise than "later".
    private mutating func call<Request: WireRequest>(
        _ request: Request, _ name: String, versionMax: Int16, _ error: @Sendable (Request.Response) -> ErrorCode
    ) async throws(ClientError) -> Request.Response {
        let (cluster, coordinator, id) = (cluster, coordinator, transactionalID)
        do {
            return try await cluster.retrying { () async throws(ClientError) in
                let response = try await cluster.send(request, to: coordinator, versionMax: versionMax)
                let code = error(response)
                if code == .notCoordinator || code == .coordinatorNotAvailable {
                    cluster.doubtCoordinator(ofTransactions: id)
                }
                if let failure = ClientError(code, "\(name) of '\(id)'") { throw failure }
                return response
            }
        } catch {
            machine.failed(error)
            throw error
        }
    }
}
