/// How the words of a schema are written in Swift.
enum SwiftNames {
    private static let keywords: Set<String> = [
        "protocol", "default", "operator", "extension", "import", "in", "is", "as", "case", "switch", "where", "self",
        "init", "struct", "class", "enum", "func", "var", "let", "public", "internal", "private", "return", "throw",
    ]

    static func member(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

    /// Words that the bodies of `init(from:)` and `encode(into:)` use themselves.
    private static let locals: Set<String> = ["version", "reader", "writer", "flexible", "value", "start", "tagged"]

    /// A field's name within those bodies.
    static func property(_ name: String) -> String { locals.contains(name) ? "self.\(name)" : member(name) }

    /// `TopicName` → `topicName`.
    static func lowerFirst(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }

    /// `UNKNOWN_TOPIC_OR_PARTITION` → `unknownTopicOrPartition`.
    static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_").map { $0.lowercased() }
        return words.enumerated().map { $0 == 0 ? $1 : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
    }

    /// Without the question mark of a field that may be null.
    static func type(_ type: FieldType, fieldName: String) -> String {
        switch type {
        case .bool: return "Bool"
        case .int8: return "Int8"
        case .int16: return isErrorCode(type, fieldName) ? "ErrorCode" : "Int16"
        case .uint16: return "UInt16"
        case .int32: return "Int32"
        case .uint32: return "UInt32"
        case .int64: return "Int64"
        case .float64: return "Double"
        case .string: return "String"
        case .uuid: return "KafkaUUID"
        case .bytes, .records: return "ByteBuffer"
        case .externalRecords: return "WireRecords"
        case .structure(let name): return name
        case .array(let element): return "[\(self.type(element, fieldName: ""))]"
        }
    }

    static func isErrorCode(_ type: FieldType, _ fieldName: String) -> Bool {
        type == .int16 && (fieldName == "errorCode" || fieldName.hasSuffix("ErrorCode"))
    }

    static func type(of field: Field) -> String {
        type(field.type, fieldName: field.name) + (field.isOptional ? "?" : "")
    }

    static func defaultValue(of field: Field) -> String {
        if field.defaultValue == "null" { return "nil" }
        switch field.type {
        case .bool: return field.defaultValue ?? "false"
        case .int8, .uint16, .int32, .uint32, .int64, .float64: return field.defaultValue ?? "0"
        case .int16:
            return isErrorCode(field.type, field.name) ? "ErrorCode.none" : field.defaultValue ?? "0"
        case .string: return "\"\""
        case .uuid: return "KafkaUUID.zero"
        case .bytes: return "ByteBuffer()"
        case .records, .externalRecords: return "nil"
        case .structure(let name): return "\(name)()"
        case .array: return "[]"
        }
    }

    /// A condition that holds when the field holds something else than its default.
    static func isSet(_ field: Field) -> String {
        let name = property(field.name)
        let value = defaultValue(of: field)
        if field.type == .bool { return value == "true" ? "!\(name)" : name }
        if !field.isOptional {
            switch field.type {
            case .string, .array: return "!\(name).isEmpty"
            case .bytes: return "\(name).readableBytes != 0"
            default: break
            }
        }
        return "\(name) != \(value)"
    }

    /// A condition on `version`; nil where it always holds.
    static func condition(_ range: VersionRange, within context: VersionRange) -> String? {
        if range.covers(context) { return nil }
        if range.isEmpty { return "false" }
        var parts: [String] = []
        if range.lower > context.lower { parts.append("version >= \(range.lower)") }
        if range.upper < context.upper { parts.append("version <= \(range.upper)") }
        return parts.joined(separator: " && ")
    }
}
