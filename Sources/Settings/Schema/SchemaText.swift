/// JSON as a schema is written: members in the order given, two spaces a level.
enum SchemaText: Sendable {
    case object([(String, SchemaText)])
    case array([SchemaText])
    case string(String)
    case int(Int)
    case bool(Bool)

    var text: String { text(indent: "") }

    private func text(indent: String) -> String {
        let deeper = indent + "  "
        switch self {
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(deeper)\(Self.quoted($0.0)): \($0.1.text(indent: deeper))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let elements):
            if elements.isEmpty { return "[]" }
            if elements.allSatisfy(\.isScalar) {
                return "[" + elements.map { $0.text(indent: "") }.joined(separator: ", ") + "]"
            }
            return "[\n" + elements.map { deeper + $0.text(indent: deeper) }.joined(separator: ",\n") + "\n\(indent)]"
        case .string(let text): return Self.quoted(text)
        case .int(let number): return "\(number)"
        case .bool(let flag): return "\(flag)"
        }
    }

    private var isScalar: Bool {
        switch self {
        case .object, .array: false
        case .string, .int, .bool: true
        }
    }

    /// A JSON string, which YAML reads as a double-quoted scalar too.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case _
            where scalar.value < 0x20 || 0x7f...0x9f ~= scalar.value || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
