import Base

/// Kafka's `range` assignor: of each topic every member gets a run of neighbouring partitions, the first members one more where it does not divide.
///
/// Members are in the order of their instance ids, then member ids, so equal inputs give equal plans in any client (`RangeAssignor.java`).
enum RangeAssignor {
    static let name = "range"

    struct Member: Sendable, Equatable {
        var memberID: String
        var instanceID: String?
        var topics: [String]
    }

    static func assign(_ members: [Member], partitionCounts: [String: Int]) -> [String: [TopicPartition]] {
        var plan = Dictionary(uniqueKeysWithValues: members.map { ($0.memberID, [TopicPartition]()) })
        let sorted = members.sorted { left, right in
            switch (left.instanceID, right.instanceID) {
            case (.some(let first), .some(let second)): first < second
            case (.some, nil): true
            case (nil, .some): false
            case (nil, nil): left.memberID < right.memberID
            }
        }
        for (topic, count) in partitionCounts.sorted(by: { $0.key < $1.key }) {
            let subscribed = sorted.filter { $0.topics.contains(topic) }
            guard !subscribed.isEmpty else { continue }
            var next = 0
            for (place, member) in subscribed.enumerated() {
                let share = count / subscribed.count + (place < count % subscribed.count ? 1 : 0)
                for partition in next..<(next + share) {
                    plan[member.memberID]?.append(TopicPartition(topic: topic, partition: Int32(partition)))
                }
                next += share
            }
        }
        return plan
    }
}
