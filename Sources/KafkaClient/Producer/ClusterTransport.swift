import Base
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import Synchronization

/// Carries a producer's requests to a Kafka cluster.
///
/// Batches of a partition leave in the order in which they were begun: over one connection while it is open, and from a queue of the
/// partition while one is made. How much waits is up to the machine's limits.
public final class ClusterTransport: ProducerTransport, Sendable {
    private enum Route {
        case open(ClientConnection)
        case opening(waiting: [(SealedBatch, ByteBuffer)])
    }

    private let cluster: KafkaCluster
    private let deliver: @Sendable (ProducerAnswer) -> Void
    private let routes = Mutex<[TopicPartition: Route]>([:])
    /// How long a broker may wait for its replicas; a little less than a request may take in all.
    private let acknowledgeTimeout: Duration
    static let lane = Lane("produce")

    /// - Parameter deliver: called on any thread, once for each request that is answered.
    public init(cluster: KafkaCluster, deliver: @escaping @Sendable (ProducerAnswer) -> Void) {
        self.cluster = cluster
        self.deliver = deliver
        acknowledgeTimeout = max(cluster.settings.connection.requestTimeout - .seconds(1), .seconds(1))
    }

    public func begin(_ request: ProducerRequest) {
        switch request {
        case .produce(let batch, let bytes): produce(batch, bytes)
        case .inspect(let request):
            // Whoever asks has heard of what went wrong before.
            forgetRoute(request.partition)
            Task { [self] in
                let outcome = await inspect(request.partition, request.producer)
                deliver(.inspected(request.partition, number: request.number, outcome))
            }
        case .scan(let request, let fingerprints):
            let scan = PartitionScan(cluster: cluster, request: request, fingerprints: fingerprints)
            Task { [self] in deliver(.scanned(request.partition, number: request.number, await scan.run())) }
        case .obtainProducerID:
            Task { [self] in
                do throws(ClientError) {
                    let (id, epoch) = try await cluster.initProducerID()
                    deliver(.producerIDObtained(ProducerIdentity(id: id, epoch: epoch)))
                } catch { deliver(.producerIDFailed(reason: error.message)) }
            }
        case .refreshMetadata(let partition):
            cluster.doubt(topic: partition.topic)
            forgetRoute(partition)
        }
    }

    private func forgetRoute(_ partition: TopicPartition) {
        routes.withLock { routes in
            if case .open = routes[partition] { routes[partition] = nil }
        }
    }

    // MARK: - Produce

    private func produce(_ batch: SealedBatch, _ bytes: ByteBuffer) {
        let isFirst = routes.withLock { routes in
            switch routes[batch.partition] {
            case .open(let connection):
                // A broken connection refuses it. Another one is not made before the machine has heard what was lost with this one:
                // the batch must not arrive where an older one didn't.
                enqueue(batch, bytes, on: connection)
                return false
            case .opening(let waiting):
                routes[batch.partition] = .opening(waiting: waiting + [(batch, bytes)])
                return false
            case nil:
                routes[batch.partition] = .opening(waiting: [(batch, bytes)])
                return true
            }
        }
        if isFirst { Task { [self] in await open(batch.partition) } }
    }

    private func open(_ partition: TopicPartition) async {
        do throws(ClientError) {
            let connection = try await cluster.connection(to: .leader(partition), lane: Self.lane)
            routes.withLock { routes in
                guard case .opening(let waiting) = routes[partition] else { return }
                routes[partition] = .open(connection)
                for (batch, bytes) in waiting { enqueue(batch, bytes, on: connection) }
            }
        } catch {
            let waiting = routes.withLock { routes -> [(SealedBatch, ByteBuffer)] in
                guard case .opening(let waiting) = routes.removeValue(forKey: partition) else { return [] }
                return waiting
            }
            for (batch, _) in waiting {
                deliver(.produced(batch.id, partition, .unsent(reason: error.message)))
            }
        }
    }

    private func enqueue(_ batch: SealedBatch, _ bytes: ByteBuffer, on connection: ClientConnection) {
        var partition = ProduceRequest.PartitionProduceData()
        partition.index = batch.partition.partition
        partition.records = bytes
        var topic = ProduceRequest.TopicProduceData()
        topic.name = batch.partition.topic
        topic.partitionData = [partition]
        var request = ProduceRequest()
        request.acks = -1
        request.timeoutMs = Int32(clamping: acknowledgeTimeout.milliseconds)
        request.topicData = [topic]
        let deliver = deliver
        do throws(ClientError) {
            // By name: the last version that has one is 12.
            try connection.enqueue(request, versionMax: 12) { result in
                deliver(.produced(batch.id, batch.partition, Self.outcome(of: result)))
            }
        } catch {
            deliver(.produced(batch.id, batch.partition, .unsent(reason: error.message)))
        }
    }

    static func outcome(of result: Result<ProduceResponse, ClientError>) -> ProduceOutcome {
        switch result {
        case .success(let response):
            guard let answer = response.responses.first?.partitionResponses.first else {
                return .unanswered(reason: "the broker's answer names no partition")
            }
            if answer.errorCode == .none { return .acknowledged(baseOffset: Offset(answer.baseOffset)) }
            return .refused(answer.errorCode, message: answer.errorMessage ?? "")
        case .failure(let error): return .unanswered(reason: error.message)
        }
    }

