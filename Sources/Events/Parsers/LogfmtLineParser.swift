/// `parse: logfmt`: `level=info msg="user logged in" took=12 debug`, as Go's services and Heroku write.
///
/// A bare value that is a whole number as it would be printed (`12`, not `012`) is one; every other value is text. A name without `=` is true, one with
/// nothing behind it (`user=`) is empty text. In quotes `\"`, `\\`, `\n`, `\r` and `\t` are taken back.
public struct LogfmtLineParser: LineParser {
    public init() {}

    public var fields: [(name: String, type: ValueType)]? { nil }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        row.beginGrowing()
        var place = 0
        while true {
            while place < line.count, line[place] <= 0x20 { place += 1 }
            guard place < line.count else { break }
            let start = place
            while place < line.count, line[place] > 0x20, line[place] != Self.equals { place += 1 }
            guard place > start else { throw ParseError(at: place, "a name is wanted before '='") }
            let name = UnsafeRawBufferPointer(rebasing: line[start..<place])
            guard !name.contains(Self.quote) else { throw ParseError(at: start, "a name is wanted here, not a quote") }
            var cell = Cell.bool(true)
            if place < line.count, line[place] == Self.equals {
                place += 1
                cell = try value(line, &place, &row)
            }
            row.append(cell, named: TextRepair.text(name, in: &row.arena))
        }
        guard row.count > 0 else { throw ParseError(at: 0, "no name=value stands here") }
    }

    private static let equals = UInt8(ascii: "=")
    private static let quote = UInt8(ascii: "\"")

    private func value(
        _ line: UnsafeRawBufferPointer, _ place: inout Int, _ row: inout Row
    ) throws(ParseError) -> Cell {
        if place < line.count, line[place] == Self.quote { return .text(try quoted(line, &place, &row)) }
        let start = place
        while place < line.count, line[place] > 0x20 { place += 1 }
        let bytes = UnsafeRawBufferPointer(rebasing: line[start..<place])
        if let number = Self.wholeNumber(bytes) { return .int(number) }
        return .text(TextRepair.text(bytes, in: &row.arena))
    }

    private static func wholeNumber(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard 1...20 ~= bytes.count, let first = bytes.first, first == UInt8(ascii: "-") || 0x30...0x39 ~= first,
            let number = Int64(String(decoding: bytes, as: UTF8.self)),
            String(number).utf8.elementsEqual(bytes)
        else { return nil }
        return number
    }

    private func quoted(
        _ line: UnsafeRawBufferPointer, _ place: inout Int, _ row: inout Row
    ) throws(ParseError) -> UnsafeRawBufferPointer {
        let opening = place
        place += 1
        let start = place
        while place < line.count, line[place] != Self.quote, line[place] != UInt8(ascii: "\\") { place += 1 }
        var bytes = Array(line[start..<place])
        while place < line.count, line[place] != Self.quote {
            if line[place] == UInt8(ascii: "\\"), place + 1 < line.count {
                place += 1
                switch line[place] {
                case UInt8(ascii: "n"): bytes.append(0x0a)
                case UInt8(ascii: "r"): bytes.append(0x0d)
                case UInt8(ascii: "t"): bytes.append(0x09)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(line[place])
                // What is no escape stays as it is.
                default: bytes += [UInt8(ascii: "\\"), line[place]]
                }
            } else {
                bytes.append(line[place])
            }
            place += 1
        }
        guard place < line.count else { throw ParseError(at: opening, "the quote is not closed") }
        place += 1
        guard place == line.count || line[place] <= 0x20 else {
            throw ParseError(at: place, "a blank is wanted after the quote")
        }
        return bytes.withUnsafeBytes {
            TextRepair.isValid($0) ? row.arena.copy($0) : row.arena.copy(TextRepair.repaired($0))
        }
    }
}
