/// What may be compared with what, and what each function takes.
enum ExpressionTypes {
    typealias Typed = ExpressionCompiler.Typed

    static let functions = [
        "exists", "lower", "upper", "length", "sample", "contains", "startsWith", "endsWith",
    ]

    static func want(_ type: ValueType, _ typed: Typed) throws(ExpressionError) {
        guard let found = typed.type, found != type else { return }
        let wanted = type == .bool ? "a condition (true or false)" : "a \(type.rawValue)"
        throw ExpressionError(at: typed.column, "\(wanted) is wanted here, this is a \(found.rawValue)")
    }

    static func check(
        _ left: Typed, _ comparison: Expression.Comparison, _ right: Typed, at column: Int
    ) throws(ExpressionError) {
        if left.type == .null || right.type == .null {
            throw ExpressionError(
                at: column, "a comparison with null is always false; write exists(field) or not exists(field)")
        }
        guard let first = left.type, let second = right.type else { return }
        if Set([first, second]) == [.timestamp, .string] {
            for typed in [left, right] {
                guard case .literal(.string(let text)) = typed.node, TimeText.iso8601(text) == nil else { continue }
                throw ExpressionError(
                    at: typed.column, "a time such as '2026-11-22T07:00:00Z' is wanted, not '\(text)'")
            }
            return
        }
        guard first == second || Set([first, second]) == [.int, .double] else {
            throw ExpressionError(at: column, "a \(first.rawValue) can't be compared with a \(second.rawValue)")
        }
        if first == .bool, comparison != .equal, comparison != .unequal {
            throw ExpressionError(at: column, "true and false have no order")
        }
    }

    static func call(_ name: String, _ arguments: [Typed], at column: Int) throws(ExpressionError) -> Typed {
        if let test = Expression.TextTest(rawValue: name) {
            guard arguments.count == 2 else {
                throw ExpressionError(at: column, "\(name)(text, part) takes two arguments, not \(arguments.count)")
            }
            try want(.string, arguments[0])
            try want(.string, arguments[1])
            return Typed(node: .text(test, arguments[0].node, arguments[1].node), type: .bool, column: column)
        }
        guard arguments.count == 1 else {
            throw ExpressionError(at: column, "\(name) takes one argument, not \(arguments.count)")
        }
        let argument = arguments[0]
        switch name {
        case "exists": return Typed(node: .exists(argument.node), type: .bool, column: column)
        case "sample": return Typed(node: .sample(try threshold(argument)), type: .bool, column: column)
        case "length": return Typed(node: .length(argument.node), type: .int, column: column)
        default:
            try want(.string, argument)
            let node = name == "lower" ? Expression.Node.lower(argument.node) : .upper(argument.node)
            return Typed(node: node, type: .string, column: column)
        }
    }

    private static func threshold(_ argument: Typed) throws(ExpressionError) -> UInt64 {
        let share: Double? =
            switch argument.node {
            case .literal(.double(let share)): share
            case .literal(.int(let share)): Double(share)
            default: nil
            }
        guard let share, share > 0, share <= 1 else {
            throw ExpressionError(at: argument.column, "a share above 0 and up to 1 is wanted, such as sample(0.1)")
        }
        return share == 1 ? .max : UInt64(share * 0x1p64)
    }
}
