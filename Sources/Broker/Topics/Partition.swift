import Base
import LogStorage
import Synchronization

/// One partition as this broker serves it. The same object for as long as the partition exists and the broker runs.
final class Partition: Sendable {
    let id: TopicPartition
    let topicID: TopicID
    let log: PartitionLog
    /// Under which epoch this broker leads the partition.
    let leaderEpoch: LeaderEpoch
    /// The thread that appends here: appends of one partition keep the order in which they were asked for.
    let lane: DiskLane
    private let deleted = Atomic<Bool>(false)

    init(id: TopicPartition, topicID: TopicID, log: PartitionLog, leaderEpoch: LeaderEpoch, lane: DiskLane) {
        self.id = id
        self.topicID = topicID
        self.log = log
        self.leaderEpoch = leaderEpoch
        self.lane = lane
    }

    /// The topic was deleted. Requests that found the partition before that see it here; its log may still answer for a moment.
    var isDeleted: Bool { deleted.load(ordering: .acquiring) }

    func markDeleted() { deleted.store(true, ordering: .releasing) }
}

/// A topic at one moment; another value takes its place when partitions or settings change.
struct Topic: Sendable {
    let name: String
    let id: TopicID
    /// Overrides under Kafka's dotted names.
    let settings: [String: String]
    /// By index. Nil where the partition's folder can't be served: its disk has failed.
    let partitions: [Partition?]

    var isInternal: Bool { TopicName.isInternal(name) }
}
