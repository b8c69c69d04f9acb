import Events
import Settings

/// `redact: {fields: [a], method: mask}` takes what tells of a person out of fields; null stays.
struct RedactStep: RowStep {
    static let name = "redact"
    var names: [String]
    var method: Redaction

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        for name in names where !record.event[name].isNull {
            record.event[name] = method.redact(record.event[name])
        }
        return true
    }
}

extension RedactStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        names = try members.required("fields").fieldNames()
        method = try members.required("method").choice(Redaction.self)
        try members.finish()
    }
}
