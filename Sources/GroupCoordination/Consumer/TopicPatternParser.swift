/// Reads the expression of a `TopicPattern` into a tree.
struct TopicPatternParser {
    typealias Fault = TopicPattern.Fault

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0
    private var ignoresCase = false

    init(_ text: String) { bytes = Array(text.utf8) }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[place...].starts(with: text.utf8) else { return false }
        place += text.utf8.count
        return true
    }

    private func fault(_ message: String) -> Fault { Fault(message: "\(message), at character \(place + 1)") }

    mutating func parse() throws(Fault) -> TopicPatternNode {
        if take("(?i)") { ignoresCase = true }
        let node = try parseChoice()
        guard next == nil else { throw fault("a parenthesis closes that was never opened") }
        return node
    }

    private mutating func parseChoice() throws(Fault) -> TopicPatternNode {
        var branches = [try parseSequence()]
        while take("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func parseSequence() throws(Fault) -> TopicPatternNode {
        var nodes: [TopicPatternNode] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            if take("\\Q") {
                while next != nil, !take("\\E") {
                    nodes.append(literal(bytes[place]))
                    place += 1
                }
                continue
            }
            nodes.append(try parseRepetition(of: try parseAtom()))
        }
        return .sequence(nodes)
    }

    private func literal(_ byte: UInt8) -> TopicPatternNode {
        var set = ASCIISet()
        set.insert(byte)
        return .byte(ignoresCase ? set.foldingCase : set)
    }

    private mutating func parseAtom() throws(Fault) -> TopicPatternNode {
        guard let byte = next else { throw fault("something is missing") }
        place += 1
        switch Character(UnicodeScalar(byte)) {
        case ".": return .byte(.all)
        case "^": return .atStart
        case "$": return .atEnd
        case "(":
            guard depth < TopicPattern.depthMax else { throw fault("groups lie deeper than \(TopicPattern.depthMax)") }
            if take("?"), !take(":") { throw fault("only (?:…), and (?i) in front, may follow '(?'") }
            depth += 1
            let node = try parseChoice()
            depth -= 1
            guard take(")") else { throw fault("a parenthesis is not closed") }
            return node
        case "[": return .byte(try parseClass())
        case "*", "+", "?": throw fault("there is nothing to repeat")
        case "\\":
            if take("A") { return .atStart }
            if take("z") { return .atEnd }
            let set = try parseEscape()
            return .byte(ignoresCase ? set.foldingCase : set)
        default: return literal(byte)
        }
    }

    private mutating func parseRepetition(of atom: TopicPatternNode) throws(Fault) -> TopicPatternNode {
        var node = atom
        var hasRepeated = false
        while true {
            let range: (min: Int, max: Int?)
            if take("*") {
                range = (0, nil)
            } else if take("+") {
                range = (1, nil)
            } else if take("?") {
                range = (0, 1)
            } else if let counts = try parseCounts() {
                range = counts
            } else {
                return node
            }
            if hasRepeated { throw fault("a repetition is repeated") }
            hasRepeated = true
            // Reluctant or not, the whole name has to match.
            _ = take("?")
            node = .repeated(node, min: range.min, max: range.max)
        }
    }

    /// `{2}`, `{2,}` or `{2,5}`; a brace that begins none of these is a character.
    private mutating func parseCounts() throws(Fault) -> (min: Int, max: Int?)? {
        let start = place
        guard take("{"), let min = parseNumber() else {
            place = start
            return nil
        }
        var max: Int? = min
        if take(",") { max = parseNumber() }
        guard take("}") else {
            place = start
            return nil
        }
        guard min <= 1000, max ?? 0 <= 1000 else { throw fault("more than 1000 repetitions") }
        if let max, max < min { throw fault("the most is less than the least") }
        return (min, max)
    }

    private mutating func parseNumber() -> Int? {
        var number: Int?
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            number = min(1_000_000, (number ?? 0) * 10 + Int(byte - UInt8(ascii: "0")))
            place += 1
        }
        return number
    }

    /// What stands after a backslash.
    private mutating func parseEscape() throws(Fault) -> ASCIISet {
        guard let byte = next else { throw fault("a backslash stands at the end") }
        place += 1
        let digits = ASCIISet(UInt8(ascii: "0")...UInt8(ascii: "9"))
        switch Character(UnicodeScalar(byte)) {
        case "d": return digits
        case "D": return digits.inverted
        case "w": return Self.wordCharacters
        case "W": return Self.wordCharacters.inverted
        case "s": return Self.spaces
        case "S": return Self.spaces.inverted
        case let character where character.isLetter || character.isNumber:
            throw fault("\\\(character) is not understood")
        default: return ASCIISet(byte...byte)
        }
    }

    private static let wordCharacters: ASCIISet = {
        var set = ASCIISet(UInt8(ascii: "a")...UInt8(ascii: "z")).foldingCase
        set.formUnion(ASCIISet(UInt8(ascii: "0")...UInt8(ascii: "9")))
        set.insert(UInt8(ascii: "_"))
        return set
    }()

    private static let spaces: ASCIISet = {
        var set = ASCIISet(9...13)
        set.insert(UInt8(ascii: " "))
        return set
    }()

    /// `[a-z_]`, `[^.]`; the bracket that opens it was read.
    private mutating func parseClass() throws(Fault) -> ASCIISet {
        let isInverted = take("^")
        var set = ASCIISet()
        var isFirst = true
        while isFirst || next != UInt8(ascii: "]") {
            isFirst = false
            guard let byte = next else { throw fault("a bracket is not closed") }
            place += 1
            if byte == UInt8(ascii: "["), next == UInt8(ascii: ":") { throw fault("named classes are not understood") }
            if byte == UInt8(ascii: "\\"), let escaped = next, Character(UnicodeScalar(escaped)).isLetter {
                set.formUnion(try parseEscape())
                continue
            }
            let first = byte == UInt8(ascii: "\\") ? try parseCharacter() : byte
            guard next == UInt8(ascii: "-"), place + 1 < bytes.count, bytes[place + 1] != UInt8(ascii: "]") else {
                set.insert(first)
                continue
            }
            place += 1
            guard let end = next else { throw fault("a bracket is not closed") }
            place += 1
            let last = end == UInt8(ascii: "\\") ? try parseCharacter() : end
            guard first <= last else { throw fault("a range ends before it begins") }
            for byte in first...last { set.insert(byte) }
        }
        place += 1
        if ignoresCase { set = set.foldingCase }
        return isInverted ? set.inverted : set
    }

    private mutating func parseCharacter() throws(Fault) -> UInt8 {
        guard let byte = next else { throw fault("a backslash stands at the end") }
        place += 1
        return byte
    }
}
