public import Base
import Events

/// What one pipeline exported into one table, by what it came from: to be held against what the sources' agents say that they shipped.
public struct ExportedSources: Sendable, Equatable {
    public var pipeline: String
    public var table: String
    public private(set) var counts: [SourceTally.Key: Int64] = [:]
    /// How far each partition was exported.
    public private(set) var positions: [MarkerMachine.PartitionID: Offset] = [:]
    /// Why the counts don't hold everything that was shipped; nil where they should.
    public private(set) var gap: String?

    init(pipeline: String, table: String) {
        self.pipeline = pipeline
        self.table = table
    }

    mutating func add(_ record: CommitRecord) {
        positions[MarkerMachine.PartitionID(record.chain)] = record.to
        if record.index == 0, record.from > .zero {
            gap = gap ?? "\(record.chain) begins at offset \(record.from)"
        }
        if record.recordCount > 0, record.sources.isEmpty {
            gap = gap ?? "record \(record.index) of \(record.chain) was written by a version that did not count sources"
        }
        for (key, records) in record.sources.counts { counts[key, default: 0] += records }
    }

    /// What agents say, by source and hour, of hours that are over for them: each has to be what was exported.
    ///
    /// Sources of which nothing stands in the table are left out (they feed other topics), and hours in which the table counted some together.
    /// - Returns: how many source hours were compared, and what differs, in words.
    public func compare(
        with lines: [String: [Int32: Int64]], before end: Timestamp
    ) -> (compared: Int, problems: [String]) {
        let known = Set(counts.keys.map(\.source))
        var compared = 0
        var problems: [String] = []
        for (source, hours) in lines.sorted(by: { $0.key < $1.key }) where known.contains(source) {
            for (hour, shipped) in hours.sorted(by: { $0.key < $1.key }) {
                let isOver = Int64(hour) * 3_600_000 + 3_600_000 <= end.milliseconds
                guard isOver, counts[.init(source: SourceTally.others, hour: hour)] == nil else { continue }
                compared += 1
                let exported = counts[.init(source: source, hour: hour)] ?? 0
                guard exported != shipped else { continue }
                let start = Timestamp(milliseconds: Int64(hour) * 3_600_000)
                problems.append(
                    "\(source) shipped \(shipped) records in the hour from \(CivilTime(start).iso8601), \(exported) were exported"
                )
            }
        }
        return (compared, problems)
    }
}
