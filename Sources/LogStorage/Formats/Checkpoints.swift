import Base

/// A text file of one offset per partition, as Kafka writes `recovery-point-offset-checkpoint`, `log-start-offset-checkpoint` and
/// `cleaner-offset-checkpoint` at the top of a log directory:
///
/// ```
/// 0                      version
/// 2                      entries that follow
/// nginx.access 0 4711    topic partition offset
/// nginx.access 1 12
/// ```
struct OffsetCheckpoint {
    static let recoveryPoint = "recovery-point-offset-checkpoint"
    static let logStart = "log-start-offset-checkpoint"
    static let cleaner = "cleaner-offset-checkpoint"

    var offsets: [TopicPartition: Offset] = [:]

    init(_ offsets: [TopicPartition: Offset] = [:]) { self.offsets = offsets }

    /// Reads the text; nil where it is not whole.
    init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 2, lines[0] == "0", let count = Int(lines[1]), lines.count == count + 2 else { return nil }
        for line in lines.dropFirst(2) {
            let words = line.split(separator: " ")
            guard words.count == 3, let partition = Int32(words[1]), let offset = Int64(words[2]), offset >= 0 else {
                return nil
            }
            offsets[TopicPartition(topic: String(words[0]), partition: partition)] = Offset(offset)
        }
    }

    var text: [UInt8] {
        var text = "0\n\(offsets.count)\n"
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            text += "\(partition.topic) \(partition.partition) \(offset)\n"
        }
        return Array(text.utf8)
    }

    /// The checkpoint that stands in `folder`, empty where there is none, nil where it is damaged.
    static func load(_ name: String, in folder: Folder, _ fileSystem: any FileSystem) throws(FileError)
        -> OffsetCheckpoint?
    {
        guard let text = try fileSystem.contents(of: folder.file(name), bytesMax: .mib(64)) else {
            return OffsetCheckpoint()
        }
        return OffsetCheckpoint(text: text)
    }
}

/// `partition.metadata` in a partition's folder: which topic it belongs to, by id (KIP-516).
///
/// ```
/// version: 0
/// topic_id: 8YdMZRlwRi2JNVVVDzVb2g
/// ```
struct PartitionMetadata: Equatable {
    static let fileName = "partition.metadata"

    var topicID: TopicID

    init(topicID: TopicID) { self.topicID = topicID }

    init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[0] == "version: 0", lines[1].hasPrefix("topic_id: "),
            let id = TopicID(String(lines[1].dropFirst(10)))
        else { return nil }
        topicID = id
    }

    var text: [UInt8] { Array("version: 0\ntopic_id: \(topicID)\n".utf8) }
}
