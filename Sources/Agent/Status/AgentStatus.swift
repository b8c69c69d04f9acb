import Base
import KafkaClient

/// What an agent tells about itself in `__millrace_status`: one JSON object, the newest under its key.
struct AgentStatus: Sendable {
    static let sourcesMax = 256
    static let streamsMax = 256
    static let hoursMax: Int32 = 24

    var agent: String
    var time: Timestamp
    var producer: ProducerIdentity
    var pendingBatches: Int
    var ringUsed: ByteCount
    var ringBytes: ByteCount
    var isStalled: Bool
    var partitions: [(partition: TopicPartition, state: String, pending: Int, floor: Offset)]
    var counts: [SourceCount]
    var streams: [StreamStatus]
    /// Everything that the sources had written by then is acknowledged; nil where that is not known yet.
    var watermark: Timestamp?
    var lastError: String?

    /// The object's text. Of too many sources or streams the first, with the number of the others.
    var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("kind", "agent")
            json.field("agent", agent)
            json.field("time", time.milliseconds)
            if let watermark { json.field("watermark", watermark.milliseconds) }
            json.field("producer_id", producer.id.rawValue)
            json.field("pending_batches", Int64(pendingBatches))
            json.field("ring_used_bytes", Int64(ringUsed.bytes))
            json.field("ring_bytes", Int64(ringBytes.bytes))
            json.field("stalled", isStalled)
            json.field("last_error", lastError)
            json.array("partitions", partitions) { json, partition in
                json.field("topic", partition.partition.topic)
                json.field("partition", Int64(partition.partition.partition))
                json.field("state", partition.state)
                json.field("pending_batches", Int64(partition.pending))
                json.field("acknowledged_offset", partition.floor.rawValue)
            }
            writeSources(&json)
            let busiest = streams.sorted { ($0.unread ?? 0, $1.stream) > ($1.unread ?? 0, $0.stream) }
            json.field("streams_total", Int64(streams.count))
            json.field("unread_bytes", streams.reduce(Int64(0)) { $0 + ($1.unread ?? 0) })
            json.array("streams", Array(busiest.prefix(Self.streamsMax))) { json, stream in
                json.field("source", stream.source.text)
                json.field("place", stream.place)
                json.field("offset", stream.offset)
                if let unread = stream.unread { json.field("unread", unread) }
            }
        }
        return json.bytes
    }

    private func writeSources(_ json: inout JSONText) {
        let newest = counts.map(\.hour).max() ?? 0
        let bySource = Dictionary(grouping: counts.filter { $0.hour > newest - Self.hoursMax }, by: \.source)
        let sources = bySource.sorted { $0.key.text < $1.key.text }
        json.field("sources_total", Int64(sources.count))
        json.array("sources", Array(sources.prefix(Self.sourcesMax))) { json, entry in
            json.field("source", entry.key.text)
            json.array("hours", entry.value.sorted { $0.hour < $1.hour }) { json, count in
                json.field("hour_start", Int64(count.hour) * 3_600_000)
                json.field("lines", Int64(clamping: count.lines))
                json.field("bytes", Int64(clamping: count.bytes))
            }
        }
    }
}

/// Writes JSON, nothing more.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func object(_ body: (inout JSONText) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array<Element>(
        _ name: String, _ elements: [Element], _ body: (inout JSONText, Element) -> Void
    ) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            object { body(&$0, element) }
        }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { text(value) } else { bytes += "null".utf8 }
    }

    mutating func field(_ name: String, _ value: Int64) {
        key(name)
        bytes += String(value).utf8
    }

    mutating func field(_ name: String, _ value: Bool) {
        key(name)
        bytes += (value ? "true" : "false").utf8
    }

    private mutating func key(_ name: String) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        text(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = true
    }

    private mutating func text(_ value: String) {
        let hex = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: bytes += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
