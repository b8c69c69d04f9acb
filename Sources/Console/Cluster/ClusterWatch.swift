public import Base
import Events
public import KafkaClient

/// A cluster as somebody watches it: what the console's pages are drawn from, for whoever draws it otherwise (`millrace top`).
public struct WatchedCluster: Sendable, Equatable {
    public struct Topic: Sendable, Equatable {
        public var name: String
        public var isInternal: Bool
        public var partitions: Int
        public var records: Int64
        public var bytes: Int64?
        public var linesPerSecond: Double
        public var leaderless: Int
    }

    public struct Group: Sendable, Equatable {
        public var name: String
        public var state: String
        public var lag: Int64
        public var delaySeconds: Double
        public var topics: [String]
    }

    /// An agent as it reports itself in `__millrace_status`.
    public struct Agent: Sendable, Equatable {
        public var name: String
        public var isSilent: Bool
        public var isStalled: Bool
        public var sources: Int64
        public var unreadBytes: Int64
        public var pendingBatches: Int64
        public var lastError: String?
        /// Its streams with the most unread bytes, the most first.
        public var streams: [Stream]
    }

    public struct Stream: Sendable, Equatable {
        public var source: String
        public var place: String
        public var offset: Int64
        public var unread: Int64?
    }

    public var time: Timestamp
    public var clusterID: String?
    public var brokers: Int
    public var linesPerSecond: Double
    public var bytesPerSecond: Double?
    /// Whether it was looked at twice, so that rates are known.
    public var hasRates = false
    public var topics: [Topic]
    public var groups: [Group]
    public var agents: [Agent]
    /// Why it is old, in words; nil while the cluster answers.
    public var trouble: String?
    /// Why agents are missing, in words.
    public var statusTrouble: String?

    public init(time: Timestamp) {
        self.time = time
        brokers = 0
        linesPerSecond = 0
        topics = []
        groups = []
        agents = []
    }
}

/// Looks at a cluster again and again. `run` has to run for as long as anybody looks.
public struct ClusterWatch: Sendable {
    /// An agent that has said nothing for this long is shown as silent.
    public static let silentAfter = ConsoleAPI.silentAfter

    private let sampler: ClusterSampler
    private let statuses: StatusReader
    private let time: any TimeSource

    public init(cluster: KafkaCluster, statusTopic: String, time: any TimeSource = SystemTime()) {
        sampler = ClusterSampler(cluster: cluster, time: time)
        statuses = StatusReader(cluster: cluster, topic: statusTopic)
        self.time = time
    }

    /// Until the task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await sampler.run() }
            group.addTask { await statuses.run() }
        }
    }

    /// What is known now. Waits for the very first look.
    public func look() async -> WatchedCluster {
        let picture = await sampler.watch()
        var watched = WatchedCluster(time: time.wallTime)
        watched.clusterID = picture.clusterID
        watched.brokers = picture.brokers.count
        watched.hasRates = !picture.points.last.isEmpty
        watched.linesPerSecond = picture.points.last.last?.linesPerSecond ?? 0
        watched.bytesPerSecond = picture.points.last.last { $0.bytesPerSecond != nil }?.bytesPerSecond
        watched.topics = picture.topics.map {
            WatchedCluster.Topic(
                name: $0.name, isInternal: $0.isInternal, partitions: $0.partitionCount, records: $0.records,
                bytes: $0.bytes, linesPerSecond: $0.linesPerSecond, leaderless: $0.leaderless)
        }
        watched.groups = picture.groups.map {
            WatchedCluster.Group(
                name: $0.name, state: $0.state, lag: $0.lag, delaySeconds: $0.delaySeconds, topics: $0.topics)
        }
        watched.agents = await statuses.reports(kind: "agent").map { agent($0.key, $0.report) }
        watched.trouble = picture.trouble
        watched.statusTrouble = await statuses.trouble
        return watched
    }

    private func agent(_ key: String, _ report: Value) -> WatchedCluster.Agent {
        let told = report["time"].int.map { Timestamp(milliseconds: $0) }
        let streams = report["streams"].elements.map { stream in
            WatchedCluster.Stream(
                source: stream["source"].text ?? "?", place: stream["place"].text ?? "",
                offset: stream["offset"].int ?? 0, unread: stream["unread"].int)
        }
        return WatchedCluster.Agent(
            name: report["agent"].text ?? key, isSilent: told.map { time.wallTime - $0 > Self.silentAfter } ?? true,
            isStalled: report["stalled"] == .bool(true), sources: report["sources_total"].int ?? 0,
            unreadBytes: report["unread_bytes"].int ?? 0, pendingBatches: report["pending_batches"].int ?? 0,
            lastError: report["last_error"].text, streams: streams)
    }
}

extension Value {
    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}
