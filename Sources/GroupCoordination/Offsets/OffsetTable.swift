import Base

/// A position that a group committed.
public struct CommittedOffset: Sendable, Equatable {
    public var offset: Offset
    public var leaderEpoch: LeaderEpoch
    public var metadata: String
    public var committedAt: Timestamp

    public init(offset: Offset, leaderEpoch: LeaderEpoch, metadata: String, committedAt: Timestamp) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.committedAt = committedAt
    }
}

/// The committed offsets of all groups: the replayed contents of `__consumer_offsets`.
///
/// A commit shows here only once the log holds it at the topic's durability, so nobody reads an offset that a crash could take back.
public struct OffsetTable: Sendable {
    private var byGroup: [String: [TopicPartition: CommittedOffset]] = [:]

    public init() {}

    public subscript(group: String, partition: TopicPartition) -> CommittedOffset? {
        get { byGroup[group]?[partition] }
        set {
            byGroup[group, default: [:]][partition] = newValue
            if byGroup[group]?.isEmpty == true { byGroup[group] = nil }
        }
    }

    public func offsets(of group: String) -> [TopicPartition: CommittedOffset] { byGroup[group] ?? [:] }

    public var groups: [String] { Array(byGroup.keys) }

    /// What a deleted topic leaves behind.
    public func partitions(ofTopic topic: String) -> [(group: String, partition: TopicPartition)] {
        byGroup.flatMap { group, offsets in
            offsets.keys.filter { $0.topic == topic }.map { (group, $0) }
        }
    }

    /// The partitions whose offsets have outlived `retention`, counted from the commit or from when the group became empty,
    /// whichever is later (KIP-211).
    public func expired(
        group: String, emptySince: Timestamp, retention: Duration, wallTime: Timestamp
    ) -> [TopicPartition] {
        offsets(of: group).filter { max($0.value.committedAt, emptySince) + retention <= wallTime }.map(\.key)
    }
}
