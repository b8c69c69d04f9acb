import Base
import KafkaClient
import NIOCore
import Records

/// A record that a step failed on, as it is written to the dead letters' topic: key, value and headers as they came, and headers that say
/// where it came from and why it is there.
///
/// | header | |
/// |---|---|
/// | `millrace.dlq.topic`, `.partition`, `.offset`, `.timestamp` | where it stood; the timestamp in milliseconds since 1970 |
/// | `millrace.dlq.pipeline`, `.step` | which step of which pipeline failed on it: `2 convert` |
/// | `millrace.dlq.reason` | what was expected and what was found |
enum DeadLetter {
    static let headerPrefix = "millrace.dlq."
    private static let reasonBytesMax = 1024

    /// - Throws: where the record's own headers are damaged.
    static func record(
        of record: Record, from partition: TopicPartition, pipeline: String, failure: StepFailure, now: Timestamp
    ) throws(RecordError) -> NewRecord {
        // Of a dead letter that was sent through a pipeline again, only what the last one said of it.
        var headers = try record.headers.all().filter { !$0.name.hasPrefix(headerPrefix) }.map {
            (name: $0.name, value: $0.value.map { Array($0.readableBytesView) })
        }
        let told = [
            ("topic", partition.topic), ("partition", "\(partition.partition)"),
            ("offset", "\(record.offset.rawValue)"),
            ("timestamp", "\(record.timestamp.milliseconds)"), ("pipeline", pipeline), ("step", failure.step),
            ("reason", String(decoding: failure.reason.utf8.prefix(reasonBytesMax), as: UTF8.self)),
        ]
        for (name, text) in told { headers.append((headerPrefix + name, Array(text.utf8))) }
        return NewRecord(
            timestamp: now, key: record.key.map { Array($0.readableBytesView) },
            value: record.value.map { Array($0.readableBytesView) }, headers: headers)
    }
}
