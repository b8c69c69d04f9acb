/// A compiled expression of the one small language that `filter` (and later `set` and `route`) speaks.
///
///     status >= 500 or (request startsWith 'POST /login' and not remote_addr in ['10.0.0.1', '10.0.0.2'])
///
/// | | |
/// |---|---|
/// | values | `500`, `0.5`, `'text'` or `"text"` (with `\'`, `\"`, `\\`, `\n`, `\t`), `true`, `false`, `[1, 2]` |
/// | fields | `status`, `http.method`, `` `odd name` ``; a missing field is null |
/// | comparisons | `==` `!=` `<` `<=` `>` `>=`, `in [...]`, `not in [...]`, `contains`, `startsWith`, `endsWith` |
/// | logic | `not`, `and`, `or`, parentheses; `not` binds strongest, `or` weakest |
/// | functions | `exists(field)`, `lower(text)`, `upper(text)`, `length(text)`, `sample(share)` |
///
/// Every comparison with null is false, `!=` too; ask with `exists`. Whole numbers and decimals compare as numbers, text by its
/// bytes, a time with text that holds an ISO 8601 time; values of different kinds are unequal and have no order. `sample(0.1)` is
/// true for a tenth of the records, always for the same ones: it looks at the record's place in the topic, not at a die.
public struct Expression: Sendable {
    public let text: String
    let root: Node

    /// Compiles the text.
    /// - Parameter fields: the fields that an event can have, where the parser knows; then another name is an error.
    public init(
        _ text: String, fields: [(name: String, type: ValueType)]? = nil
    ) throws(ExpressionError) {
        self.text = text
        var compiler = try ExpressionCompiler(text, fields: fields)
        root = try compiler.compile()
    }

    /// The value for one event.
    /// - Parameter recordHash: a number that stays the same whenever this record is read again.
    public func value(of event: Event, recordHash: UInt64) -> Value { root.value(event, recordHash) }

    /// True where the value is `true`; everything else, null too, is false.
    public func matches(_ event: Event, recordHash: UInt64) -> Bool { root.isTrue(event, recordHash) }
    public func matches(_ row: borrowing Row, recordHash: UInt64) -> Bool { root.isTrue(row, recordHash) }

    indirect enum Node: Sendable {
        case literal(Value)
        case field(String)
        case path(FieldPath)
        case not(Node)
        case and(Node, Node)
        case or(Node, Node)
        case compare(Node, Comparison, Node)
        case isIn(Node, [Value])
        case exists(Node)
        case text(TextTest, Node, Node)
        case lower(Node)
        case upper(Node)
        case length(Node)
        case sample(UInt64)
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    enum TextTest: String, Sendable, CaseIterable {
        case contains, startsWith, endsWith
    }
}

/// An expression that can't be compiled: where in its text, and what would be right.
public struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The character, from 1.
    public var column: Int
    public var message: String

    init(at column: Int, _ message: String) {
        self.column = column
        self.message = message
    }

    public var description: String { "expression, column \(column): \(message)" }
}

/// The number by which `sample` decides: the same for a record however often it is read.
public enum RecordHash {
    /// Of a record's place. SplitMix64's finaliser over both numbers.
    public static func of(partition: Int32, offset: Int64) -> UInt64 {
        var word = UInt64(bitPattern: offset) &+ (UInt64(UInt32(bitPattern: partition)) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
