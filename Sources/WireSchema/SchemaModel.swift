/// What a schema file says, with versions resolved: a field's versions lie within those of the struct that holds it.
public struct Schema: Sendable {
    /// The file's name without folder and suffix: the name of the Swift file that comes of it.
    public var name: String
    /// Where it was read from, relative to the repository.
    public var path: String
    public var api: API?
    public var messages: [Message]

    public struct API: Sendable {
        public var name: String
        public var key: Int
    }
}

public struct Message: Sendable {
    public enum Kind: String, Sendable {
        case request, response, data
        case recordKey = "record-key"
        case recordValue = "record-value"
    }

    public var kind: Kind
    public var name: String
    public var versions: VersionRange
    public var flexible: VersionRange
    /// The number that names a coordinator record in its topic.
    public var recordType: Int?
    public var fields: [Field]
    /// Every struct below the message, flat, in order of appearance.
    public var structs: [Struct]

    public func structure(named name: String) -> Struct? { structs.first { $0.name == name } }
}

public struct Struct: Sendable {
    public var name: String
    public var versions: VersionRange
    public var fields: [Field]
}

public struct Field: Sendable {
    public var name: String
    public var type: FieldType
    public var versions: VersionRange
    /// Empty where the field is never null.
    public var nullable: VersionRange
    public var tag: Int?
    /// A number, `true` or `null`; nil is zero, empty or false.
    public var defaultValue: String?
    public var isIgnorable: Bool
    /// Keeps the encoding of versions that are not flexible.
    public var isFixed: Bool

    public var isOptional: Bool { !nullable.isEmpty }
}

public indirect enum FieldType: Hashable, Sendable {
    case bool, int8, int16, uint16, int32, uint32, int64, float64, string, uuid, bytes, records, externalRecords
    case structure(String)
    case array(FieldType)

    static let primitives: [String: FieldType] = [
        "bool": .bool, "int8": .int8, "int16": .int16, "uint16": .uint16, "int32": .int32, "uint32": .uint32,
        "int64": .int64, "float64": .float64, "string": .string, "uuid": .uuid, "bytes": .bytes, "records": .records,
        "externalRecords": .externalRecords,
    ]

    /// Whether a length or count stands before the value, which flexible versions write in another way.
    public var hasLength: Bool {
        switch self {
        case .string, .bytes, .records, .externalRecords, .array: return true
        case .bool, .int8, .int16, .uint16, .int32, .uint32, .int64, .float64, .uuid, .structure: return false
        }
    }

    /// The struct that the type is, or is an array of.
    public var structName: String? {
        switch self {
        case .structure(let name): return name
        case .array(let element): return element.structName
        case .bool, .int8, .int16, .uint16, .int32, .uint32, .int64, .float64, .string, .uuid, .bytes, .records,
            .externalRecords:
            return nil
        }
    }
}

/// A run of versions, both ends included; `max` stands for "and all later ones".
public struct VersionRange: Hashable, Sendable {
    public var lower: Int
    public var upper: Int

    public static let max = 9999
    public static let none = VersionRange(lower: 0, upper: -1)

    public init(lower: Int, upper: Int) {
        self.lower = lower
        self.upper = upper
    }

    /// Reads `3`, `3-12` or `3+`.
    public init?(_ text: some StringProtocol) {
        if text.hasSuffix("+"), let lower = Int(text.dropLast()) {
            self.init(lower: lower, upper: Self.max)
            return
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = ends.first, let lower = first else { return nil }
        guard ends.count <= 2, let upper = ends[ends.count - 1], upper >= lower else { return nil }
        self.init(lower: lower, upper: upper)
    }

    public var isEmpty: Bool { upper < lower }
    public func contains(_ version: Int) -> Bool { version >= lower && version <= upper }
    public func covers(_ other: VersionRange) -> Bool {
        other.isEmpty || (lower <= other.lower && upper >= other.upper)
    }
    public func intersection(_ other: VersionRange) -> VersionRange {
        let range = VersionRange(lower: Swift.max(lower, other.lower), upper: Swift.min(upper, other.upper))
        return range.isEmpty ? .none : range
    }
}

/// Something in a schema file that can't be understood.
public struct SchemaError: Error, CustomStringConvertible {
    public let path: String
    public let line: Int
    public let message: String

    public var description: String { "\(path):\(line): \(message)" }
}
