import Base
import KafkaClient
import Records

/// What has to be known of a topic before a line can go there.
public protocol TopicDirectory: AnyObject {
    /// The topic's partitions now; nil where it isn't known. Then it is found out, the topic made if need be, and the core is called again.
    func partitionCount(of topic: String) -> Int32?
}

/// Over how many partitions the sources of a topic are spread.
struct TopicSpread: Hashable, Sendable {
    var topic: String
    var partitionCount: Int32
}

/// Which topics take lines now. Shut are those
///
/// - that aren't known (not there yet, or nobody may see them);
/// - whose partitions became more, until all that is under way to the old ones is acknowledged: a source's lines keep their order although
///   they go elsewhere from then on;
/// - that take nothing while others do (no permission, a partition without a leader), once they fill a quarter of the intent log: the rest
///   is for the others.
struct TopicGate {
    /// So long others must have made progress where a topic made none.
    static let patience = Duration.seconds(10)

    private let topics: any TopicDirectory
    private let stuckBytesMax: Int
    /// Over how many partitions each topic's sources are spread, and what of that isn't in the log yet.
    private var spread: [String: Int32]
    private var unwritten: [TopicSpread] = []
    private var shut: Set<String> = []
    private var open: Set<String> = []
    /// What is under way.
    private var busy: Set<String> = []
    private var stuck: Set<String> = []

    /// - Parameter spread: what an earlier run wrote down: batches of it may be under way still.
    init(topics: any TopicDirectory, ringBytes: ByteCount, spread: [String: Int32]) {
        self.topics = topics
        stuckBytesMax = ringBytes.bytes / 4
        self.spread = spread
    }

    /// Once a turn: what is under way, sealed or not.
    mutating func update(_ machine: ProducerMachine, openTopics: Set<String>) {
        shut = []
        open = []
        let waiting = machine.waitingBytes
        busy = openTopics.union(waiting.keys)
        stuck = []
        let suspects = machine.stuckTopics(patience: Self.patience)
        if suspects.reduce(0, { $0 + waiting[$1, default: 0] }) >= stuckBytesMax { stuck = suspects }
    }

    /// Whether one of those that were asked for since `update` is shut.
    var hasShut: Bool { !shut.isEmpty }

    mutating func isOpen(_ topic: String) -> Bool {
        if open.contains(topic) { return true }
        if shut.contains(topic) { return false }
        let isOpen = decide(topic)
        if isOpen { open.insert(topic) } else { shut.insert(topic) }
        return isOpen
    }

    private mutating func decide(_ topic: String) -> Bool {
        guard let count = topics.partitionCount(of: topic), count > 0, !stuck.contains(topic) else { return false }
        guard spread[topic] != count else { return true }
        guard spread[topic] == nil || !busy.contains(topic) else { return false }
        spread[topic] = count
        unwritten.append(TopicSpread(topic: topic, partitionCount: count))
        return true
    }

    /// What has to be written down before lines go where it says.
    mutating func takeUnwritten() -> [TopicSpread] {
        defer { unwritten = [] }
        return unwritten
    }

    /// Where a block's lines go. Its topic is open.
    func partition(of block: LineBlock) -> TopicPartition {
        guard let count = spread[block.topic] else {
            preconditionFailure("lines of \(block.topic), which was never open")
        }
        return TopicPartition(
            topic: block.topic, partition: Murmur2.partition(key: block.source.bytes, count: count))
    }
}
