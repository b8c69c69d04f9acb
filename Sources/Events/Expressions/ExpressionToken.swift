/// One word of an expression's text.
struct ExpressionToken {
    enum Kind: Equatable {
        case name(String)
        case text(String)
        case int(Int64)
        case double(Double)
        case symbol(String)
        case end
    }

    static let textBytesMax = 16_384

    var kind: Kind
    /// The character at which it begins, from 1.
    var column: Int

    var shown: String {
        switch kind {
        case .name(let name): "'\(name)'"
        case .text(let text): "the text \"\(text)\""
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end"
        }
    }

    /// The text's tokens; the last one is always `.end`.
    static func all(of text: String) throws(ExpressionError) -> [ExpressionToken] {
        guard text.utf8.count <= textBytesMax else { throw ExpressionError(at: 1, "longer than \(textBytesMax) bytes") }
        var scanner = ExpressionScanner(Array(text))
        var tokens: [ExpressionToken] = []
        while let token = try scanner.next() { tokens.append(token) }
        tokens.append(ExpressionToken(kind: .end, column: text.count + 1))
        return tokens
    }
}

private struct ExpressionScanner {
    private let characters: [Character]
    private var place = 0

    init(_ characters: [Character]) { self.characters = characters }

    mutating func next() throws(ExpressionError) -> ExpressionToken? {
        while place < characters.count, characters[place].isWhitespace { place += 1 }
        guard place < characters.count else { return nil }
        let column = place + 1
        let character = characters[place]
        if character.isASCII, character.isNumber { return ExpressionToken(kind: try number(column), column: column) }
        if character == "'" || character == "\"" {
            return ExpressionToken(kind: .text(try quoted(character, column)), column: column)
        }
        if FieldPath.isPlain(character) && character != "-" || character == "`" {
            return ExpressionToken(kind: .name(try name()), column: column)
        }
        return ExpressionToken(kind: .symbol(try symbol(column)), column: column)
    }

    private mutating func number(_ column: Int) throws(ExpressionError) -> ExpressionToken.Kind {
        var text = ""
        while place < characters.count, FieldPath.isPlain(characters[place]) || characters[place] == "." {
            if characters[place] != "_" { text.append(characters[place]) }
            place += 1
        }
        if let number = Int64(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else {
            throw ExpressionError(at: column, "'\(text)' is no number")
        }
        return .double(number)
    }

    private mutating func quoted(_ quote: Character, _ column: Int) throws(ExpressionError) -> String {
        place += 1
        var text = ""
        while place < characters.count {
            let character = characters[place]
            place += 1
            if character == quote { return text }
            guard character == "\\", place < characters.count else {
                text.append(character)
                continue
            }
            switch characters[place] {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "\\", "'", "\"": text.append(characters[place])
            default: throw ExpressionError(at: place, "no such escape; \\n, \\t, \\\\, \\' and \\\" are known")
            }
            place += 1
        }
        throw ExpressionError(at: column, "the quote that begins here is never closed")
    }

    /// A field path or a word; backquotes stay in it for `FieldPath` to read.
    private mutating func name() throws(ExpressionError) -> String {
        var text = ""
        while place < characters.count {
            let character = characters[place]
            if character == "`" {
                guard let end = characters[(place + 1)...].firstIndex(of: "`") else {
                    throw ExpressionError(at: place + 1, "the backquote that begins here is never closed")
                }
                text += String(characters[place...end])
                place = end + 1
            } else if FieldPath.isPlain(character) || character == "." {
                text.append(character)
                place += 1
            } else {
                break
            }
        }
        return text
    }

    private mutating func symbol(_ column: Int) throws(ExpressionError) -> String {
        let two = String(characters[place..<min(place + 2, characters.count)])
        if ["==", "!=", "<=", ">="].contains(two) {
            place += 2
            return two
        }
        let one = characters[place]
        place += 1
        switch one {
        case "<", ">", "(", ")", "[", "]", ",", "-": return String(one)
        case "=": throw ExpressionError(at: column, "'=' is no comparison; write ==")
        case "&": throw ExpressionError(at: column, "write 'and', not &&")
        case "|": throw ExpressionError(at: column, "write 'or', not ||")
        case "!": throw ExpressionError(at: column, "write 'not', not !")
        default: throw ExpressionError(at: column, "'\(one)' means nothing here")
        }
    }
}
