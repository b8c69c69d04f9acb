import Base

extension Expression.Node {
    func value<Source: FieldSource & ~Copyable>(_ event: borrowing Source, _ hash: UInt64) -> Value {
        switch self {
        case .literal(let value): return value
        case .field(let name): return event.value(of: name)
        case .path(let path): return event.value(at: path)
        case .not(let node): return .bool(!node.isTrue(event, hash))
        case .and(let left, let right): return .bool(left.isTrue(event, hash) && right.isTrue(event, hash))
        case .or(let left, let right): return .bool(left.isTrue(event, hash) || right.isTrue(event, hash))
        case .compare(let left, let comparison, let right):
            return .bool(Self.compare(left.value(event, hash), comparison, right.value(event, hash)))
        case .isIn(let node, let values):
            let value = node.value(event, hash)
            return .bool(values.contains { Self.compare(value, .equal, $0) })
        case .exists(let node): return .bool(!node.value(event, hash).isNull)
        case .text(let test, let left, let right):
            guard case .string(let text) = left.value(event, hash), case .string(let part) = right.value(event, hash)
            else { return .bool(false) }
            return .bool(Self.test(text, test, part))
        case .lower(let node): return Self.mapText(node.value(event, hash)) { $0.lowercased() }
        case .upper(let node): return Self.mapText(node.value(event, hash)) { $0.uppercased() }
        case .length(let node):
            switch node.value(event, hash) {
            case .string(let text): return .int(Int64(text.utf8.count))
            case .list(let elements): return .int(Int64(elements.count))
            case .null, .bool, .int, .double, .timestamp, .object: return .null
            }
        case .sample(let threshold): return .bool(hash <= threshold)
        }
    }

    func isTrue<Source: FieldSource & ~Copyable>(_ event: borrowing Source, _ hash: UInt64) -> Bool {
        if case .bool(let bool) = value(event, hash) { return bool }
        return false
    }

    private static func mapText(_ value: Value, _ body: (String) -> String) -> Value {
        guard case .string(let text) = value else { return .null }
        return .string(body(text))
    }

    private static func test(_ text: String, _ test: Expression.TextTest, _ part: String) -> Bool {
        switch test {
        case .startsWith: return text.utf8.starts(with: part.utf8)
        case .endsWith: return text.utf8.reversed().starts(with: part.utf8.reversed())
        case .contains:
            guard let first = part.utf8.first else { return true }
            var rest = text.utf8[...]
            while let place = rest.firstIndex(of: first) {
                rest = rest[place...]
                if rest.starts(with: part.utf8) { return true }
                rest = rest.dropFirst()
            }
            return false
        }
    }

    /// False wherever a null is met; two kinds are unequal and have no order.
    private static func compare(_ left: Value, _ comparison: Expression.Comparison, _ right: Value) -> Bool {
        switch (left, right) {
        case (.null, _), (_, .null): return false
        case (.int(let a), .int(let b)): return holds(a, comparison, b)
        case (.int(let a), .double(let b)): return holds(Double(a), comparison, b)
        case (.double(let a), .int(let b)): return holds(a, comparison, Double(b))
        case (.double(let a), .double(let b)): return holds(a, comparison, b)
        case (.string(let a), .string(let b)): return compare(a, comparison, b)
        case (.timestamp(let a), .timestamp(let b)): return holds(a, comparison, b)
        case (.timestamp(let a), .string(let b)):
            guard let b = TimeText.iso8601(b) else { return comparison == .unequal }
            return holds(a, comparison, b)
        case (.string(let a), .timestamp(let b)):
            guard let a = TimeText.iso8601(a) else { return comparison == .unequal }
            return holds(a, comparison, b)
        case (.bool(let a), .bool(let b)):
            return comparison == .equal && a == b || comparison == .unequal && a != b
        default: return comparison == .unequal
        }
    }

    private static func compare(_ left: String, _ comparison: Expression.Comparison, _ right: String) -> Bool {
        let isEqual = left.utf8.elementsEqual(right.utf8)
        if isEqual || comparison == .equal || comparison == .unequal { return holds(isEqual ? 0 : 1, comparison, 0) }
        return holds(left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1, comparison, 0)
    }

    private static func holds<Element: Comparable>(
        _ left: Element, _ comparison: Expression.Comparison, _ right: Element
    ) -> Bool {
        switch comparison {
        case .equal: left == right
        case .unequal: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
