import Base

/// Rows of one partition on their way to a system elsewhere, in the form that it takes.
struct DeliveryBatch: Sendable {
    struct Row: Sendable {
        var offset: Offset
        /// The record's own.
        var timestamp: Timestamp
        /// By which the target spreads or names the row; nil where it doesn't.
        var key: [UInt8]?
        /// Where it stands in `bytes`.
        var range: Range<Int>
    }

    private(set) var bytes: [UInt8] = []
    private(set) var rows: [Row] = []

    var isEmpty: Bool { rows.isEmpty }

    /// Adds what `encode` appends as a row.
    mutating func append(
        offset: Offset, timestamp: Timestamp, key: [UInt8]? = nil, _ encode: (inout [UInt8]) -> Void
    ) {
        let start = bytes.count
        encode(&bytes)
        rows.append(Row(offset: offset, timestamp: timestamp, key: key, range: start..<bytes.count))
    }

    func bytes(of row: Row) -> ArraySlice<UInt8> { bytes[row.range] }

    /// Keeps the rows at these places, and their bytes.
    mutating func keep(_ places: [Int]) {
        var kept = DeliveryBatch()
        for place in places {
            let row = rows[place]
            kept.append(offset: row.offset, timestamp: row.timestamp, key: row.key) { $0 += bytes(of: row) }
        }
        self = kept
    }
}
