public import Base

/// How many records of each source and hour a commit's offsets held: what an audit holds against what the sources' agents say that they shipped.
///
/// A source is a record's key, its hour that of the record's timestamp (UTC): an agent counts the same. Keys beyond `sourcesMax`, longer ones and
/// records without one are counted together, under `others`.
public struct SourceTally: Sendable, Equatable {
    public struct Key: Sendable, Hashable, Comparable {
        public var source: String
        /// Hours since 1970.
        public var hour: Int32

        public init(source: String, hour: Int32) {
            self.source = source
            self.hour = hour
        }

        public static func < (left: Key, right: Key) -> Bool {
            (left.source, left.hour) < (right.source, right.hour)
        }
    }

    /// Entries of a commit; its record stays small whatever keys a topic has.
    public static let entriesMax = 256
    public static let sourceBytesMax = 512
    public static let others = "__others__"

    public private(set) var counts: [Key: Int64] = [:]
    /// Entries that name a source.
    private var namedCount = 0

    public init() {}

    public mutating func add(_ source: String, hour: Int32, records: Int64) {
        var key = Key(source: source, hour: hour)
        if source.utf8.count > Self.sourceBytesMax || (counts[key] == nil && namedCount >= Self.entriesMax) {
            // One more entry for each hour at most.
            key.source = Self.others
        }
        if counts[key] == nil, key.source != Self.others { namedCount += 1 }
        counts[key, default: 0] += records
    }

    public mutating func add(_ other: SourceTally) {
        for (key, records) in other.counts.sorted(by: { $0.key < $1.key }) {
            add(key.source, hour: key.hour, records: records)
        }
    }

    public var isEmpty: Bool { counts.isEmpty }

    public static func hour(of time: Timestamp) -> Int32 { Int32(clamping: time.milliseconds / 3_600_000) }
}
