import Base
import KafkaConnection

/// What all brokers of a cluster agree on: its name, its topics, and the counters that must never run backwards.
///
/// A value: a `MetadataStore` keeps it, `apply` is the only way it changes, and a refused change leaves it as it was.
public struct ClusterMetadata: Sendable, Equatable {
    /// A topic as it was ordered: what is not in `settings` follows the broker's `topic_defaults`.
    public struct Topic: Sendable, Equatable {
        public var name: String
        public var id: TopicID
        public var partitionCount: Int32
        /// Overrides under Kafka's dotted names, `retention.ms`.
        public var settings: [String: String]

        public init(name: String, id: TopicID, partitionCount: Int32, settings: [String: String] = [:]) {
            self.name = name
            self.id = id
            self.partitionCount = partitionCount
            self.settings = settings
        }
    }

    public var clusterID: String
    /// One higher with every start of the broker, so that a consumer that read what a power cut took back finds out (KIP-320).
    public var leaderEpoch: LeaderEpoch
    /// No producer id from here on has been given to anyone.
    public var nextProducerID: ProducerID
    public private(set) var topics: [String: Topic]
    /// Topics that are gone for every client while some of their files may still lie on the disk.
    public private(set) var deletions: [TopicID: Topic]
    /// What is kept of users' passwords, by name.
    public private(set) var users: [String: [ScramMechanism: ScramCredential]]

    public init(
        clusterID: String, leaderEpoch: LeaderEpoch = .none, nextProducerID: ProducerID = ProducerID(0),
        topics: [Topic] = [], deletions: [Topic] = [], users: [String: [ScramMechanism: ScramCredential]] = [:]
    ) {
        self.users = users
        self.clusterID = clusterID
        self.leaderEpoch = leaderEpoch
        self.nextProducerID = nextProducerID
        self.topics = Dictionary(topics.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.deletions = Dictionary(deletions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// One step from one agreed state to the next.
public enum MetadataChange: Sendable, Equatable {
    /// A broker came up and leads under a new epoch: above its last one, and above any that its logs have seen.
    case brokerStarted(seen: LeaderEpoch)
    case topicCreated(ClusterMetadata.Topic)
    /// From here on the topic does not exist; its files are being removed.
    case topicDeletionBegun(TopicID)
    case topicDeletionFinished(TopicID)
    case partitionsAdded(TopicID, newCount: Int32)
    case topicSettingsReplaced(TopicID, [String: String])
    /// A block of producer ids was handed to a broker, which may now give them out without asking again.
    case producerIDsTaken(count: Int64)
    /// The counter was lost; ids below `next` may have been given out.
    case producerIDsRaised(next: ProducerID)
    /// Users that may log in came, went, or have another password.
    case scramCredentialsChanged([ScramChange])
}

/// A change that does not fit the state: somebody else was faster, or the caller asks for the impossible.
public enum MetadataConflict: Error, Sendable, Equatable {
    case topicExists(String)
    case unknownTopic(TopicID)
    case partitionCountNotAbove(Int32)
}

extension ClusterMetadata {
    public mutating func apply(_ change: MetadataChange) throws(MetadataConflict) {
        switch change {
        case .brokerStarted(let seen):
            leaderEpoch = LeaderEpoch(max(leaderEpoch, seen).rawValue + 1)
        case .topicCreated(let topic):
            guard topics[topic.name] == nil else { throw .topicExists(topic.name) }
            topics[topic.name] = topic
        case .topicDeletionBegun(let id):
            let topic = try topic(id)
            topics[topic.name] = nil
            deletions[id] = topic
        case .topicDeletionFinished(let id):
            guard deletions.removeValue(forKey: id) != nil else { throw .unknownTopic(id) }
        case .partitionsAdded(let id, let newCount):
            let topic = try topic(id)
            guard newCount > topic.partitionCount else { throw .partitionCountNotAbove(topic.partitionCount) }
            topics[topic.name]?.partitionCount = newCount
        case .topicSettingsReplaced(let id, let settings):
            let topic = try topic(id)
            topics[topic.name]?.settings = settings
        case .producerIDsTaken(let count):
            precondition(count > 0, "an empty block of producer ids")
            nextProducerID = ProducerID(nextProducerID.rawValue + count)
        case .producerIDsRaised(let next):
            nextProducerID = max(nextProducerID, next)
        case .scramCredentialsChanged(let changes):
            for change in changes {
                switch change {
                case .set(let user, let credential): users[user, default: [:]][credential.mechanism] = credential
                case .remove(let user, let mechanism):
                    users[user]?[mechanism] = nil
                    if users[user]?.isEmpty ?? false { users[user] = nil }
                }
            }
        }
    }

    private func topic(_ id: TopicID) throws(MetadataConflict) -> Topic {
        guard let topic = topics.values.first(where: { $0.id == id }) else { throw .unknownTopic(id) }
        return topic
    }
}
