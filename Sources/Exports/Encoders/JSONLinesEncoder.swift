public import Base
public import Events

/// One file of gzip-compressed JSON lines (`.json.gz`): an object a line, the event's fields, then where the record came from:
/// `kafka_topic`, `kafka_partition`, `kafka_offset`, `kafka_timestamp` (ISO 8601, null where the record has none).
///
/// A field of the event that bears one of these names, or the name of a partition column, gets `_` appended, so that no reader meets a
/// column twice.
public final class JSONLinesEncoder {
    public static let fileExtension = "json.gz"
    /// Rows are compressed once this much of them waits.
    private static let rowsBytesMax = 32 * 1024

    private let gzip: GzipStream
    private let origin: RowOrigin
    private var rows: [UInt8] = []
    /// Compressed bytes that wait to be written; whoever writes them removes them.
    public var encoded: [UInt8] = []
    public private(set) var rowCount: Int64 = 0

    init(origin: RowOrigin, level: Int) {
        self.origin = origin
        gzip = GzipStream(level: level)
        rows.reserveCapacity(Self.rowsBytesMax + 4096)
    }

    func append(_ event: Event, offset: Offset, timestamp: Timestamp) {
        origin.append(event, offset: offset, timestamp: timestamp, to: &rows)
        rowCount += 1
        if rows.count >= Self.rowsBytesMax { compress() }
    }

    /// Ends the file; the rest of it stands in `encoded`.
    func finish() {
        compress()
        gzip.finish(to: &encoded)
    }

    private func compress() {
        gzip.append(rows, to: &encoded)
        rows.removeAll(keepingCapacity: true)
    }
}

/// What every row of a partition has in common, prepared once.
public struct RowOrigin: Sendable {
    private let topicAndPartition: [UInt8]
    private let reserved: Set<String>

    public init(_ chain: ChainID, layout: TableLayout) {
        var bytes: [UInt8] = []
        bytes.append(contentsOf: #""kafka_topic":"#.utf8)
        JSONWriter.append(chain.topic, to: &bytes)
        bytes.append(contentsOf: #","kafka_partition":\#(chain.partition),"kafka_offset":"#.utf8)
        topicAndPartition = bytes
        reserved = Set(
            ["kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"] + layout.columns.map(\.rawValue))
    }

    /// One line with its newline.
    public func append(_ event: Event, offset: Offset, timestamp: Timestamp, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for field in event.fields {
            JSONWriter.append(reserved.contains(field.name) ? field.name + "_" : field.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONWriter.append(field.value, to: &bytes)
            bytes.append(UInt8(ascii: ","))
        }
        bytes.append(contentsOf: topicAndPartition)
        JSONWriter.append(offset.rawValue, to: &bytes)
        bytes.append(contentsOf: #","kafka_timestamp":"#.utf8)
        JSONWriter.append(timestamp == .none ? .null : .timestamp(timestamp), to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
    }
}
