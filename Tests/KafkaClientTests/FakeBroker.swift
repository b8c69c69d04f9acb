import Base
import KafkaConnection
import KafkaWire
import NIOCore
import NIOPosix
import Records
import Synchronization
import Telemetry

@testable import KafkaClient

/// A broker in memory, just enough of one for a client's tests, behind the real server handler. Not durable, one partition leader, no checks.
final class FakeBroker: RequestDispatcher {
    struct Partition {
        var batches: [RecordBatch] = []
        var logStart = Offset.zero
        var end: Offset { batches.last?.nextOffset ?? logStart }
    }

    struct Topic {
        var id: TopicID
        var partitions: [Partition]
    }

    struct State {
        var topics: [String: Topic] = [:]
        var groups: [String: FakeGroup] = [:]
        var committed: [String: [TopicPartition: CommittedOffset]] = [:]
        /// Answers for the next requests of an API, before any other.
        var injected: [ApiKey: [ErrorCode]] = [:]
        var counts: [ApiKey: Int] = [:]
        var connections: [ServerConnection] = []
        var address = Address(host: "127.0.0.1", port: 0)
        var nextProducerID: Int64 = 1000
    }

    static let group = MultiThreadedEventLoopGroup.singleton
    let state = Mutex(State())
    private let listener = Mutex<ServerListener?>(nil)

    static let versions: ServedVersions = {
        let apis: [ApiKey] = [
            .produce, .fetch, .listOffsets, .metadata, .offsetCommit, .offsetFetch, .findCoordinator, .joinGroup,
            .heartbeat, .leaveGroup, .syncGroup, .apiVersions, .createTopics, .deleteTopics, .initProducerId,
            .describeProducers,
        ]
        let ranges = apis.map { ServedVersions.Range(apiKey: $0, versions: ApiVersionTable.versions(of: $0)) }
        return ServedVersions(advertised: ranges, served: ranges)
    }()

    static func start(port: Int = 0) async throws -> FakeBroker {
        let broker = FakeBroker()
        try await broker.listen(port: port)
        return broker
    }

    func listen(port: Int) async throws {
        let listener = try await ServerListener.bind(
            Address(host: "127.0.0.1", port: port), on: Self.group, settings: ServerSettings(versions: Self.versions),
            dispatcher: self)
        state.withLock { $0.address = listener.address }
        self.listener.withLock { $0 = listener }
    }

    func stop() async { await listener.withLock { $0 }?.close() }

    var address: Address { state.withLock { $0.address } }

    func cluster(telemetry: Telemetry = .silent) -> KafkaCluster {
        var settings = ClusterSettings(bootstrap: [address])
        settings.backoff = Backoff(first: .milliseconds(20), max: .milliseconds(200))
        settings.connection.requestTimeout = .seconds(5)
        return KafkaCluster(settings: settings, on: Self.group, telemetry: telemetry)
    }

    func createTopic(_ name: String, partitions: Int) {
        state.withLock {
            $0.topics[name] = Topic(id: .random(), partitions: Array(repeating: Partition(), count: partitions))
        }
    }

    func append(_ values: [String], to partition: TopicPartition) throws {
        let records = values.map { NewRecord(timestamp: Timestamp(milliseconds: 1), value: Array($0.utf8)) }
        let batch = try RecordBatch.build(records)
        state.withLock { $0.append(batch.bytes, to: partition) }
    }

    func inject(_ errors: [ErrorCode], for api: ApiKey) { state.withLock { $0.injected[api, default: []] += errors } }

    func dropConnections() { for connection in state.withLock({ $0.connections }) { connection.close(.serverClosed) } }

    func connectionOpened(_ connection: ServerConnection) { state.withLock { $0.connections.append(connection) } }

    func requestReceived(_ request: ReceivedRequest) {
        do {
            let injected = state.withLock { state -> ErrorCode? in
                state.counts[request.apiKey, default: 0] += 1
                guard state.injected[request.apiKey]?.isEmpty == false else { return nil }
                return state.injected[request.apiKey]?.removeFirst()
            }
            try answer(request, injected: injected)
        } catch {
            request.close(.failed("\(error)"))
        }
    }
}

extension FakeBroker.State {
    mutating func append(_ bytes: ByteBuffer, to partition: TopicPartition) {
        var place = topics[partition.topic]!.partitions[Int(partition.partition)]
        var bytes = bytes
        RecordBatch.patch(baseOffset: place.end, leaderEpoch: LeaderEpoch(0), in: &bytes, at: bytes.readerIndex)
        place.batches.append(try! RecordBatch(bytes))
        topics[partition.topic]!.partitions[Int(partition.partition)] = place
    }

    func name(of id: TopicID) -> String? { topics.first { $0.value.id == id }?.key }
}

/// A classic group without session timeouts: a rebalance waits for every member that has not left.
struct FakeGroup {
    var generation: Int32 = 0
    var members: [String] = []
    var joining: [String: (request: ReceivedRequest, metadata: ByteBuffer)] = [:]
    var syncing: [String: ReceivedRequest] = [:]
    var plan: [String: ByteBuffer]?
    var isRebalancing = false
    var names = 0
}
