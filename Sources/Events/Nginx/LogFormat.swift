/// An nginx `log_format`, read into literals and variables (ngx_http_log_module).
public struct LogFormat: Sendable, Equatable {
    /// How nginx writes characters that would break the format.
    public enum Escape: String, Sendable, CaseIterable {
        /// `"`, `\`, controls and bytes from 0x7f as `\xHH`; an unset variable as `-`.
        case `default`
        /// As in a JSON string; an unset variable as nothing.
        case json
        /// Not at all; an unset variable as nothing.
        case none
    }

    public enum Part: Sendable, Equatable {
        case literal(String)
        case variable(String)
    }

    public var escape: Escape
    public var parts: [Part]

    /// nginx's built-in `combined`.
    public static let combinedText =
        #"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#

    /// Reads the name `combined`, a format (`$remote_addr …`), or a whole directive as it stands in nginx.conf
    /// (`log_format main escape=json '…' '…';`), whose own `escape=` wins over the argument.
    public init(_ text: String, escape: Escape = .default) throws(LogFormatError) {
        let trimmed = text.trimmingBlanks()
        if trimmed.isEmpty || trimmed == "combined" {
            self = try LogFormat(format: Self.combinedText, escape: .default)
        } else if trimmed.hasPrefix("log_format"), trimmed.dropFirst(10).first?.isWhitespace == true {
            let directive = try LogFormatDirective(trimmed)
            self = try LogFormat(format: directive.format, escape: directive.escape ?? escape)
        } else {
            self = try LogFormat(format: trimmed, escape: escape)
        }
    }

    private init(format: String, escape: Escape) throws(LogFormatError) {
        self.escape = escape
        parts = []
        var literal = ""
        var rest = Substring(format)
        while let character = rest.first {
            let column = format.distance(from: format.startIndex, to: rest.startIndex) + 1
            guard character == "$" else {
                literal.append(character)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            let isBraced = rest.first == "{"
            if isBraced { rest = rest.dropFirst() }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest[name.endIndex...]
            if isBraced {
                guard rest.first == "}" else {
                    throw LogFormatError("\"${\(name)\" has no closing brace", column: column)
                }
                rest = rest.dropFirst()
            }
            guard !name.isEmpty else {
                throw LogFormatError("a variable's name is wanted after $", column: column)
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            if case .variable(let before)? = parts.last {
                throw LogFormatError(
                    "nothing stands between $\(before) and $\(name), so where one ends can't be told; "
                        + "put a separator into nginx's log_format", column: column)
            }
            parts.append(.variable(String(name)))
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        guard parts.contains(where: { if case .variable = $0 { true } else { false } }) else {
            throw LogFormatError("the format names no variable", column: 1)
        }
    }
}

/// A `log_format` that can't be read, with the column in its text.
public struct LogFormatError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    /// From 1.
    public var column: Int

    init(_ message: String, column: Int) {
        self.message = message
        self.column = column
    }

    public var description: String { "log_format, column \(column): \(message)" }
}

/// `log_format NAME [escape=…] STRING…;` by nginx's own quoting: `'…'`, `"…"` or bare, joined without a blank.
private struct LogFormatDirective {
    var escape: LogFormat.Escape?
    var format = ""

    init(_ text: String) throws(LogFormatError) {
        var words: [(text: String, column: Int)] = []
        var rest = Substring(text)
        while true {
            rest = rest.drop { $0.isWhitespace }
            guard let first = rest.first, first != ";" else { break }
            let column = text.distance(from: text.startIndex, to: rest.startIndex) + 1
            words.append((try Self.word(&rest, column: column), column))
        }
        guard words.count >= 3 else {
            throw LogFormatError("log_format NAME 'FORMAT'; is wanted", column: 1)
        }
        var strings = words.dropFirst(2)
        if let option = strings.first, option.text.hasPrefix("escape=") {
            let name = String(option.text.dropFirst(7))
            guard let escape = LogFormat.Escape(rawValue: name) else {
                let hint = NearestName.hint(name, in: LogFormat.Escape.allCases.map(\.rawValue))
                throw LogFormatError(
                    "escape must be default, json or none, not \"\(name)\"\(hint)", column: option.column)
            }
            self.escape = escape
            strings = strings.dropFirst()
        }
        format = strings.map(\.text).joined()
    }

    private static func word(_ rest: inout Substring, column: Int) throws(LogFormatError) -> String {
        let quote = rest.first.flatMap { $0 == "'" || $0 == "\"" ? $0 : nil }
        if quote != nil { rest = rest.dropFirst() }
        var word = ""
        while let character = rest.first {
            if let quote {
                if character == quote {
                    rest = rest.dropFirst()
                    return word
                }
            } else if character.isWhitespace || character == ";" {
                return word
            }
            rest = rest.dropFirst()
            guard character == "\\", let next = rest.first else {
                word.append(character)
                continue
            }
            switch next {
            case "\"", "'", "\\": word.append(next)
            case "t": word.append("\t")
            case "r": word.append("\r")
            case "n": word.append("\n")
            default: word += "\\\(next)"
            }
            rest = rest.dropFirst()
        }
        guard quote == nil else { throw LogFormatError("the quote that begins here is never closed", column: column) }
        return word
    }
}

extension String {
    func trimmingBlanks() -> String {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
