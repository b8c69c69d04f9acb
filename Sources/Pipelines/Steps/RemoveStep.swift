import Events
import Settings

/// `remove: [a, b]` takes fields out. One that isn't there is no error.
struct RemoveStep: RowStep {
    static let name = "remove"
    var names: [String]

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        for name in names { record.event.remove(name) }
        return true
    }

    func fields(after fields: [FieldType]) -> [FieldType] { fields.filter { !names.contains($0.name) } }
}

extension RemoveStep {
    init(yaml node: YAMLNode) throws(SettingsError) { names = try node.fieldNames() }
}

extension YAMLNode {
    /// Names of top-level fields, at least one.
    func fieldNames() throws(SettingsError) -> [String] {
        let names = try strings()
        guard !names.isEmpty else { throw expected("at least one field") }
        return names
    }
}
