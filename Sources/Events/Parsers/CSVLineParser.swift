/// `parse: csv`: fields between delimiters (RFC 4180), named by their place.
///
/// Every value is text. A field with nothing in it is null, `""` is empty text; within quotes `""` is one quote and anything else is itself. A line with another
/// number of fields is none of this parser's.
public struct CSVLineParser: LineParser {
    private let layout: RowLayout
    private let names: [String]
    private let delimiter: UInt8

    /// - Parameters:
    ///   - columns: the names of the fields in their order, each once.
    ///   - delimiter: one ASCII character that is no quote.
    public init(columns: [String], delimiter: UInt8 = UInt8(ascii: ",")) {
        precondition(!columns.isEmpty && delimiter != Self.quote && delimiter < 0x80)
        names = columns
        layout = RowLayout(columns)
        self.delimiter = delimiter
    }

    public var fields: [(name: String, type: ValueType)]? { names.map { ($0, .string) } }

    private static let quote = UInt8(ascii: "\"")

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        row.begin(layout)
        var place = 0
        // A carriage return before the newline belongs to the line's end.
        let end = line.last == 0x0d ? line.count - 1 : line.count
        while true {
            guard row.count < names.count else {
                throw ParseError(at: place, "\(names.count) fields are wanted, more stand here")
            }
            if place < end, line[place] == Self.quote {
                row.append(.text(try quoted(line, &place, end, &row)))
                guard place == end || line[place] == delimiter else {
                    throw ParseError(at: place, "a delimiter is wanted after the quote")
                }
            } else {
                let start = place
                while place < end, line[place] != delimiter { place += 1 }
                let bytes = UnsafeRawBufferPointer(rebasing: line[start..<place])
                row.append(bytes.isEmpty ? .null : .text(TextRepair.text(bytes, in: &row.arena)))
            }
            guard place < end else { break }
            place += 1
        }
        guard row.count == names.count else {
            throw ParseError(at: line.count, "\(names.count) fields are wanted, \(row.count) stand here")
        }
    }

    private func quoted(
        _ line: UnsafeRawBufferPointer, _ place: inout Int, _ end: Int, _ row: inout Row
    ) throws(ParseError) -> UnsafeRawBufferPointer {
        let opening = place
        place += 1
        let start = place
        while place < end, line[place] != Self.quote { place += 1 }
        guard place < end else { throw ParseError(at: opening, "the quote is not closed") }
        if place + 1 == end || line[place + 1] != Self.quote {
            place += 1
            return TextRepair.text(UnsafeRawBufferPointer(rebasing: line[start..<place - 1]), in: &row.arena)
        }
        var bytes = Array(line[start..<place])
        while place < end {
            if line[place] != Self.quote {
                bytes.append(line[place])
                place += 1
            } else if place + 1 < end, line[place + 1] == Self.quote {
                bytes.append(Self.quote)
                place += 2
            } else {
                place += 1
                return bytes.withUnsafeBytes {
                    TextRepair.isValid($0) ? row.arena.copy($0) : row.arena.copy(TextRepair.repaired($0))
                }
            }
        }
        throw ParseError(at: opening, "the quote is not closed")
    }
}
