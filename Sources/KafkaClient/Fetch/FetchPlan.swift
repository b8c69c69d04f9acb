import Base
import KafkaWire

/// Which partition is fetched from whom and from where. A value without I/O: what happened goes in, what to do comes out.
struct FetchPlan {
    /// Where a partition's next fetch begins.
    enum Position: Sendable, Equatable {
        /// With the epoch of the record before it, where that is known.
        case offset(Offset, after: LeaderEpoch = .none)
        /// To be looked up.
        case query(OffsetQuery)
    }

    private enum State: Equatable {
        /// Its leader or its first offset is not known; to be found out at the time.
        case unresolved(retryAt: Instant)
        case ready(leader: BrokerID, epoch: LeaderEpoch)
        /// Left alone until it is started again.
        case paused
    }

    private struct Entry {
        var position: Position
        var topicID = TopicID.zero
        var state: State
        var backoff: Backoff
        /// Another one for each start: answers of an earlier one are stale.
        var run: UInt64
    }

    /// One partition of a fetch request.
    struct Item: Equatable {
        var partition: TopicPartition
        var topicID: TopicID
        var offset: Offset
        var epoch: LeaderEpoch
        /// Of the record before `offset`; a leader that holds another there says so (KIP-595).
        var lastEpoch: LeaderEpoch
        var run: UInt64
    }

    private var entries: [TopicPartition: Entry] = [:]
    private var runs: UInt64 = 0
    private var turns = 0
    /// Brokers before 2.7 can't be told what was read last.
    private var tellsEpochs = true
    /// Brokers whose loop runs: `brokersToStart` names each only once until `items` has nothing for it.
    private var running: Set<BrokerID> = []
    private let backoff: Backoff

    init(backoff: Backoff = Backoff()) { self.backoff = backoff }

    var partitions: [TopicPartition] { Array(entries.keys) }

    // MARK: What is read

    mutating func start(_ positions: [TopicPartition: Position], now: Instant) {
        for (partition, position) in positions {
            runs += 1
            entries[partition] = Entry(
                position: position, topicID: entries[partition]?.topicID ?? .zero, state: .unresolved(retryAt: now),
                backoff: backoff, run: runs)
        }
    }

    mutating func stopAll() { entries = [:] }

    func isCurrent(_ partition: TopicPartition, run: UInt64) -> Bool { entries[partition]?.run == run }

    /// The start that a partition is in; nil where it is not read.
    func run(of partition: TopicPartition) -> UInt64? { entries[partition]?.run }

    // MARK: Finding out

    /// Partitions to be resolved now, with the offset that is to be looked up.
    func unresolved(now: Instant) -> [TopicPartition: OffsetQuery?] {
        var found: [TopicPartition: OffsetQuery?] = [:]
        for (partition, entry) in entries {
            guard case .unresolved(let retryAt) = entry.state, now >= retryAt else { continue }
            switch entry.position {
            case .offset: found[partition] = .some(nil)
            case .query(let query): found[partition] = query
            }
        }
        return found
    }

    /// When the next partition is to be resolved.
    var resolveAt: Instant {
        entries.values.reduce(.distantFuture) { earliest, entry in
            if case .unresolved(let retryAt) = entry.state { min(earliest, retryAt) } else { earliest }
        }
    }

    /// - Returns: false where the topic is another one than before, under the same name.
    mutating func leaderFound(
        _ partition: TopicPartition, leader: BrokerID, epoch: LeaderEpoch, topicID: TopicID, offset: Offset?
    ) -> Bool {
        guard var entry = entries[partition], case .unresolved = entry.state else { return true }
        if entry.topicID != .zero && topicID != .zero && entry.topicID != topicID {
            entries[partition]?.state = .paused
            return false
        }
        entry.topicID = topicID
        if let offset { entry.position = .offset(offset) }
        if case .query = entry.position { return true }
        entry.state = .ready(leader: leader, epoch: epoch)
        entries[partition] = entry
        return true
    }

    mutating func resolveFailed(_ partition: TopicPartition, now: Instant) {
        guard case .unresolved = entries[partition]?.state else { return }
        retry(partition, now: now)
    }

    private mutating func retry(_ partition: TopicPartition, now: Instant) {
        guard var entry = entries[partition], entry.state != .paused else { return }
        entry.state = .unresolved(retryAt: now + entry.backoff.next())
        entries[partition] = entry
    }

    // MARK: Fetching

    /// Brokers that have partitions for us and no loop yet; the caller starts one for each.
    mutating func brokersToStart() -> [BrokerID] {
        var brokers: Set<BrokerID> = []
        for entry in entries.values {
            if case .ready(let leader, _) = entry.state, !running.contains(leader) { brokers.insert(leader) }
        }
        running.formUnion(brokers)
        return brokers.sorted()
    }

    /// What to ask the broker for next; where that is nothing its loop has to end. Another partition stands first each time,
    /// for a broker fills its answer in that order.
    mutating func items(for broker: BrokerID) -> [Item] {
        var items: [Item] = []
        for (partition, entry) in entries {
            guard case .ready(broker, let epoch) = entry.state, case .offset(let offset, let lastEpoch) = entry.position
            else {
                continue
            }
            items.append(
                Item(
                    partition: partition, topicID: entry.topicID, offset: offset, epoch: epoch,
                    lastEpoch: tellsEpochs ? lastEpoch : .none, run: entry.run))
        }
        guard !items.isEmpty else {
            running.remove(broker)
            return []
        }
        items.sort { $0.partition < $1.partition }
        turns += 1
        let shift = turns % items.count
        return Array(items[shift...] + items[..<shift])
    }

    /// The loop ended for another reason than having nothing to do.
    mutating func loopEnded(_ broker: BrokerID) { running.remove(broker) }

    /// Moves a partition on. False where it was stopped or started anew since: what came is not wanted.
    mutating func fetched(_ item: Item, nextOffset: Offset, lastEpoch: LeaderEpoch) -> Bool {
        guard isCurrent(item.partition, run: item.run) else { return false }
        entries[item.partition]?.position = .offset(nextOffset, after: lastEpoch)
        entries[item.partition]?.backoff.reset()
        return true
    }

    /// This cluster can't be told what was read last.
    mutating func forgetEpochs() { tellsEpochs = false }

    /// The leader is another one, or does not answer.
    mutating func leaderLost(_ item: Item, now: Instant) {
        guard isCurrent(item.partition, run: item.run) else { return }
        retry(item.partition, now: now)
    }

    /// Leaves a partition alone until it is started again.
    mutating func pause(_ partition: TopicPartition) { entries[partition]?.state = .paused }

    /// Leaves it alone until it is started again. False where that has happened already.
    mutating func pause(_ item: Item) -> Bool {
        guard isCurrent(item.partition, run: item.run) else { return false }
        entries[item.partition]?.state = .paused
        return true
    }
}
