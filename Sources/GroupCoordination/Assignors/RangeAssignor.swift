import Base

/// Each topic is cut into stretches of neighbouring partitions, one for each of its readers; the first ones are longer by one where they don't come out even.
/// Readers stand in the order of their instance ids, then of their member ids.
struct RangeAssignor {
    var partitionCounts: [TopicID: Int32]
    var readers: [ConsumerAssignor.Reader]

    func assign() -> [String: MemberAssignment] {
        let inOrder = readers.sorted { left, right in
            switch (left.instanceID, right.instanceID) {
            case (let a?, let b?): a < b
            case (_?, nil): true
            case (nil, _?): false
            case (nil, nil): left.memberID < right.memberID
            }
        }
        var result = Dictionary(uniqueKeysWithValues: readers.map { ($0.memberID, MemberAssignment()) })
        for (topic, partitionCount) in partitionCounts {
            let subscribers = inOrder.filter { $0.topics.contains(topic) }
            guard !subscribers.isEmpty else { continue }
            let share = Int(partitionCount) / subscribers.count
            let longer = Int(partitionCount) % subscribers.count
            var next: Int32 = 0
            for (place, subscriber) in subscribers.enumerated() {
                let end = next + Int32(share + (place < longer ? 1 : 0))
                for partition in next..<end { result[subscriber.memberID]?.insert(topic, partition) }
                next = end
            }
        }
        return result
    }
}
