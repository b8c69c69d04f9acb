/// `parse: {dissect: '%{remote} - %{user} [%{when}] "%{request}" %{}'}`: fields between fixed texts, without a regular expression.
///
/// | | |
/// |---|---|
/// | `%{name}` | text up to where the next fixed text begins first; the last field takes the rest of the line |
/// | `%{}`, `%{?name}` | the same, left out |
/// | `%{name->}` | the fixed text after it may stand several times |
/// | `%{+name}` | appended to the field of that name, with a blank between |
///
/// Every value is text.
public struct DissectLineParser: LineParser {
    private struct Part: Sendable {
        /// The layout's number; nil for one that is left out.
        var number: Int?
        var appends: Bool
        var isPadded: Bool
        /// What follows; empty at the end of the line.
        var terminator: [UInt8]
        var name: String
    }

    /// A pattern that can't be used, and why.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String
    }

    public let pattern: String
    private let prefix: [UInt8]
    private let parts: [Part]
    private let names: [String]
    private let layout: RowLayout

    public init(_ pattern: String) throws(Problem) {
        self.pattern = pattern
        var prefix: [UInt8] = []
        var parts: [Part] = []
        var names: [String] = []
        var rest = pattern[...]
        while !rest.isEmpty {
            guard rest.hasPrefix("%{") else {
                let literal = rest.prefix(upTo: Self.nextField(in: rest))
                if parts.isEmpty {
                    prefix = Array(literal.utf8)
                } else {
                    parts[parts.count - 1].terminator = Array(literal.utf8)
                }
                rest = rest[literal.endIndex...]
                continue
            }
            guard let close = rest.firstIndex(of: "}") else { throw Problem(description: "'%{' is not closed by '}'") }
            if let last = parts.last, last.terminator.isEmpty {
                throw Problem(description: "nothing stands between %{\(last.name)} and the field after it")
            }
            let text = rest[rest.index(rest.startIndex, offsetBy: 2)..<close]
            parts.append(try Self.part(text, &names))
            rest = rest[rest.index(after: close)...]
        }
        guard !names.isEmpty else { throw Problem(description: "no field such as %{name} stands here") }
        self.prefix = prefix
        self.parts = parts
        self.names = names
        layout = RowLayout(names)
    }

    private static func nextField(in text: Substring) -> Substring.Index {
        var place = text.startIndex
        while place < text.endIndex, !text[place...].hasPrefix("%{") { place = text.index(after: place) }
        return place
    }

    private static func part(_ text: Substring, _ names: inout [String]) throws(Problem) -> Part {
        let isPadded = text.hasSuffix("->")
        let inner = isPadded ? text.dropLast(2) : text
        if inner.isEmpty || inner.hasPrefix("?") {
            return Part(number: nil, appends: false, isPadded: isPadded, terminator: [], name: String(text))
        }
        let appends = inner.hasPrefix("+")
        let name = String(appends ? inner.dropFirst() : inner)
        let known = names.firstIndex(of: name)
        if appends {
            guard let known else { throw Problem(description: "%{+\(name)} has no %{\(name)} before it") }
            return Part(number: known, appends: true, isPadded: isPadded, terminator: [], name: String(text))
        }
        guard known == nil else { throw Problem(description: "%{\(name)} stands twice; %{+\(name)} appends") }
        names.append(name)
        return Part(number: names.count - 1, appends: false, isPadded: isPadded, terminator: [], name: String(text))
    }

    public var fields: [(name: String, type: ValueType)]? { names.map { ($0, .string) } }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        guard line.count >= prefix.count, line.prefix(prefix.count).elementsEqual(prefix) else {
            throw ParseError(at: 0, "the line doesn't begin as the pattern does")
        }
        row.begin(layout)
        var place = prefix.count
        for part in parts {
            let end = part.terminator.isEmpty ? line.count : Self.find(part.terminator, in: line, from: place)
            guard let end else {
                let text = String(decoding: part.terminator, as: UTF8.self)
                throw ParseError(at: place, "\"\(text)\" is wanted after %{\(part.name)}")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: line[place..<end])
            if let number = part.number {
                let text = TextRepair.text(bytes, in: &row.arena)
                if part.appends { join(text, to: number, &row) } else { row.append(.text(text)) }
            }
            place = end + part.terminator.count
            while part.isPadded, !part.terminator.isEmpty,
                line[place...].starts(with: part.terminator)
            {
                place += part.terminator.count
            }
        }
        guard place == line.count else { throw ParseError(at: place, "the line goes on after the pattern's end") }
    }

    private func join(_ text: UnsafeRawBufferPointer, to number: Int, _ row: inout Row) {
        guard case .text(let first) = row.cells[number] else { return }
        row.replace(at: number, by: .text(row.arena.copy(Array(first) + [0x20] + Array(text))))
    }

    private static func find(_ wanted: [UInt8], in line: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        while place + wanted.count <= line.count {
            if line[place] == wanted[0], line[place..<place + wanted.count].elementsEqual(wanted) { return place }
            place += 1
        }
        return nil
    }
}
