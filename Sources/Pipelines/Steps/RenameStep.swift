import Events
import Settings

/// `rename: {old: new}` gives a field another name. A field that has it already gives way.
struct RenameStep: RowStep {
    static let name = "rename"
    /// In pairs, from and to.
    var pairs: [(from: String, to: String)]

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        for (from, to) in pairs where record.event.fields.contains(where: { $0.name == from }) {
            record.event.remove(to)
            record.event = Event(record.event.fields.map { $0.name == from ? Field(to, $0.value) : $0 })
        }
        return true
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        var fields = fields
        for (from, to) in pairs {
            guard let place = fields.firstIndex(where: { $0.name == from }) else { continue }
            fields[place].name = to
            fields = fields.enumerated().filter { $0.offset == place || $0.element.name != to }.map(\.element)
        }
        return fields
    }
}

extension RenameStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        pairs = []
        for from in members.chosenNames() { pairs.append((from, try members.required(from).string())) }
        try members.finish()
    }
}
