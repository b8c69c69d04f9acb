/// Recursive descent over the tokens, with types where they are known.
struct ExpressionCompiler {
    typealias Node = Expression.Node

    struct Typed {
        var node: Node
        /// Nil where only the event knows.
        var type: ValueType?
        var column: Int
    }

    private static let words = ["and", "or", "not", "in", "true", "false", "null"]
    private static let depthMax = 64

    private let tokens: [ExpressionToken]
    private let fields: [(name: String, type: ValueType)]?
    private var place = 0
    private var depth = 0

    init(_ text: String, fields: [(name: String, type: ValueType)]?) throws(ExpressionError) {
        tokens = try ExpressionToken.all(of: text)
        self.fields = fields
    }

    mutating func compile() throws(ExpressionError) -> Node {
        if tokens.count == 1 { throw ExpressionError(at: 1, "the expression is empty") }
        let root = try either()
        guard current.kind == .end else {
            throw ExpressionError(at: current.column, "'and', 'or' or the end is wanted here, not \(current.shown)")
        }
        try want(.bool, root)
        return root.node
    }

    private var current: ExpressionToken { tokens[place] }

    private mutating func take(_ kind: ExpressionToken.Kind) -> Bool {
        guard current.kind == kind else { return false }
        place += 1
        return true
    }

    private mutating func either() throws(ExpressionError) -> Typed {
        guard depth < Self.depthMax else {
            throw ExpressionError(at: current.column, "nested deeper than \(Self.depthMax)")
        }
        depth += 1
        defer { depth -= 1 }
        var left = try both()
        while take(.name("or")) {
            try want(.bool, left)
            let right = try both()
            try want(.bool, right)
            left = Typed(node: .or(left.node, right.node), type: .bool, column: left.column)
        }
        return left
    }

    private mutating func both() throws(ExpressionError) -> Typed {
        var left = try negation()
        while take(.name("and")) {
            try want(.bool, left)
            let right = try negation()
            try want(.bool, right)
            left = Typed(node: .and(left.node, right.node), type: .bool, column: left.column)
        }
        return left
    }

    private mutating func negation() throws(ExpressionError) -> Typed {
        let column = current.column
        var negations = 0
        while take(.name("not")) { negations += 1 }
        let operand = try comparison()
        guard negations > 0 else { return operand }
        try want(.bool, operand)
        // An even number is not nothing: it makes true or false of what may be null.
        let node = Node.not(operand.node)
        return Typed(node: negations % 2 == 1 ? node : .not(node), type: .bool, column: column)
    }

    private mutating func comparison() throws(ExpressionError) -> Typed {
        let left = try primary()
        let token = current
        switch token.kind {
        case .symbol(let symbol):
            guard let comparison = Expression.Comparison(rawValue: symbol) else { return left }
            place += 1
            let right = try primary()
            try ExpressionTypes.check(left, comparison, right, at: token.column)
            if case .symbol(let next) = current.kind, Expression.Comparison(rawValue: next) != nil {
                throw ExpressionError(at: current.column, "comparisons can't be chained; join two with 'and'")
            }
            return Typed(node: .compare(left.node, comparison, right.node), type: .bool, column: left.column)
        case .name("in"):
            place += 1
            return Typed(node: .isIn(left.node, try list(comparedWith: left)), type: .bool, column: left.column)
        case .name("not") where tokens[place + 1].kind == .name("in"):
            place += 2
            // Like every comparison, false for null.
            let node = Node.isIn(left.node, try list(comparedWith: left))
            return Typed(node: .and(.exists(left.node), .not(node)), type: .bool, column: left.column)
        case .name(let name):
            guard let test = Expression.TextTest(rawValue: name) else { return left }
            place += 1
            let right = try primary()
            try want(.string, left)
            try want(.string, right)
            return Typed(node: .text(test, left.node, right.node), type: .bool, column: left.column)
        case .text, .int, .double, .end: return left
        }
    }

