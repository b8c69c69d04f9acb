import Base
import DequeModule
import Events
import Settings

/// `dedupe: {by: [request_id], within: 10m, memory: 16MiB}` leaves out a record whose fields have the values of one that came shortly before it in its partition.
///
/// Time is that of the records, not of the clock. What it remembers is bounded: where `memory` is full the oldest is forgotten. It remembers nothing from
/// before its partition was taken over, so the first records after a restart or a rebalance may repeat earlier ones.
struct DedupeStep: RowStep {
    static let name = "dedupe"
    var by: [String]
    var within: Duration
    var memory: ByteCount

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        let seen = input.memory.state(at: input.place) { SeenKeys(within: within, bytesMax: memory.bytes) }
        let values = by.map { record.event[$0] }
        // What has none of the fields is like no other.
        if values.allSatisfy(\.isNull) { return true }
        return seen.insert(Value.list(values).json, at: input.arrival)
    }
}

extension DedupeStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        by = try members.required("by").fieldNames()
        within = try members.duration("within", default: .seconds(600), in: .seconds(1)...(.seconds(86_400)))
        memory = try members.bytes("memory", default: .mib(16), in: .kib(64)...ByteCount.gib(4))
        try members.finish()
    }
}

/// Keys that came within a time, the oldest first.
final class SeenKeys {
    private let within: Duration
    private let bytesMax: Int
    private var newest: [String: Timestamp] = [:]
    /// A key stands here once for each time that it was let through.
    private var order: Deque<(key: String, time: Timestamp)> = []
    private(set) var byteCount = 0

    /// What a key costs besides its text: its places in the table and the queue.
    private static let keyBytes = 96

    init(within: Duration, bytesMax: Int) {
        self.within = within
        self.bytesMax = bytesMax
    }

    /// False where the key came within the time before.
    func insert(_ key: String, at time: Timestamp) -> Bool {
        while let oldest = order.first, oldest.time + within < time || byteCount > bytesMax { forget(oldest) }
        if let last = newest[key], time < last + within { return false }
        newest[key] = time
        order.append((key, time))
        byteCount += key.utf8.count + Self.keyBytes
        return true
    }

    private func forget(_ oldest: (key: String, time: Timestamp)) {
        order.removeFirst()
        byteCount -= oldest.key.utf8.count + Self.keyBytes
        if newest[oldest.key] == oldest.time { newest[oldest.key] = nil }
    }

    var count: Int { newest.count }
}