    // MARK: - Inspection

    private func inspect(_ partition: TopicPartition, _ producer: ProducerID) async -> InspectOutcome {
        do throws(ClientError) {
            // Asked for anew: a topic that was made again has another id.
            let view = try await cluster.refresh([partition.topic])
            let topicID = view.topics[partition.topic]?.id ?? .zero
            let known = try await lastSequence(of: producer, in: partition)
            let end = try await cluster.offset(of: partition, at: .latest, isolation: .readUncommitted)
            let start = try await cluster.offset(of: partition, at: .earliest, isolation: .readUncommitted)
            return .report(
                PartitionReport(topicID: topicID, logStart: start.offset, logEnd: end.offset, producer: known))
        } catch {
            return .failed(reason: error.message)
        }
    }

    private func lastSequence(
        of producer: ProducerID, in partition: TopicPartition
    ) async throws(ClientError) -> PartitionReport.Producer {
        do {
            let found = try await cluster.activeProducers(of: partition).first { $0.id == producer }
            guard let found else { return .unknown }
            return .known(found.epoch, lastSequence: found.lastSequence)
        } catch {
            let isDenied =
                error.kafkaError == .topicAuthorizationFailed || error.kafkaError == .clusterAuthorizationFailed
            if error.code == .unsupportedVersion || error.kafkaError == .unsupportedVersion || isDenied {
                return .unavailable
            }
            throw error
        }
    }
}

/// Looks through the batch headers of a partition, bounded.
struct PartitionScan: Sendable {
    let cluster: KafkaCluster
    let request: ScanRequest
    let fingerprints: [BatchID: BatchFingerprint]

    private static let fetchBytes: Int32 = 1 << 20

    private struct Key: Hashable {
        var identity: ProducerIdentity
        var sequence: Int32
    }

    func run() async -> ScanOutcome {
        do throws(ClientError) {
            return try await scan()
        } catch {
            if error.kafkaError == .topicAuthorizationFailed || error.code == .unsupportedVersion {
                return .refused(reason: error.message)
            }
            return .failed(reason: error.message)
        }
    }

    private func scan() async throws(ClientError) -> ScanOutcome {
        var wanted: [Key: SealedBatch] = [:]
        for candidate in request.candidates {
            wanted[Key(identity: candidate.identity, sequence: candidate.baseSequence)] = candidate
        }
        let start = try await cluster.offset(of: request.partition, at: .earliest, isolation: .readUncommitted).offset
        let end = try await cluster.offset(of: request.partition, at: .latest, isolation: .readUncommitted).offset
        let from = max(request.from, start)
        let limit = min(request.upTo ?? end, end)
        var found: [BatchID: Offset] = [:]
        var next = from
        var bytesLeft = request.bytesMax.bytes
        while next < limit {
            guard bytesLeft > 0 else { return .found(found, from: from, end: next, isComplete: false) }
            let records = try await fetch(next)
            bytesLeft -= max(records.readableBytes, 1)
            let before = next
            var cursor = RecordBatchCursor(records)
            do throws(RecordError) {
                while let batch = try cursor.next() {
                    if batch.nextOffset <= next { continue }
                    next = batch.nextOffset
                    let key = Key(
                        identity: ProducerIdentity(id: batch.producerID, epoch: batch.producerEpoch),
                        sequence: batch.baseSequence)
                    guard let candidate = wanted[key], let print = fingerprints[candidate.id], print.matches(batch)
                    else { continue }
                    found[candidate.id] = batch.baseOffset
                }
            } catch {
                throw ClientError(.corruptRecords, "\(request.partition) at \(next): \(error)", cause: error)
            }
            if next == before {
                // Nothing more although the log went on a moment ago: it was cut, or leads elsewhere.
                throw ClientError(
                    .brokerError, "\(request.partition): no batch at \(next), the log ended at \(end)",
                    kafkaError: .offsetOutOfRange)
            }
        }
        return .found(found, from: from, end: max(end, from), isComplete: true)
    }

    private func fetch(_ offset: Offset) async throws(ClientError) -> ByteBuffer {
        var partition = FetchRequest.FetchPartition()
        partition.partition = request.partition.partition
        partition.fetchOffset = offset.rawValue
        partition.partitionMaxBytes = Self.fetchBytes
        var topic = FetchRequest.FetchTopic()
        topic.topic = request.partition.topic
        topic.partitions = [partition]
        var fetch = FetchRequest()
        fetch.replicaId = -1
        fetch.maxWaitMs = 500
        fetch.minBytes = 1
        fetch.maxBytes = Self.fetchBytes
        fetch.topics = [topic]
        let response = try await cluster.send(
            fetch, to: .leader(request.partition), lane: ClusterTransport.lane, versionMax: 12)
        if let error = ClientError(response.errorCode, "Fetch of \(request.partition)") { throw error }
        guard let answer = response.responses.first?.partitions.first else {
            throw ClientError(.protocolViolation, "Fetch of \(request.partition) was answered without it")
        }
        if let error = ClientError(answer.errorCode, "Fetch of \(request.partition)") {
            if error.isRetriable { cluster.doubt(topic: request.partition.topic) }
            throw error
        }
        guard case .bytes(let records)? = answer.records else { return ByteBuffer() }
        return records
    }
}
