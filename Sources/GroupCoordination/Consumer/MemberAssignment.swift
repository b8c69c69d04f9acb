import Base

/// Partitions of topics by id: what a member owns, gives up, or is meant to own. Holds no topic without partitions.
public struct MemberAssignment: Sendable, Equatable {
    public private(set) var byTopic: [TopicID: Set<Int32>] = [:]

    public init() {}

    public init(_ byTopic: [TopicID: Set<Int32>]) { self.byTopic = byTopic.filter { !$0.value.isEmpty } }

    public init(_ topics: some Sequence<(topic: TopicID, partitions: [Int32])>) {
        for (topic, partitions) in topics where !partitions.isEmpty {
            byTopic[topic, default: []].formUnion(partitions)
        }
    }

    public var isEmpty: Bool { byTopic.isEmpty }

    public var count: Int { byTopic.values.reduce(0) { $0 + $1.count } }

    public func contains(_ topic: TopicID, _ partition: Int32) -> Bool { byTopic[topic]?.contains(partition) ?? false }

    public mutating func insert(_ topic: TopicID, _ partition: Int32) {
        byTopic[topic, default: []].insert(partition)
    }

    public mutating func remove(_ topic: TopicID, _ partition: Int32) {
        byTopic[topic]?.remove(partition)
        if byTopic[topic]?.isEmpty ?? false { byTopic[topic] = nil }
    }

    public func intersection(_ other: MemberAssignment) -> MemberAssignment {
        MemberAssignment(
            byTopic.reduce(into: [:]) { common, entry in
                common[entry.key] = entry.value.intersection(other.byTopic[entry.key] ?? [])
            })
    }

    public func subtracting(_ other: MemberAssignment) -> MemberAssignment {
        MemberAssignment(
            byTopic.reduce(into: [:]) { left, entry in
                left[entry.key] = entry.value.subtracting(other.byTopic[entry.key] ?? [])
            })
    }

    public func union(_ other: MemberAssignment) -> MemberAssignment {
        MemberAssignment(byTopic.merging(other.byTopic) { $0.union($1) })
    }

    public func filter(_ isIncluded: (TopicID, Int32) -> Bool) -> MemberAssignment {
        MemberAssignment(
            byTopic.reduce(into: [:]) { kept, entry in
                kept[entry.key] = entry.value.filter { isIncluded(entry.key, $0) }
            })
    }

    public func isSubset(of other: MemberAssignment) -> Bool {
        byTopic.allSatisfy { $0.value.isSubset(of: other.byTopic[$0.key] ?? []) }
    }

    public func isDisjoint(with other: MemberAssignment) -> Bool {
        byTopic.allSatisfy { $0.value.isDisjoint(with: other.byTopic[$0.key] ?? []) }
    }

    /// By topic id, each with its partitions in order: as requests and records hold it.
    public var sorted: [(topic: TopicID, partitions: [Int32])] {
        byTopic.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }
}
