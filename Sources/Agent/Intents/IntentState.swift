import Base
import DequeModule
import KafkaClient

/// What the intent log knows: the sum of its checkpoint and of every record since. No I/O.
struct IntentState {
    struct Partition: Equatable {
        var topicID: TopicID = .zero
        var identity: ProducerIdentity
        var nextSequence: Int32 = 0
        var floor: Offset = .none
        /// A batch was given up, and the sequences after it were not given anew yet.
        var hasHole = false
    }

    struct Intent: Equatable {
        var batch: SealedBatch
        /// The record that holds it.
        var record: UInt64
        /// Its bytes, counted as positions are.
        var place: UInt64
        /// The stored bytes carry an older identity.
        var isRebased = false
        /// Nil while it isn't acknowledged.
        var acknowledged: Offset?
        /// It counts as acknowledged, and the broker never had it.
        var isGivenUp = false
    }

    var binding = StateBinding()
    var producer = ProducerIdentity.none
    var nextBatch: UInt64 = 1
    var nextStream: UInt64 = 1
    var streams: [StreamID: StreamCheckpoint] = [:]
    var partitions: [TopicPartition: Partition] = [:]
    /// Over how many partitions the sources of each topic are spread.
    var spread: [String: Int32] = [:]
    /// In the order of their seals; the first is what keeps the ring's oldest record.
    var intents: Deque<Intent> = []
    var counts = SourceCounts()

    mutating func apply(_ seal: IntentRecord.SealRecord, record: UInt64) {
        for (batch, place) in seal.batches {
            intents.append(Intent(batch: batch, record: record, place: record + UInt64(place)))
            nextBatch = batch.id.rawValue + BatchID.step
            partitions[batch.partition, default: Partition(identity: batch.identity)].identity = batch.identity
            partitions[batch.partition]!.nextSequence = batch.nextSequence
        }
        for stream in seal.streams {
            streams[stream.stream] = stream
            nextStream = max(nextStream, stream.stream.rawValue + 1)
        }
        for stream in seal.retired { streams[stream] = nil }
        for count in seal.counts { counts.add(count) }
    }

    /// Other batches stand for a pending one from here on: its halves, or the same bytes elsewhere in the ring.
    mutating func apply(_ replacements: [IntentRecord.Replacement], record: UInt64) {
        for replacement in replacements {
            guard let index = index(of: replacement.original), intents[index].acknowledged == nil else { continue }
            intents.remove(at: index)
            intents.insert(
                contentsOf: replacement.parts.map { batch, place in
                    Intent(batch: batch, record: record, place: record + UInt64(place))
                }, at: index)
        }
    }

    mutating func acknowledge(_ batch: BatchID, at offset: Offset) {
        guard let index = index(of: batch) else { return }
        intents[index].acknowledged = offset
        guard offset != .none else { return }
        let end = offset + Int64(intents[index].batch.recordCount)
        let partition = intents[index].batch.partition
        if let floor = partitions[partition]?.floor, floor < end { partitions[partition]!.floor = end }
    }

    /// The batch will never be sent; its sequences are missing.
    mutating func giveUp(_ batch: BatchID) {
        guard let index = index(of: batch), intents[index].acknowledged == nil else { return }
        intents[index].acknowledged = Offset.none
        intents[index].isGivenUp = true
        partitions[intents[index].batch.partition]!.hasHole = true
    }

    mutating func apply(_ opening: PartitionOpening) {
        guard partitions[opening.partition] != nil else { return }
        partitions[opening.partition]!.topicID = opening.topicID
        partitions[opening.partition]!.floor = opening.floor
        forgetOffsets(of: opening.partition)
    }

    mutating func apply(_ rebase: PartitionRebase) {
        var sequence: Int32 = 0
        for id in rebase.batches {
            guard let index = index(of: id) else { continue }
            intents[index].batch.identity = rebase.identity
            intents[index].batch.baseSequence = sequence
            intents[index].isRebased = true
            intents[index].acknowledged = nil
            sequence = intents[index].batch.nextSequence
        }
        partitions[rebase.partition] = Partition(
            topicID: rebase.topicID, identity: rebase.identity, nextSequence: sequence, floor: rebase.floor)
    }

