import Base
import Events

/// One CSV file (RFC 4180 with LF): the columns' names in the first line; null is nothing at all, an empty text is `""`. Times are ISO 8601
/// in UTC, with microseconds.
final class CSVEncoder: RowEncoder {
    private let shaper: RowShaper
    private let types: [ColumnType]
    private var blocks: TextBlocks
    private(set) var rowCount: Int64 = 0

    init(shaper: RowShaper, compressor: BlockCompressor) {
        self.shaper = shaper
        types = shaper.schema.columns.map(\.type)
        blocks = TextBlocks(compressor)
        let names = shaper.schema.columns.map(\.name).joined(separator: ",")
        blocks.append { $0.append(contentsOf: (names + "\n").utf8) }
    }

    var byteCount: Int64 { blocks.byteCount }
    var waitingByteCount: Int { blocks.waiting.count }
    var output: EncodedOutput {
        get { blocks.output }
        set { blocks.output = newValue }
    }

    func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp) {
        let cells = shaper.shape(row, offset: offset, timestamp: timestamp)
        blocks.append { bytes in
            for place in 0..<cells.count {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(cells[place], types[place], to: &bytes)
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        rowCount += 1
    }

    func shrink() { blocks.compress() }
    func finish() { blocks.compress() }

    static func append(_ cell: Cell, _ type: ColumnType, to bytes: inout [UInt8]) {
        switch cell {
        case .null: break
        case .bool(let bool): bytes.append(contentsOf: (bool ? "true" : "false").utf8)
        case .int(let number):
            switch type {
            case .date: CivilTime(Timestamp(milliseconds: number * 86_400_000)).appendDate(to: &bytes)
            case .timestamp: appendTime(number, to: &bytes)
            case .bool, .int32, .int64, .double, .string: JSONWriter.append(number, to: &bytes)
            }
        case .double(let number): bytes.append(contentsOf: number.description.utf8)
        case .text(let text): append(text, to: &bytes)
        case .timestamp, .json: preconditionFailure("a cell that no column stores")
        }
    }

    private static func appendTime(_ microseconds: Int64, to bytes: inout [UInt8]) {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
        let milliseconds = remainder < 0 ? quotient - 1 : quotient
        CivilTime(Timestamp(milliseconds: milliseconds)).appendISO8601(to: &bytes)
        // Three more digits before the Z.
        let rest = microseconds - milliseconds * 1000
        bytes.removeLast()
        for divisor: Int64 in [100, 10, 1] { bytes.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Quoted where it holds what would end it, a blank at its edge, or nothing.
    private static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let isPlain =
            !text.isEmpty
            && text.allSatisfy { byte in
                byte != UInt8(ascii: ",") && byte != UInt8(ascii: "\"") && byte != 0x0a && byte != 0x0d
            } && text[0] != 0x20 && text[text.count - 1] != 0x20
        if isPlain { return bytes.append(contentsOf: text) }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
