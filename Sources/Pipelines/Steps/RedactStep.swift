import Events
import Settings

/// `redact: {fields: [a], method: mask}` takes what tells of a person out of fields; null stays. With `find` it takes out only what it finds within a text.
struct RedactStep: RowStep {
    static let name = "redact"
    var names: [String]
    var redaction: Redaction
    /// Nil: the whole value.
    var find: SensitiveText?

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        for name in names {
            let value = record.event[name]
            if value.isNull { continue }
            record.event[name] = find.map { Self.replacing(in: value, $0, redaction) } ?? redaction.redact(value)
        }
        return true
    }

    /// In every text of the value; numbers are looked at as text, and stay what they are where nothing is found.
    private static func replacing(in value: Value, _ find: SensitiveText, _ redaction: Redaction) -> Value {
        switch value {
        case .string(let text): return .string(find.replacing(in: text, by: redaction))
        case .list(let elements): return .list(elements.map { replacing(in: $0, find, redaction) })
        case .object(let fields):
            return .object(fields.map { Field($0.name, replacing(in: $0.value, find, redaction)) })
        case .int, .double:
            let text = value.plainText
            let replaced = find.replacing(in: text, by: redaction)
            return replaced == text ? value : .string(replaced)
        case .null, .bool, .timestamp: return value
        }
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        guard find == nil else { return fields }
        return fields.map { (field: FieldType) -> FieldType in
            names.contains(field.name) ? (name: field.name, type: .string) : field
        }
    }
}

extension RedactStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        names = try members.required("fields").fieldNames()
        let methodNode = members.node("method")
        if let findNode = members.node("find") {
            var kinds: [SensitiveText.Kind] = []
            for text in try findNode.strings() {
                guard let kind = SensitiveText.Kind(rawValue: text) else {
                    throw SettingsError.unknownName(
                        text, kind: "value", known: SensitiveText.Kind.allCases.map(\.rawValue), at: findNode.place)
                }
                kinds.append(kind)
            }
            guard !kinds.isEmpty else { throw findNode.expected("at least one of ip, email, card, token") }
            find = SensitiveText(kinds)
        }
        let keyNode = members.node("secret")
        let key = try keyNode?.string()
        let method: Redaction.Method
        if let methodNode {
            method = try methodNode.choice(Redaction.Method.self)
        } else if find != nil {
            method = .mask
        } else {
            method = try members.required("method").choice(Redaction.Method.self)
        }
        guard (method == .hash) == (key != nil) else {
            throw (keyNode ?? node).expected("'secret' with method 'hash', and only there")
        }
        if let key, let keyNode, key.utf8.count < Redaction.keyBytesMin {
            throw SettingsError(
                "the secret has \(key.utf8.count) bytes, at least \(Redaction.keyBytesMin) are wanted, e.g. from openssl rand -hex 32",
                at: keyNode.place)
        }
        redaction = Redaction(method, key: key)
        try members.finish()
    }
}
