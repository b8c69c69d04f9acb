import Base
import Events

/// One file of JSON lines (`.json.gz`): an object a line, the event's fields, then where the record came from: `kafka_topic`,
/// `kafka_partition`, `kafka_offset`, `kafka_timestamp` (ISO 8601, null where the record has none).
///
/// A field of the event that bears one of these names, or the name of a partition column, gets `_` appended, so that no reader meets a
/// column twice.
final class JSONLinesEncoder: RowEncoder {
    private let keys: JSONKeys
    private var blocks: TextBlocks
    private(set) var rowCount: Int64 = 0

    init(keys: JSONKeys, compressor: BlockCompressor) {
        self.keys = keys
        blocks = TextBlocks(compressor)
    }

    var byteCount: Int64 { blocks.byteCount }
    var waitingByteCount: Int { blocks.waiting.count }
    var output: EncodedOutput {
        get { blocks.output }
        set { blocks.output = newValue }
    }

    func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp) {
        let names = keys.names(of: row.layout)
        blocks.append { bytes in
            bytes.append(UInt8(ascii: "{"))
            let cells = row.cells
            for place in 0..<cells.count {
                bytes.append(contentsOf: names[row.number(at: place)])
                JSONWriter.append(cells[place], to: &bytes)
                bytes.append(UInt8(ascii: ","))
            }
            keys.appendOrigin(offset: offset, timestamp: timestamp, to: &bytes)
        }
        rowCount += 1
    }

    func shrink() { blocks.compress() }
    func finish() { blocks.compress() }
}

/// What the lines of a partition have in common, written once: names with their quotes and colon, and where records came from.
final class JSONKeys {
    private let topicAndPartition: [UInt8]
    private let timestampKey: [UInt8]
    private let reserved: Set<String>
    private var known: [(layout: RowLayout, names: [[UInt8]])] = []

    /// Layouts whose names are kept; lines that parse and lines that don't alternate.
    private static let knownMax = 4

    init(chain: ChainID, kafka: KafkaColumns, layout: TableLayout) {
        var bytes = Self.key(kafka.topic)
        JSONWriter.append(chain.topic, to: &bytes)
        bytes.append(UInt8(ascii: ","))
        bytes += Self.key(kafka.partition)
        JSONWriter.append(Int64(chain.partition), to: &bytes)
        bytes.append(UInt8(ascii: ","))
        topicAndPartition = bytes + Self.key(kafka.offset)
        timestampKey = [UInt8(ascii: ",")] + Self.key(kafka.timestamp)
        reserved = Set(kafka.names + layout.columns.map(\.rawValue))
    }

    private static func key(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        return bytes
    }

    /// `"name":` by the layout's numbers.
    func names(of layout: RowLayout) -> [[UInt8]] {
        if let found = known.first(where: { $0.layout === layout }), found.names.count == layout.count {
            return found.names
        }
        known.removeAll { $0.layout === layout }
        if known.count == Self.knownMax { known.removeLast() }
        let names = layout.names.map { Self.key(reserved.contains($0) ? $0 + "_" : $0) }
        known.insert((layout, names), at: 0)
        return names
    }

    /// The end of a line.
    func appendOrigin(offset: Offset, timestamp: Timestamp, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: topicAndPartition)
        JSONWriter.append(offset.rawValue, to: &bytes)
        bytes.append(contentsOf: timestampKey)
        JSONWriter.append(timestamp == .none ? Cell.null : .timestamp(timestamp), to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
    }
}
