import Base

/// Balanced and sticky: readers of the same topics differ by at most one partition, and a partition moves only where that takes it.
///
/// 1. Each reader keeps what it has of the topics that it still reads, up to its share.
/// 2. What is left goes to whoever has least among those who may read it.
/// 3. Where readers differ in their topics, partitions move from the fullest reader to one that has at least two fewer, until there is none.
struct UniformAssignor {
    private struct Place: Hashable {
        var topic: TopicID
        var partition: Int32
    }

    private let readers: [ConsumerAssignor.Reader]
    /// Subscribed partitions in a fixed order.
    private let places: [Place]
    /// For each topic who may read it, as places in `readers`.
    private let eligible: [TopicID: [Int]]
    private let isHomogeneous: Bool
    private var owner: [Place: Int] = [:]
    private var counts: [Int]

    init(partitionCounts: [TopicID: Int32], readers: [ConsumerAssignor.Reader]) {
        let readers = readers.sorted { $0.memberID < $1.memberID }
        var eligible: [TopicID: [Int]] = [:]
        for (index, reader) in readers.enumerated() {
            for topic in reader.topics where partitionCounts[topic] != nil {
                eligible[topic, default: []].append(index)
            }
        }
        self.readers = readers
        self.eligible = eligible
        places = eligible.keys.sorted().flatMap { topic in
            (0..<(partitionCounts[topic] ?? 0)).map { Place(topic: topic, partition: $0) }
        }
        isHomogeneous = readers.allSatisfy { $0.topics == readers.first?.topics }
        counts = readers.map { _ in 0 }
    }

    func assign() -> [String: MemberAssignment] {
        var work = self
        work.keep()
        work.fill()
        if !isHomogeneous { work.balance() }
        var result = Dictionary(uniqueKeysWithValues: readers.map { ($0.memberID, MemberAssignment()) })
        for (place, index) in work.owner { result[readers[index].memberID]?.insert(place.topic, place.partition) }
        return result
    }

    private mutating func keep() {
        guard !readers.isEmpty else { return }
        var former: [Place: Int] = [:]
        for (index, reader) in readers.enumerated() {
            for (topic, partitions) in reader.current.byTopic where reader.topics.contains(topic) {
                for partition in partitions { former[Place(topic: topic, partition: partition)] = index }
            }
        }
        var kept: [[Place]] = readers.map { _ in [] }
        for place in places {
            if let index = former[place] { kept[index].append(place) }
        }
        // Those who have most keep the shares that are longer by one, so that least moves.
        var longer = places.count % readers.count
        let share = places.count / readers.count
        let byCount = kept.indices.sorted { (-kept[$0].count, $0) < (-kept[$1].count, $1) }
        for index in byCount {
            var quota = isHomogeneous ? share : kept[index].count
            if isHomogeneous, kept[index].count > share, longer > 0 {
                quota += 1
                longer -= 1
            }
            for place in kept[index].prefix(quota) { give(place, to: index) }
        }
    }

    private mutating func fill() {
        for place in places where owner[place] == nil {
            guard let index = eligible[place.topic]?.min(by: { (counts[$0], $0) < (counts[$1], $1) }) else { continue }
            give(place, to: index)
        }
    }

    private mutating func give(_ place: Place, to index: Int) {
        if let former = owner.updateValue(index, forKey: place) { counts[former] -= 1 }
        counts[index] += 1
    }

    /// Each move makes the counts more even, so it ends; the passes are bounded all the same.
    private mutating func balance() {
        for _ in 0..<readers.count {
            var hasMoved = false
            for place in places {
                guard let from = owner[place], let readers = eligible[place.topic],
                    let least = readers.min(by: { (counts[$0], $0) < (counts[$1], $1) }),
                    counts[from] >= counts[least] + 2
                else { continue }
                give(place, to: least)
                hasMoved = true
            }
            if !hasMoved { return }
        }
    }
}
