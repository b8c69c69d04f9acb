public import Base

/// What a field of an event holds. Small and closed: every encoder knows how to write each case.
public enum Value: Sendable, Hashable {
    /// Missing, unset (`-` in nginx) or JSON's `null`.
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// Valid UTF-8. Bytes of a source that are not valid stand as `\xHH` (see `TextRepair`).
    case string(String)
    /// A moment, UTC, in milliseconds.
    case timestamp(Timestamp)
    case list([Value])
    case object([Field])

    /// The type's name as error messages and expressions use it.
    public var type: ValueType {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .string: .string
        case .timestamp: .timestamp
        case .list: .list
        case .object: .object
        }
    }

    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }
}

public enum ValueType: String, Sendable, Hashable {
    case null, bool, int, double, string, timestamp, list, object
}

/// A name and its value.
public struct Field: Sendable, Hashable {
    public var name: String
    public var value: Value

    @inlinable public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}
