import Events

/// `parse: {regex: '^(?<client>\S+) (?<took>[0-9.]+)$'}`: the named groups of a regular expression (PCRE2), each a field of text.
///
/// The first match counts, wherever in the line it begins; `^` and `$` hold it to the whole line. A group that takes no part is null. A line on which the
/// matcher takes more than `match_limit` steps is one that the parser doesn't know.
struct RegexLineParser: LineParser {
    private let regex: Regex
    private let matchLimit: Int
    private let names: [String]
    /// The group of each name.
    private let groups: [Int]
    private let layout: RowLayout

    /// A pattern without a named group.
    struct NoFields: Error {}

    init(_ regex: Regex, matchLimit: Int) throws(NoFields) {
        self.regex = regex
        self.matchLimit = matchLimit
        groups = regex.groups.indices.filter { regex.groups[$0] != nil }.map { $0 + 1 }
        names = regex.groups.compactMap(\.self)
        layout = RowLayout(names)
        guard !names.isEmpty else { throw NoFields() }
    }

    var fields: [(name: String, type: ValueType)]? { names.map { ($0, .string) } }

    func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        let texts: [UnsafeRawBufferPointer?]?
        do throws(Regex.LimitReached) {
            texts = try regex.firstMatch(in: line) { ranges in
                groups.map { number in ranges.group(number).map { UnsafeRawBufferPointer(rebasing: line[$0]) } }
            }
        } catch {
            throw ParseError(at: 0, "the regular expression takes more than \(matchLimit) steps here (match_limit)")
        }
        guard let texts else { throw ParseError(at: 0, "the regular expression doesn't match") }
        row.fill(texts: texts, layout: layout)
    }
}
