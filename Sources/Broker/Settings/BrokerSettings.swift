import Base
import LogStorage
import SystemPackage

/// Everything a broker can be told. What is not said has a safe value: loopback, flush before acknowledging, limits on everything.
public struct BrokerSettings: Sendable, Equatable {
    /// The data folder: `identity` and `metadata`, and `logs/` with a folder for each partition.
    public var data: FilePath
    /// Further data folders, each best on a disk of its own: only `logs/`, with the partitions that are placed there.
    public var furtherData: [FilePath] = []
    public var brokerID = BrokerID(1)
    /// At least one. The first is named where no connection tells which is meant.
    public var listeners: [ListenerSettings]
    /// Kafka's topic settings (`retention.ms`) for topics that don't set them themselves.
    public var topicDefaults: [String: String] = [:]
    /// Partitions of a topic that is created without a count (`num.partitions`).
    public var partitionCountDefault: Int32 = 1
    /// Whether a client that asks for an unknown topic gets a new one (`auto.create.topics.enable`).
    public var createsTopics = true
    /// How long a group's committed offsets are kept once nobody uses them (`offsets.retention.minutes`; KIP-211).
    public var offsetRetention = Duration.seconds(7 * 24 * 3600)
    /// After how long without a heartbeat a member of a consumer group is dropped (`consumer_session_timeout`; `group.consumer.session.timeout.ms`; KIP-848).
    public var consumerSessionTimeout = Duration.seconds(45)
    /// How often such a member is told to send one (`consumer_heartbeat_interval`; `group.consumer.heartbeat.interval.ms`).
    public var consumerHeartbeatInterval = Duration.seconds(5)
    /// The longest that a producer may ask to keep a transaction open (`transaction_timeout`; `transaction.max.timeout.ms`).
    public var transactionTimeoutMax = Duration.seconds(900)
    /// How long a transactional id is kept that nobody uses (`transactional_id_expiration`; `transactional.id.expiration.ms`).
    public var transactionalIDExpiration = Duration.seconds(7 * 24 * 3600)
    /// How long a transaction that is open in a log, and of which no transactional id knows, is left so (`hanging_transactions`). It has lost its marker.
    public var hangingTransactionAge = Duration.seconds(30)
    /// Threads that write, for all partitions together; a partition always has the same one. As many read what fetches are to send and is not in memory.
    public var diskLanes = 2
    /// Appends are refused while less than this is free on the disk of the logs (`disk_reserve`); reads, deletions and retention go on.
    public var diskReserve = ByteCount.mib(64)
    /// How the logs are read again in the background, so that rot is found (`scrub_rate`, `scrub_interval`).
    public var scrubbing = LogScrubberSettings()
    public var limits = BrokerLimits()

    static let dataFoldersMax = 64

    public init(data: FilePath, listeners: [ListenerSettings]) {
        self.data = data
        self.listeners = listeners
    }

    /// The log directories, in the order of the data folders.
    public var logFolders: [FilePath] { ([data] + furtherData).map { $0.appending("logs") } }

