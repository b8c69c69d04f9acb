import Base
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import Synchronization

/// Writes statuses to the status topic, one at a time; while one is under way or the broker is down, newer ones are left out.
///
/// At least once: the topic is compacted, and the newest under a key is what counts.
final class StatusPublisher: Sendable {
    private struct State {
        var isBusy = false
        var hasTopic = false
    }

    private let cluster: KafkaCluster
    private let topic: String
    private let state = Mutex(State())

    init(cluster: KafkaCluster, topic: String) {
        self.cluster = cluster
        self.topic = topic
    }

    /// Publishes in the background. `then` gets what went wrong, if anything did.
    func publish(key: String, value: [UInt8], time: Timestamp, then: @escaping @Sendable (ClientError?) -> Void) {
        let begins = state.withLock { state in
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard begins else { return }
        Task { [self] in
            var failure: ClientError?
            do throws(ClientError) { try await send(key: key, value: value, time: time) } catch { failure = error }
            state.withLock { $0.isBusy = false }
            then(failure)
        }
    }

    private func send(key: String, value: [UInt8], time: Timestamp) async throws(ClientError) {
        if !state.withLock({ $0.hasTopic }) {
            try await Admin(cluster).ensureTopic(
                NewTopic(topic, partitionCount: 1, configs: ["cleanup.policy": "compact"]))
            state.withLock { $0.hasTopic = true }
        }
        let batch = try Self.batch(key: key, value: value, time: time)
        var partition = ProduceRequest.PartitionProduceData()
        partition.index = 0
        partition.records = batch
        var data = ProduceRequest.TopicProduceData()
        data.name = topic
        data.partitionData = [partition]
        var request = ProduceRequest()
        request.acks = -1
        request.timeoutMs = 10_000
        request.topicData = [data]
        let target = TopicPartition(topic: topic, partition: 0)
        let response = try await cluster.send(request, to: .leader(target), versionMax: 12)
        let code = response.responses.first?.partitionResponses.first?.errorCode ?? .none
        if let error = ClientError(code, "the agent's status") {
            cluster.doubt(topic: topic)
            if code == .unknownTopicOrPartition { state.withLock { $0.hasTopic = false } }
            throw error
        }
    }

    private static func batch(key: String, value: [UInt8], time: Timestamp) throws(ClientError) -> ByteBuffer {
        var builder = RecordBatchBuilder(codec: .gzip, capacity: .mib(1))
        Array(key.utf8).withUnsafeBytes { key in
            value.withUnsafeBytes { value in _ = builder.append(timestamp: time, key: key, value: value) }
        }
        do throws(RecordError) { return try builder.seal() } catch {
            throw ClientError(.corruptRecords, "the agent's status: \(error)", cause: error)
        }
    }
}
