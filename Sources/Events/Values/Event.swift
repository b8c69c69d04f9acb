/// One record after parsing: fields in the order in which the source wrote them, each name once.
///
/// Lookups search linearly: an event of a log has a dozen fields, where that is faster than any table.
public struct Event: Sendable, Hashable {
    public private(set) var fields: [Field]

    @inlinable public init() { self.init(distinct: []) }

    /// An event of fields whose names are known to differ.
    @usableFromInline init(distinct fields: [Field]) { self.fields = fields }

    /// An event of these fields; where a name comes twice, the last value wins at the first one's place.
    public init(_ fields: [Field]) { self.fields = Self.deduplicated(fields) }

    public var isEmpty: Bool { fields.isEmpty }

    /// The value of a top-level field: null where there is none. Setting null keeps the field, as an explicit null.
    public subscript(name: String) -> Value {
        get { fields.first { $0.name == name }?.value ?? .null }
        set {
            if let place = fields.firstIndex(where: { $0.name == name }) {
                fields[place].value = newValue
            } else {
                fields.append(Field(name, newValue))
            }
        }
    }

    /// The value at a path: null where any step is missing or is no object.
    public subscript(path: FieldPath) -> Value {
        path.value(within: self[path.components[0]])
    }

    /// Takes a top-level field out; its value, or nil where there was none.
    @discardableResult
    public mutating func remove(_ name: String) -> Value? {
        guard let place = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: place).value
    }

    /// Keeps one field per name, the last value at the first place. Linear up to a few fields, by table above them, for a peer
    /// decides how many there are.
    static func deduplicated(_ fields: [Field]) -> [Field] {
        if fields.count <= 24 {
            var hasTwins = false
            for place in fields.indices.dropFirst() where !hasTwins {
                hasTwins = fields[..<place].contains { $0.name == fields[place].name }
            }
            if !hasTwins { return fields }
        }
        var places: [String: Int] = [:]
        var result: [Field] = []
        for field in fields {
            if let place = places[field.name] {
                result[place].value = field.value
            } else {
                places[field.name] = result.count
                result.append(field)
            }
        }
        return result
    }
}
