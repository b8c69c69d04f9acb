public import Base
import Events

/// Which folder of a table a row belongs to, as a number that is cheap to compute and compare.
public struct PartitionKey: Sendable, Hashable {
    /// Hours since 1970 (days where the table has no hours); nil for a time that is missing or beyond the years 1…9999.
    var unit: Int64?
}

/// Hive partition layout: `dt=2026-11-22/hour=05/part-….json.gz`, UTC. A row without a usable time goes to
/// `__HIVE_DEFAULT_PARTITION__`, which Hive, Spark, Trino and DuckDB read as null.
public struct TableLayout: Sendable, Equatable {
    public enum Column: String, Sendable, CaseIterable {
        /// The date.
        case dt
        case hour
    }

    /// The partition columns, from the outermost; empty for a table without folders.
    public let columns: [Column]

    public init(columns: [Column] = [.dt, .hour]) { self.columns = columns }

    private static let earliest = CivilTime(year: 1, month: 1, day: 1).timestamp
    private static let latest = CivilTime(year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59).timestamp

    public func key(_ time: Timestamp?) -> PartitionKey {
        guard !columns.isEmpty else { return PartitionKey(unit: 0) }
        guard let time, time != .none, time >= Self.earliest, time <= Self.latest else {
            return PartitionKey(unit: nil)
        }
        let unit: Int64 = columns.contains(.hour) ? 3_600_000 : 86_400_000
        let (quotient, remainder) = time.milliseconds.quotientAndRemainder(dividingBy: unit)
        return PartitionKey(unit: remainder < 0 ? quotient - 1 : quotient)
    }

    /// `dt=2026-11-22/hour=05`, empty for a table without folders.
    public func folder(_ key: PartitionKey) -> String {
        let milliseconds = key.unit.map { $0 * (columns.contains(.hour) ? 3_600_000 : 86_400_000) }
        let civil = milliseconds.map { CivilTime(Timestamp(milliseconds: $0)) }
        return columns.map { column in
            let value: String? =
                switch column {
                case .dt: civil?.dateText
                case .hour: civil?.hourText
                }
            return "\(column.rawValue)=\(value ?? "__HIVE_DEFAULT_PARTITION__")"
        }.joined(separator: "/")
    }

    /// When the hour (or day) of a folder ends; nil for one that is no time, or a table whose folders are none.
    public func end(ofFolder folder: String) -> Timestamp? {
        guard columns.contains(.dt) else { return nil }
        let parts = folder.split(separator: "/")
        guard parts.count == columns.count else { return nil }
        var values: [Column: Substring] = [:]
        for (column, part) in zip(columns, parts) {
            guard part.hasPrefix(column.rawValue + "=") else { return nil }
            values[column] = part.dropFirst(column.rawValue.utf8.count + 1)
        }
        let hour = columns.contains(.hour) ? values[.hour] ?? "" : "00"
        guard let day = values[.dt], let start = TimeText.iso8601("\(day)T\(hour):00:00Z") else { return nil }
        return start + .seconds(columns.contains(.hour) ? 3600 : 86_400)
    }

    /// `part-<topic>-<id8>-p00003-<from>-<to>-<n>.json.gz`: names no other commit can have. Offsets are zero-padded so that names sort.
    public static func fileName(_ chain: ChainID, from: Offset, to: Offset, number: Int, fileExtension: String)
        -> String
    {
        let range = [from, to].map { String($0.rawValue).leftPadded(to: 20) }.joined(separator: "-")
        return "part-\(chain.topic)-\(chain.shortTopicID)-\(chain.partitionText)-\(range)-\(number).\(fileExtension)"
    }

    /// Names that can be a table or a pipeline: letters, digits, `-`, `_` and `.`, not beginning with `.` or `_`, which
    /// Hadoop would hide, at most 100 long.
    public static func isName(_ text: String) -> Bool {
        guard 1...100 ~= text.utf8.count, let first = text.utf8.first, first != UInt8(ascii: "."),
            first != UInt8(ascii: "_")
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
