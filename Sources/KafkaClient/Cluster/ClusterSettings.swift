import Base
import KafkaConnection

/// Where a cluster is and how patiently it is asked.
public struct ClusterSettings: Sendable {
    /// Any brokers of the cluster (`bootstrap.servers`); the others are learnt from them.
    public var bootstrap: [Address]
    public var connection = ConnectionSettings()
    /// Metadata older than this is asked for again before it is used (`metadata.max.age.ms`).
    public var metadataAgeMax = Duration.seconds(300)
    /// Between tries of one call, and between connections to one broker.
    public var backoff = Backoff()
    /// How long calls that retry by themselves go on (`default.api.timeout.ms`).
    public var retryTimeout = Duration.seconds(60)

    public init(bootstrap: [Address]) { self.bootstrap = bootstrap }
}

/// Whom a request is for.
public enum Destination: Sendable, Hashable {
    /// Any broker.
    case any
    case broker(BrokerID)
    /// The leader of a partition, as the metadata knows it.
    case leader(TopicPartition)
    /// The coordinator of a consumer group.
    case coordinator(group: String)
    /// The coordinator of a transactional id.
    case transactionCoordinator(id: String)
    /// Whoever decides about topics.
    case controller
}

/// A connection of its own for traffic that must not wait behind other traffic: a long poll holds up what is sent after it.
public struct Lane: Hashable, Sendable {
    public var name: String

    public init(_ name: String) { self.name = name }

    public static let shared = Lane("shared")
}
