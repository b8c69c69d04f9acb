import Base

/// `scrub-position` at the top of a log directory: where the round of `LogScrubber` is.
///
/// ```
/// 0                        version
/// 1764111600000            when the round began, milliseconds since 1970
/// nginx.access 0 4711      the segment that comes next: topic, partition, base offset; missing where the round is over
/// ```
struct ScrubPosition {
    static let fileName = "scrub-position"

    var begun: Timestamp
    var next: (partition: TopicPartition, base: Offset)?

    init(begun: Timestamp, next: (partition: TopicPartition, base: Offset)?) {
        self.begun = begun
        self.next = next
    }

    /// Reads the text; nil where it is not whole.
    init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2 || lines.count == 3, lines[0] == "0", let begun = Int64(lines[1]) else { return nil }
        self.begun = Timestamp(milliseconds: begun)
        guard lines.count == 3 else { return }
        let words = lines[2].split(separator: " ")
        guard words.count == 3, let partition = Int32(words[1]), let base = Int64(words[2]), base >= 0 else {
            return nil
        }
        next = (TopicPartition(topic: String(words[0]), partition: partition), Offset(base))
    }

    var text: [UInt8] {
        var text = "0\n\(begun.milliseconds)\n"
        if let next { text += "\(next.partition.topic) \(next.partition.partition) \(next.base)\n" }
        return Array(text.utf8)
    }
}
