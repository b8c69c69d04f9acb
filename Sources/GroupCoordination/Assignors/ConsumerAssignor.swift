import Base

/// Who is to read what: the assignors that run in the broker (`group.consumer.assignors`).
public enum ConsumerAssignor: String, Sendable, CaseIterable {
    /// Evenly, and each keeps as much of what it has as can be. The default.
    case uniform
    /// Of each topic a stretch of neighbouring partitions, so that whoever reads partition 3 of one topic reads partition 3 of the others.
    case range

    /// A member as an assignor sees it.
    struct Reader: Sendable {
        var memberID: String
        var instanceID: String?
        /// The topics that exist and that it subscribes to.
        var topics: Set<TopicID>
        /// What it was meant to own so far.
        var current: MemberAssignment
    }

    /// The assignment of every reader. Each partition of a topic that somebody subscribes to goes to exactly one of them. The same for the same input.
    func assign(_ partitionCounts: [TopicID: Int32], to readers: [Reader]) -> [String: MemberAssignment] {
        switch self {
        case .uniform: UniformAssignor(partitionCounts: partitionCounts, readers: readers).assign()
        case .range: RangeAssignor(partitionCounts: partitionCounts, readers: readers).assign()
        }
    }
}
