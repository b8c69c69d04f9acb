import Base
import KafkaClient

struct TopicPicture: Sendable {
    var name: String
    var isInternal: Bool
    var partitionCount: Int
    /// Records between the first and the last offset of all partitions; more than there are where the topic is compacted.
    var records: Int64
    var bytes: Int64?
    var linesPerSecond: Double
    var retention: String?
    var cleanup: String?
    var leaderless: Int
}

struct GroupPicture: Sendable {
    var name: String
    var state: String
    var lag: Int64
    var delaySeconds: Double
    var topics: [String]
    var history: Ring<(time: Timestamp, lag: Int64)>
}

/// What the sampler knows: a value that the pages are drawn from, without asking the cluster.
struct ClusterPicture: Sendable {
    static let pointsMax = 360

    var time = Timestamp.none
    var clusterID: String?
    var brokers: [BrokerInfo] = []
    var topics: [TopicPicture] = []
    var groups: [GroupPicture] = []
    var points = Ring<ClusterPoint>(countMax: pointsMax)
    /// Why the picture is old, in words; nil while the cluster answers.
    var trouble: String?
    /// Why groups or sizes are missing, where the cluster refuses to tell them.
    var gaps: [String: String] = [:]
}
