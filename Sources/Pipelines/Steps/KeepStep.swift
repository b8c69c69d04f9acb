import Events
import Settings

/// `keep: [a, b]` takes all other fields out.
struct KeepStep: RowStep {
    static let name = "keep"
    var names: [String]
    private let kept: Set<String>

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        record.event = Event(record.event.fields.filter { kept.contains($0.name) })
        return true
    }

    func fields(after fields: [FieldType]) -> [FieldType] { fields.filter { kept.contains($0.name) } }
}

extension KeepStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        names = try node.fieldNames()
        // What a step before it failed on stays told.
        kept = Set(names + [UnparsedFields.reason])
    }
}