    /// Throws for the first setting that can't be served, saying what to do.
    public func validate() throws(BrokerSettingsError) {
        guard !listeners.isEmpty else { throw BrokerSettingsError("a broker needs at least one listener") }
        var names: Set<String> = []
        for listener in listeners {
            try listener.validate()
            guard names.insert(listener.name).inserted else {
                throw BrokerSettingsError("two listeners are called '\(listener.name)'")
            }
        }
        guard (1...1000).contains(partitionCountDefault) else {
            throw BrokerSettingsError("num.partitions has to be from 1 to 1000, not \(partitionCountDefault)")
        }
        let folders = ([data] + furtherData).map { $0.lexicallyNormalized() }
        guard folders.count <= Self.dataFoldersMax else {
            throw BrokerSettingsError("data names \(folders.count) folders; at most \(Self.dataFoldersMax) are served")
        }
        // They note each other by their paths.
        if folders.count > 1, let folder = folders.first(where: { !$0.isAbsolute }) {
            throw BrokerSettingsError("several data folders are named by absolute paths, unlike \(folder)")
        }
        for (place, folder) in folders.enumerated() {
            for (otherPlace, other) in folders.enumerated() where place != otherPlace && folder.starts(with: other) {
                throw BrokerSettingsError(
                    folder == other
                        ? "data names \(folder) twice" : "data names \(folder), which lies in another, \(other)")
            }
        }
        guard consumerHeartbeatInterval >= .milliseconds(100), consumerHeartbeatInterval < consumerSessionTimeout else {
            throw BrokerSettingsError(
                "consumer_heartbeat_interval has to be at least 100ms and shorter than consumer_session_timeout")
        }
        guard (1...64).contains(diskLanes) else {
            throw BrokerSettingsError("disk_lanes has to be from 1 to 64, not \(diskLanes)")
        }
    }
}

/// What peers may cost together; `limits` in the file, under the names given here.
public struct BrokerLimits: Sendable, Equatable {
    /// The largest request (`request_bytes`).
    public var requestBytesMax = ByteCount.mib(32)
    /// The bytes of the requests of all connections, from the moment a request's length is known until it is answered (`request_bytes_in_flight`). At the
    /// limit the sockets of those whose next request does not fit are not read.
    public var requestBytesInFlightMax = ByteCount.mib(128)
    /// How long a request may take to arrive once it was begun (`request_receive`).
    public var requestReceiveMax = Duration.seconds(60)
    /// Requests of one connection that are worked on at a time, and their bytes (`connection_requests`, `connection_request_bytes`).
    public var connectionRequestsMax = 64
    public var connectionRequestBytesMax = ByteCount.mib(4)
    /// Connections of one listener (`connections`), and how long one may be silent (`connection_idle`).
    public var connectionsMax = 10_000
    /// Of those, from one address (`connections_per_address`). Agents behind one gateway share it.
    public var connectionsPerAddressMax = 10_000
    public var connectionIdleMax = Duration.seconds(600)
    /// From connecting until a peer is let in, where a listener has TLS or SASL (`authentication`), and the connections of one listener that are not in
    /// yet (`unauthenticated_connections`).
    public var authenticationMax = Duration.seconds(15)
    public var unauthenticatedMax = 1000
    /// Records in one answer to a fetch (`fetch_bytes`); they are sent from the file and take no memory.
    public var fetchBytesMax = ByteCount.mib(55)
    /// The longest that a fetch may wait for records (`fetch_wait`).
    public var fetchWaitMax = Duration.seconds(300)
    /// Fetches that wait at a time (`waiting_fetches`); further ones are answered at once.
    public var waitingFetchesMax = 10_000
    /// Fetch sessions (`fetch_sessions`), and the partitions that they all remember together (`fetch_session_partitions`). Beyond them fetches are answered
    /// in full.
    public var fetchSessionsMax = 1000
    public var fetchSessionPartitionsMax = 100_000
    /// Jobs that wait for a disk thread (`disk_jobs`), and the bytes of records that wait for it or for a flush (`disk_job_bytes`).
    public var diskJobsMax = 4096
    public var diskJobBytesMax = ByteCount.mib(128)
    /// Idempotent producers that a partition remembers (`producers_per_partition`); beyond it the one silent longest is forgotten.
    public var producersPerPartitionMax = 100_000
    /// Transactional ids that are known at a time (`transactional_ids`); a further one is turned away until others expire.
    public var transactionalIDsMax = 100_000
    /// Users that may log in by SCRAM or PLAIN (`users`).
    public var usersMax = 10_000
    public var topicsMax = 5000
    public var partitionsMax = 10_000

    public init() {}
}

/// A setting that can't be served; the message says what was found and what to do.
public struct BrokerSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
