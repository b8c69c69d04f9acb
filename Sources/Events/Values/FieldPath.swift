/// Where a value stands in an event: `status`, `http.request.method`, or `` `odd name`.x `` with backquotes around a component
/// that holds anything but letters, digits, `_`, `-` and `@`.
public struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    /// Never empty.
    public let components: [String]

    public init(_ components: [String]) {
        precondition(!components.isEmpty, "a field path needs a component")
        self.components = components
    }

    /// Reads the text that `description` writes; nil where it is no path.
    public init?(_ text: String) {
        var components: [String] = []
        var rest = Substring(text)
        while true {
            if rest.first == "`" {
                guard let end = rest.dropFirst().firstIndex(of: "`") else { return nil }
                components.append(String(rest[rest.index(after: rest.startIndex)..<end]))
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { Self.isPlain($0) }
                components.append(String(name))
                rest = rest[name.endIndex...]
            }
            if components.last == "" { return nil }
            if rest.isEmpty { break }
            guard rest.first == "." else { return nil }
            rest = rest.dropFirst()
        }
        self.components = components
    }

    static func isPlain(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "-" || character == "@"
    }

    public var description: String {
        components.map { $0.allSatisfy(Self.isPlain) ? $0 : "`\($0)`" }.joined(separator: ".")
    }
}