    private mutating func list(comparedWith left: Typed) throws(ExpressionError) -> [Value] {
        let start = current.column
        guard take(.symbol("[")) else { throw ExpressionError(at: start, "a list such as [1, 2] is wanted after 'in'") }
        var values: [Value] = []
        if take(.symbol("]")) { return values }
        while true {
            let element = try primary()
            guard case .literal(let value) = element.node else {
                throw ExpressionError(at: element.column, "a list holds values, not fields")
            }
            try ExpressionTypes.check(left, .equal, element, at: element.column)
            values.append(value)
            if take(.symbol("]")) { return values }
            guard take(.symbol(",")) else {
                throw ExpressionError(at: current.column, "a comma or ] is wanted here, not \(current.shown)")
            }
        }
    }

    private mutating func primary() throws(ExpressionError) -> Typed {
        let token = current
        place += 1
        switch token.kind {
        case .int(let number): return Typed(node: .literal(.int(number)), type: .int, column: token.column)
        case .double(let number): return Typed(node: .literal(.double(number)), type: .double, column: token.column)
        case .text(let text): return Typed(node: .literal(.string(text)), type: .string, column: token.column)
        case .symbol("-"): return try negative(token.column)
        case .symbol("("):
            let inner = try either()
            guard take(.symbol(")")) else {
                throw ExpressionError(at: current.column, "a closing ) is wanted here, not \(current.shown)")
            }
            return Typed(node: inner.node, type: inner.type, column: token.column)
        case .name("true"): return Typed(node: .literal(.bool(true)), type: .bool, column: token.column)
        case .name("false"): return Typed(node: .literal(.bool(false)), type: .bool, column: token.column)
        case .name("null"): return Typed(node: .literal(.null), type: .null, column: token.column)
        case .name(let name):
            return current.kind == .symbol("(") ? try call(name, token.column) : try field(name, token.column)
        case .symbol, .end:
            place -= 1
            throw ExpressionError(at: token.column, "a value or a field is wanted here, not \(token.shown)")
        }
    }

    private mutating func negative(_ column: Int) throws(ExpressionError) -> Typed {
        let token = current
        place += 1
        switch token.kind {
        case .int(let number): return Typed(node: .literal(.int(-number)), type: .int, column: column)
        case .double(let number): return Typed(node: .literal(.double(-number)), type: .double, column: column)
        case .name, .text, .symbol, .end: throw ExpressionError(at: token.column, "a number is wanted after '-'")
        }
    }

    private func field(_ name: String, _ column: Int) throws(ExpressionError) -> Typed {
        guard !Self.words.contains(name) else {
            throw ExpressionError(at: column, "a value or a field is wanted here, not '\(name)'")
        }
        guard let path = FieldPath(name) else {
            throw ExpressionError(at: column, "'\(name)' is no field; a path looks like http.method or `odd name`.x")
        }
        guard path.components.count == 1 else { return Typed(node: .path(path), type: nil, column: column) }
        let name = path.components[0]
        guard let fields else { return Typed(node: .field(name), type: nil, column: column) }
        guard let known = fields.first(where: { $0.name == name }) else {
            let names = fields.map(\.name)
            let hint = NearestName.hint(name, in: names)
            throw ExpressionError(
                at: column,
                "no field '\(name)'" + (hint.isEmpty ? "; there are \(names.joined(separator: ", "))" : hint))
        }
        return Typed(node: .field(name), type: known.type, column: column)
    }

    private mutating func call(_ name: String, _ column: Int) throws(ExpressionError) -> Typed {
        guard ExpressionTypes.functions.contains(name) else {
            let hint = NearestName.hint(name, in: ExpressionTypes.functions)
            throw ExpressionError(at: column, "no function '\(name)'\(hint)")
        }
        place += 1
        var arguments: [Typed] = []
        if !take(.symbol(")")) {
            while true {
                arguments.append(try either())
                if take(.symbol(")")) { break }
                guard take(.symbol(",")) else {
                    throw ExpressionError(at: current.column, "a comma or ) is wanted here, not \(current.shown)")
                }
            }
        }
        return try ExpressionTypes.call(name, arguments, at: column)
    }

    private func want(_ type: ValueType, _ typed: Typed) throws(ExpressionError) {
        try ExpressionTypes.want(type, typed)
    }
}
