/// What an expression looks fields up in: an event, or a row on its way.
protocol FieldSource: ~Copyable {
    /// Null where there is none.
    func value(of name: String) -> Value
    /// Null where any step is missing or is no object.
    func value(at path: FieldPath) -> Value
}

extension Event: FieldSource {
    func value(of name: String) -> Value { self[name] }
    func value(at path: FieldPath) -> Value { self[path] }
}

extension Row: FieldSource {
    func value(of name: String) -> Value { self[name] }
    func value(at path: FieldPath) -> Value { path.value(within: self[path.components[0]]) }
}

extension FieldPath {
    /// What the components after the first lead to; null where any step is missing or is no object.
    public func value(within root: Value) -> Value {
        var value = root
        for component in components.dropFirst() {
            guard case .object(let members) = value else { return .null }
            value = members.first { $0.name == component }?.value ?? .null
        }
        return value
    }
}
