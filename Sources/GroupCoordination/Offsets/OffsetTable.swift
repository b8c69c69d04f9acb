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

    /// The partitions whose offsets have outlived `retention` (KIP-211). Those of an empty group are counted from their commit or from when the group became
    /// empty, whichever is later; those of a group without members ever, and of topics that a stable group of consumers does not read any more, from their
    /// commit. What an active group reads, or may read for all that can be told, is kept.
    ///
    /// - Parameter machine: the group, nil where it only ever committed.
    public func expired(
        group: String, machine: GroupMachine?, retention: Duration, wallTime: Timestamp
    ) -> [TopicPartition] {
        guard let machine else {
            return expired(group: group, emptySince: .none, retention: retention, wallTime: wallTime)
        }
        switch machine.state {
        case .empty:
            return expired(
                group: group, emptySince: machine.emptySince ?? .none, retention: retention, wallTime: wallTime)
        case .stable:
            guard let read = machine.subscribedTopics else { return [] }
            return expired(group: group, emptySince: .none, retention: retention, wallTime: wallTime)
                .filter { !read.contains($0.topic) }
        case .preparingRebalance, .completingRebalance, .persistingAssignment, .dead: return []
        }
    }

    /// Counted from the commit or from `emptySince`, whichever is later.
    public func expired(
        group: String, emptySince: Timestamp, retention: Duration, wallTime: Timestamp
    ) -> [TopicPartition] {
        offsets(of: group).filter { max($0.value.committedAt, emptySince) + retention <= wallTime }.map(\.key)
    }
}
