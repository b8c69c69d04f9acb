import Base
import KafkaWire

/// One partition that a fetch asks for.
struct AskedPartition: Equatable, Sendable {
    /// By name before v13, by id from then on; the other one is empty.
    var topic: String
    var topicID: TopicID
    var request: FetchRequest.FetchPartition

    var key: FetchSession.Key { FetchSession.Key(topic: topic, topicID: topicID, partition: request.partition) }
}

/// The partitions that one consumer reads, remembered so that it need not name them in each fetch, nor be told of those where nothing has changed
/// (KIP-227). A value without I/O.
struct FetchSession: Sendable {
    struct Key: Hashable, Sendable {
        var topic: String
        var topicID: TopicID
        var partition: Int32
    }

    /// What the consumer was told last; a difference has to be told.
    private struct Told: Sendable {
        /// −1 where it is not known what the consumer knows: then the next answer names the partition.
        var highWatermark: Int64 = -1
        var logStartOffset: Int64 = -1
    }

    private struct Entry: Sendable {
        var asked: AskedPartition
        var told = Told()
    }

    let usesTopicIDs: Bool
    /// The epoch that the next request has to bear.
    private(set) var nextEpoch: Int32 = 1
    var lastUsed: Instant
    private var entries: [Key: Entry] = [:]
    /// In which they are read. Those that had records go to the end, so that a busy partition can't keep the others out of answers that are full.
    private var order: [Key] = []

    init(usesTopicIDs: Bool, now: Instant) {
        self.usesTopicIDs = usesTopicIDs
        lastUsed = now
    }

    var partitionCount: Int { order.count }
    var asked: [AskedPartition] { order.map { entries[$0]!.asked } }

    /// The epoch after this one; 0 and −1 mean something else, so it wraps to 1.
    mutating func advanceEpoch() { nextEpoch = nextEpoch == .max ? 1 : nextEpoch + 1 }

    /// Takes partitions in, or takes over their new fetch offsets.
    mutating func add(_ asked: [AskedPartition]) {
        for partition in asked {
            if entries[partition.key] == nil {
                order.append(partition.key)
                entries[partition.key] = Entry(asked: partition)
            } else {
                entries[partition.key]!.asked = partition
            }
        }
    }

    mutating func forget(_ keys: [Key]) {
        guard !keys.isEmpty else { return }
        for key in keys { entries[key] = nil }
        order.removeAll { entries[$0] == nil }
    }

    /// Notes what the consumer is told. `isNews` tells for each answer whether it has to be in an incremental response.
    mutating func answered(_ answers: [(key: Key, data: FetchResponse.PartitionData)]) -> [Bool] {
        var withRecords: Set<Key> = []
        let isNews = answers.map { key, data in
            guard let entry = entries[key] else { return true }
            let hasRecords = data.records.map { $0.byteCount > 0 } ?? false
            if hasRecords { withRecords.insert(key) }
            let isError = data.errorCode.isError
            let isNews =
                hasRecords || isError || data.divergingEpoch != FetchResponse.EpochEndOffset()
                || data.highWatermark != entry.told.highWatermark || data.logStartOffset != entry.told.logStartOffset
            // After an error the consumer has to hear that it is over.
            entries[key]!.told =
                isError ? Told() : Told(highWatermark: data.highWatermark, logStartOffset: data.logStartOffset)
            return isNews
        }
        if !withRecords.isEmpty, withRecords.count < order.count {
            order = order.filter { !withRecords.contains($0) } + order.filter { withRecords.contains($0) }
        }
        return isNews
    }
}