    mutating func reopen(_ batches: [BatchID]) {
        for id in batches {
            if let index = index(of: id) { intents[index].acknowledged = nil }
        }
    }

    /// Acknowledged offsets of a topic that is gone say nothing about the new one.
    private mutating func forgetOffsets(of partition: TopicPartition) {
        for index in intents.indices where intents[index].batch.partition == partition {
            if intents[index].acknowledged != nil { intents[index].acknowledged = Offset.none }
        }
    }

    /// What was shipped elsewhere must be shipped here anew as far as it is still pending; what is acknowledged there is done.
    mutating func forgetCluster() {
        for partition in partitions.keys {
            partitions[partition]!.topicID = .zero
            partitions[partition]!.floor = .none
            forgetOffsets(of: partition)
        }
    }

    func index(of id: BatchID) -> Int? {
        guard let first = intents.first?.batch.id, id >= first else { return nil }
        // Numbers are dense but for what damage left out.
        var low = intents.startIndex
        var high = intents.endIndex
        while low < high {
            let middle = (low + high) / 2
            if intents[middle].batch.id < id { low = middle + 1 } else { high = middle }
        }
        return low < intents.endIndex && intents[low].batch.id == id ? low : nil
    }

    /// What the producer machine starts from.
    var snapshots: [PartitionSnapshot] {
        var snapshots: [TopicPartition: PartitionSnapshot] = [:]
        for (partition, state) in partitions {
            snapshots[partition] = PartitionSnapshot(
                partition: partition, topicID: state.topicID, identity: state.identity,
                nextSequence: state.nextSequence, floor: state.floor, hasHole: state.hasHole, acknowledged: [],
                pending: [])
        }
        for intent in intents where !intent.isGivenUp {
            let partition = intent.batch.partition
            if let offset = intent.acknowledged {
                snapshots[partition]?.acknowledged.append((intent.batch, offset))
            } else {
                snapshots[partition]?.pending.append(intent.batch)
            }
        }
        return snapshots.values.sorted { $0.partition < $1.partition }
    }
}

/// Lines and bytes per source and hour, for the last three days.
public struct SourceCounts: Sendable, Equatable {
    public static let hoursKept: Int32 = 72

    public private(set) var sources: [SourceKey: [Int32: HourCount]] = [:]
    private var newestHour = Int32.min

    public init() {}

    public mutating func add(_ count: SourceCount) {
        sources[count.source, default: [:]][count.hour, default: HourCount()].lines += count.lines
        sources[count.source]![count.hour]!.bytes += count.bytes
        if count.hour > newestHour {
            newestHour = count.hour
            prune()
        }
    }

    private mutating func prune() {
        let oldest = newestHour - Self.hoursKept
        for source in sources.keys {
            sources[source]!.keys.filter { $0 <= oldest }.forEach { sources[source]![$0] = nil }
            if sources[source]!.isEmpty { sources[source] = nil }
        }
    }

    /// Sorted by source and hour.
    public var all: [SourceCount] {
        sources.flatMap { source, hours in
            hours.map { SourceCount(source: source, hour: $0.key, lines: $0.value.lines, bytes: $0.value.bytes) }
        }
        .sorted { ($0.source.text, $0.hour) < ($1.source.text, $1.hour) }
    }
}

/// What the producer identity of a state directory belongs to: used on another machine or for another cluster, it would make a broker
/// take new lines for old ones.
public struct StateBinding: Hashable, Sendable {
    /// Empty until known.
    public var machineID = ""
    public var clusterID = ""

    public init(machineID: String = "", clusterID: String = "") {
        self.machineID = machineID
        self.clusterID = clusterID
    }
}
