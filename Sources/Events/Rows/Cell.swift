public import Base

/// What one field of a row holds, without owning it: text lies in the record's own bytes or in the row's arena, and is lent until the
/// row begins anew.
@frozen
public enum Cell {
    /// Missing, unset (`-` in nginx) or JSON's `null`.
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// A moment, UTC, in milliseconds.
    case timestamp(Timestamp)
    /// Valid UTF-8. Bytes of a source that are not valid stand as `\xHH` (see `TextRepair`).
    case text(UnsafeRawBufferPointer)
    /// A list or an object, as compact JSON.
    case json(UnsafeRawBufferPointer)

    @inlinable public var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// A value of its own, which outlives the row.
    public var value: Value {
        switch self {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .double(let double): return .double(double)
        case .timestamp(let timestamp): return .timestamp(timestamp)
        case .text(let bytes): return .string(String(decoding: bytes, as: UTF8.self))
        case .json(let bytes):
            do throws(JSONError) { return try JSON.parse(bytes, limits: JSON.Limits(depthMax: .max)) } catch {
                preconditionFailure("a cell holds what is no JSON: \(error)")
            }
        }
    }
}
