import Base

/// A cursor over the parts of a syslog message.
struct SyslogReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var place = 0

    /// A peer decides how many there are.
    private static let parametersMax = 1000

    init(_ line: UnsafeRawBufferPointer) {
        var end = line.count
        while end > 0, line[end - 1] == 0x0a || line[end - 1] == 0x0d { end -= 1 }
        bytes = UnsafeRawBufferPointer(rebasing: line[..<end])
    }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[place...]) }

    static func isNil(_ word: UnsafeRawBufferPointer) -> Bool { word.count == 1 && word[0] == UInt8(ascii: "-") }

    var startsWithDigit: Bool { place < bytes.count && 0x30...0x39 ~= bytes[place] }

    mutating func skip(_ text: String) -> Bool {
        let end = place + text.utf8.count
        guard end <= bytes.count, bytes[place..<end].elementsEqual(text.utf8) else { return false }
        place = end
        return true
    }

    /// `<165>`: facility times eight plus severity; nil where none stands here.
    mutating func priority() throws(ParseError) -> Int? {
        guard skip("<") else { return nil }
        var number = 0
        let start = place
        while place < bytes.count, place - start < 3, case let digit = bytes[place] &- 0x30, digit < 10 {
            number = number * 10 + Int(digit)
            place += 1
        }
        guard place > start, number < 192, skip(">") else {
            throw ParseError(at: start, "a priority from 0 to 191 is wanted in '<>'")
        }
        return number
    }

    /// Up to the next blank, which is skipped.
    mutating func word(_ what: String) throws(ParseError) -> UnsafeRawBufferPointer {
        let start = place
        while place < bytes.count, bytes[place] != 0x20 { place += 1 }
        guard place > start else { throw ParseError(at: start, "\(what) is wanted here") }
        defer { if place < bytes.count { place += 1 } }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<place])
    }

    /// A time of the pattern, and the blank behind it.
    mutating func time(_ pattern: TimePattern, _ received: Timestamp) -> Timestamp? {
        guard let time = pattern.prefix(of: bytes, &place, received: received), skip(" ") else { return nil }
        return time
    }

    /// `su[77]: ` or `su: `, as name and process; neither where the message doesn't begin so.
    mutating func tag() -> (name: UnsafeRawBufferPointer?, process: UnsafeRawBufferPointer?) {
        let start = place
        var end = start
        while end < bytes.count, end - start < 128, bytes[end] > 0x20, bytes[end] != UInt8(ascii: "["),
            bytes[end] != UInt8(ascii: ":")
        {
            end += 1
        }
        guard end > start, end < bytes.count else { return (nil, nil) }
        let name = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        var process: UnsafeRawBufferPointer?
        if bytes[end] == UInt8(ascii: "[") {
            let idStart = end + 1
            guard let close = bytes[idStart...].prefix(64).firstIndex(of: UInt8(ascii: "]")) else { return (nil, nil) }
            process = UnsafeRawBufferPointer(rebasing: bytes[idStart..<close])
            end = close + 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: ":") else { return (nil, nil) }
        place = end + 1
        if place < bytes.count, bytes[place] == 0x20 { place += 1 }
        return (name, process)
    }

    /// `-`, or `[id name="value" …]` once or more: an object by id.
    mutating func structuredData() throws(ParseError) -> [Field] {
        if skip("-") { return [] }
        var elements: [Field] = []
        var count = 0
        while skip("[") {
            let id = try name(endsAt: [0x20, UInt8(ascii: "]")])
            var parameters: [Field] = []
            while skip(" ") {
                let name = try name(endsAt: [UInt8(ascii: "=")])
                guard skip("=\"") else { throw ParseError(at: place, "a value in quotes is wanted") }
                parameters.append(Field(name, .string(try value())))
                count += 1
                guard count <= Self.parametersMax else {
                    throw ParseError(at: place, "more than \(Self.parametersMax) parameters stand here")
                }
            }
            guard skip("]") else { throw ParseError(at: place, "']' is wanted after the structured data") }
            elements.append(Field(id, .object(Event(parameters).fields)))
        }
        guard !elements.isEmpty else { throw ParseError(at: place, "structured data or '-' is wanted here") }
        return Event(elements).fields
    }

    private mutating func name(endsAt ends: [UInt8]) throws(ParseError) -> String {
        let start = place
        while place < bytes.count, !ends.contains(bytes[place]) { place += 1 }
        guard place > start, place < bytes.count else { throw ParseError(at: start, "a name is wanted here") }
        return TextRepair.string(UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
    }

    /// Up to its closing quote; `\"`, `\\` and `\]` are taken back.
    private mutating func value() throws(ParseError) -> String {
        let start = place
        var value: [UInt8] = []
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count,
                [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]")].contains(bytes[place + 1])
            {
                place += 1
            }
            value.append(bytes[place])
            place += 1
        }
        guard skip("\"") else { throw ParseError(at: start, "the quote is not closed") }
        return TextRepair.string(value)
    }
}
