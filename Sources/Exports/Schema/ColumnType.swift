import Events

/// What a column of a table holds. Every column may be null.
public enum ColumnType: String, Sendable, CaseIterable {
    case bool
    case int32
    case int64
    case double
    /// Valid UTF-8.
    case string
    /// A day, UTC.
    case date
    /// A moment, UTC, in microseconds.
    case timestamp

    /// The type for a field as its parser describes it; lists and objects stand as JSON text.
    init(_ type: ValueType) {
        switch type {
        case .bool: self = .bool
        case .int: self = .int64
        case .double: self = .double
        case .timestamp: self = .timestamp
        case .null, .string, .list, .object: self = .string
        }
    }
}

/// What numbers in a time column count, where the source writes times as numbers.
public enum TimeUnit: String, Sendable, CaseIterable {
    case s
    case ms
    case us

    var microseconds: Int64 {
        switch self {
        case .s: 1_000_000
        case .ms: 1000
        case .us: 1
        }
    }
}
