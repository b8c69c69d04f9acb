import Base
import KafkaConnection
import KafkaWire
import Logging
import Telemetry

/// A connection ended. Peers can cause this at will, so it is said aloud only where they broke the protocol, and not too often.
struct ConnectionClosed: Fact {
    let listener: String
    let peer: String
    let reason: CloseReason
    /// Refusals that were counted but not said since the last one that was.
    var unsaidCount = 0
    var isSaid = false

    var level: Logger.Level { isSaid ? .warning : .debug }
    var message: String {
        let others = unsaidCount > 0 ? " (and \(unsaidCount) others since the last such line)" : ""
        return "the connection of \(peer) to listener \(listener) ended: \(reason)\(others)"
    }
    func measure(in metrics: MetricRegistry) {
        if reason.isRefusal {
            metrics.counter(BrokerMetrics.connectionsRefused, listener).increment()
        }
    }
}

/// Peers can cause this at will: said once in a while.
struct ConnectionTurnedAway: Fact {
    let listener: String
    let peer: String
    let limit: ConnectionLimit
    let openCount: Int
    var isSaid = false
    /// How many went unsaid since the last line.
    var unsaidCount = 0

    var level: Logger.Level { isSaid ? .warning : .debug }
    var message: String {
        let others = unsaidCount > 0 ? " (and \(unsaidCount) others since the last such line)" : ""
        let open =
            switch limit {
            case .all: "\(openCount) connections are open (limits: connections)"
            case .address: "\(openCount) of its connections are open (limits: connections_per_address)"
            case .unauthenticated:
                "\(openCount) connections have not authenticated yet (limits: unauthenticated_connections)"
            }
        return "turned \(peer) away from listener \(listener): \(open)\(others)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(
            BrokerMetrics.connectionsTurnedAway, listener, limit.rawValue
        ).increment()
    }
}

struct BrokerStarted: Fact {
    let brokerID: BrokerID
    let clusterID: String
    let leaderEpoch: LeaderEpoch
    let listeners: [String]
    /// Every listener binds the loopback.
    let isLocal: Bool
    let topicCount: Int
    let partitionCount: Int

    var message: String {
        let reach = isLocal ? "; only this machine can connect (listeners: in the file)" : ""
        return "broker \(brokerID) of cluster \(clusterID) serves \(partitionCount) partitions of \(topicCount) topics "
            + "at \(listeners.joined(separator: ", "))\(reach)"
    }
    var metadata: Logger.Metadata { ["leader_epoch": "\(leaderEpoch)"] }
}

struct MetadataRebuilt: Fact {
    let reason: String
    let topicCount: Int

    var level: Logger.Level { .error }
    var message: String {
        "\(reason). \(topicCount) topics were found again by their folders, without their own settings: "
            + "compare them with what you expect (millrace topics)"
    }
}

struct TopicCreated: Fact {
    let topic: String
    let partitionCount: Int32

    var message: String { "topic \(topic) was created with \(partitionCount) partitions" }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.topicsCreated).increment() }
}

struct TopicDeleted: Fact {
    let topic: String

    var message: String { "topic \(topic) was deleted" }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.topicsDeleted).increment() }
}

struct PartitionOffline: Fact {
    let partition: TopicPartition
    let reason: String

    var level: Logger.Level { .error }
    var message: String { "partition \(partition) is offline: \(reason)" }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.partitionsOffline).increment() }
}

/// A folder that no topic claims. It is left alone: what was acknowledged is never deleted on a guess.
struct StrayFolderFound: Fact {
    let partition: TopicPartition
    let topicID: TopicID

    var level: Logger.Level { .warning }
    var message: String {
        "the folder of \(partition) (topic id \(topicID)) belongs to no topic of this broker; it is left alone. "
            + "Move it away once you know that it is not needed"
    }
}

/// Appends were turned away because the disk does not keep up; the clients try again.
struct AppendTurnedAway: Fact {
    let partition: TopicPartition

    var level: Logger.Level { .debug }
    var message: String {
        "an append to \(partition) was turned away: too much waits for the disk (limits: disk_jobs, disk_job_bytes)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.appendsTurnedAway).increment()
    }
}

/// An append failed in the disk's hands, not for what was in it. The log engine says once that the disk is full or offline; clients try
/// again and again.
struct AppendFailed: Fact {
    let partition: TopicPartition
    let reason: String

    var level: Logger.Level { .debug }
    var message: String { "an append to \(partition) failed: \(reason)" }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.appendsFailed).increment() }
}

/// A write on an event loop took long: for a while the disk lanes do all writing.
struct LoopWritesPaused: Fact {
    let took: Duration

    var level: Logger.Level { .debug }
    var message: String {
        "a write into the page cache took \(took.milliseconds) ms on an event loop: for \(LoopWriteGate.pause) the disk "
            + "threads write. Where this repeats, the disk does not keep up with what is written back (vm.dirty_ratio)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.loopWritesPaused).increment()
    }
}

/// Offsets that nobody committed, and of a group that nobody was in, for longer than they are kept.
struct OffsetsExpired: Fact {
    let group: String
    let count: Int
    /// The group itself goes with them.
    let withGroup: Bool

    var message: String {
        "\(count) committed offsets of group \(group) outlived their retention\(withGroup ? "; the group is forgotten" : "")"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.offsetsExpired).increment(by: count)
    }
}

/// Requests wait for others to be answered. Peers can cause this at will, so it is said once in a while; how many waited is
/// `millrace_broker_request_waits_total`.
struct RequestBudgetExhausted: Fact {
    let bytesMax: ByteCount
    let isSaid: Bool
    /// How often it happened unsaid since the last line.
    let unsaidCount: Int

    var level: Logger.Level { isSaid ? .warning : .debug }
    var message: String {
        let others = unsaidCount > 0 ? " (and \(unsaidCount) times since the last such line)" : ""
        return
            "requests of \(bytesMax) are being worked on, and senders have to wait (limits: request_bytes_in_flight)\(others)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.requestBudgetExhausted).increment()
    }
}
