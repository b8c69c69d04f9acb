import Base
import KafkaClient
import KafkaConnection
import Synchronization

/// How many partitions topics have, found out in the background and found out again now and then; missing topics are made.
final class ClusterTopics: TopicDirectory, Sendable {
    private struct Entry {
        var count: Int32?
        var isAsking = false
        var askAgainAt = Instant.zero
        var backoff = Backoff()
    }

    private let cluster: KafkaCluster
    private let time: any TimeSource
    private let refreshInterval: Duration
    private let topics = Mutex<[String: Entry]>([:])
    /// Called when something is known that wasn't.
    private let onChange: @Sendable () -> Void
    /// Called with what keeps a topic from being known.
    private let onTrouble: @Sendable (String, ClientError) -> Void

    init(
        cluster: KafkaCluster, time: any TimeSource, refreshInterval: Duration = .seconds(300),
        onChange: @escaping @Sendable () -> Void, onTrouble: @escaping @Sendable (String, ClientError) -> Void
    ) {
        self.cluster = cluster
        self.time = time
        self.refreshInterval = refreshInterval
        self.onChange = onChange
        self.onTrouble = onTrouble
    }

    func partitionCount(of topic: String) -> Int32? {
        let now = time.now
        let (count, asks) = topics.withLock { topics in
            let entry = topics[topic, default: Entry()]
            let asks = !entry.isAsking && entry.askAgainAt <= now
            topics[topic, default: Entry()].isAsking = entry.isAsking || asks
            return (entry.count, asks)
        }
        if asks { Task { await find(topic) } }
        return count
    }

    /// When a topic that isn't known is asked for again.
    var nextDeadline: Instant {
        topics.withLock { topics in
            topics.values.filter { $0.count == nil && !$0.isAsking }.map(\.askAgainAt).min() ?? .distantFuture
        }
    }

    private func find(_ topic: String) async {
        do throws(ClientError) {
            var view = try await cluster.refresh([topic])
            if view.topics[topic] == nil {
                if view.topicErrors[topic] == .unknownTopicOrPartition || view.topicErrors[topic] == nil {
                    view = try await make(topic)
                }
            }
            guard let found = view.topics[topic], !found.partitions.isEmpty else {
                let error = view.topicErrors[topic]
                throw ClientError(
                    .noLeader, "topic \(topic): \(error?.description ?? "not there yet")", kafkaError: error)
            }
            let again = time.now + refreshInterval
            topics.withLock { topics in
                topics[topic]!.count = Int32(found.partitions.count)
                topics[topic]!.isAsking = false
                topics[topic]!.askAgainAt = again
                topics[topic]!.backoff = Backoff()
            }
            onChange()
        } catch {
            let isNews = topics.withLock { topics in
                let again = time.now + topics[topic]!.backoff.next()
                topics[topic]!.isAsking = false
                topics[topic]!.askAgainAt = again
                return topics[topic]!.count == nil
            }
            if isNews { onTrouble(topic, error) }
            onChange()
        }
    }

    /// Makes the topic; where the cluster has no CreateTopics (or forbids it), asking for its metadata may make it.
    private func make(_ topic: String) async throws(ClientError) -> ClusterView {
        do throws(ClientError) {
            try await Admin(cluster).ensureTopic(NewTopic(topic))
        } catch {
            guard error.code == .unsupportedVersion || error.kafkaError == .topicAuthorizationFailed else {
                throw error
            }
            return try await cluster.refresh([topic], mayCreate: true)
        }
        return try await cluster.refresh([topic])
    }
}
