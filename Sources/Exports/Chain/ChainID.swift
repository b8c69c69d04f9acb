public import Base

/// Names one chain: what one pipeline exports of one partition of one topic into one table.
///
/// A topic that was deleted and made again has another id and so begins another chain.
public struct ChainID: Sendable, Hashable, CustomStringConvertible {
    public var pipeline: String
    public var table: String
    public var topic: String
    public var topicID: TopicID
    public var partition: Int32

    public init(pipeline: String, table: String, topic: String, topicID: TopicID, partition: Int32) {
        self.pipeline = pipeline
        self.table = table
        self.topic = topic
        self.topicID = topicID
        self.partition = partition
    }

    /// The first eight characters of the topic's id, for names that people read.
    public var shortTopicID: String { String(topicID.description.prefix(8)) }

    /// `p00003`
    public var partitionText: String { "p" + String(partition).leftPadded(to: 5) }

    public var description: String { "\(pipeline)/\(table) \(topic)-\(partition)" }
}

/// One owner's try at a partition, from takeover to fence: the name of its staging folder.
public typealias AttemptID = KafkaUUID

extension String {
    func leftPadded(to count: Int) -> String { String(repeating: "0", count: max(0, count - utf8.count)) + self }
}
