import Base

/// Offsets that transactions wrote and that do not count yet (KIP-98): they become committed offsets, or go, with the transaction's marker in
/// their partition of `__consumer_offsets`.
public struct PendingOffsets: Sendable {
    public typealias Decided = (group: String, partition: TopicPartition, offset: CommittedOffset)

    /// Of all groups together.
    public static let countMax = 1_000_000

    private struct Place: Hashable {
        var producer: ProducerID
        /// Partition of the offsets topic.
        var index: Int
    }

    private var byPlace: [Place: [Decided]] = [:]
    /// How many transactions hold an offset of a group's partition.
    private var holders: [String: [TopicPartition: Int]] = [:]
    public private(set) var count = 0

    public init() {}

    public mutating func add(
        _ offsets: [(TopicPartition, CommittedOffset)], of group: String, by producer: ProducerID, in index: Int
    ) {
        for (partition, offset) in offsets {
            byPlace[Place(producer: producer, index: index), default: []].append((group, partition, offset))
            holders[group, default: [:]][partition, default: 0] += 1
            count += 1
        }
    }

    /// Takes back what could not be written.
    public mutating func remove(
        _ offsets: [(TopicPartition, CommittedOffset)], of group: String, by producer: ProducerID, in index: Int
    ) {
        let place = Place(producer: producer, index: index)
        for (partition, offset) in offsets {
            let found = byPlace[place]?.lastIndex {
                $0.group == group && $0.partition == partition && $0.offset == offset
            }
            guard let found else { continue }
            byPlace[place]?.remove(at: found)
            release(group, partition)
        }
        if byPlace[place]?.isEmpty ?? false { byPlace[place] = nil }
    }

    /// What the transaction wrote, in order; it is forgotten here.
    public mutating func end(_ producer: ProducerID, in index: Int) -> [Decided] {
        guard let decided = byPlace.removeValue(forKey: Place(producer: producer, index: index)) else { return [] }
        for entry in decided { release(entry.group, entry.partition) }
        return decided
    }

    private mutating func release(_ group: String, _ partition: TopicPartition) {
        count -= 1
        guard let left = holders[group]?[partition] else { return }
        holders[group]?[partition] = left > 1 ? left - 1 : nil
        if holders[group]?.isEmpty ?? false { holders[group] = nil }
    }

    public func partitions(of group: String) -> Set<TopicPartition> { Set(holders[group, default: [:]].keys) }

    /// Adds what a replay found.
    public mutating func take(_ other: PendingOffsets) {
        for (place, offsets) in other.byPlace {
            for entry in offsets {
                add([(entry.partition, entry.offset)], of: entry.group, by: place.producer, in: place.index)
            }
        }
    }
}
