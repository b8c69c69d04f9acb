public import Base
public import Events

/// Rows as lines of PostgreSQL's COPY in its text format: columns by tabs, `\N` for null, ISO 8601 for times ("COPY", PostgreSQL's manual).
///
/// A NUL, which no text of PostgreSQL can hold, stands as `\x00`.
public final class CopyTextEncoder {
    private let shaper: RowShaper
    private let types: [ColumnType]

    /// - Parameter chain: tells topic and partition.
    public init(_ schema: TableSchema, chain: ChainID) {
        shaper = RowShaper(schema, chain: chain)
        types = schema.columns.map(\.type)
    }

    public func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp, to bytes: inout [UInt8]) {
        let cells = shaper.shape(row, offset: offset, timestamp: timestamp)
        for place in 0..<cells.count {
            if place > 0 { bytes.append(UInt8(ascii: "\t")) }
            switch cells[place] {
            case .null: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
            case .text(let text): Self.append(text, to: &bytes)
            case .bool, .int, .double: CSVEncoder.append(cells[place], types[place], to: &bytes)
            case .timestamp, .json: preconditionFailure("a cell that no column stores")
            }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case UInt8(ascii: "\t"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\r"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0: bytes += "\\\\x00".utf8
            default: bytes.append(byte)
            }
        }
    }
}
