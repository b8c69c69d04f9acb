import Base
import Events
import Settings

/// `convert: {status: int, took: double, cached: bool, when: timestamp}` makes fields what they should be. Nothing is guessed or rounded; null stays.
///
/// | to | takes |
/// |---|---|
/// | `int` | a whole number, also as text; a decimal without a fraction |
/// | `double` | a number, also as text: `0.25`, `1e3` |
/// | `bool` | `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`, in any case |
/// | `timestamp` | ISO 8601 |
/// | `string` | anything |
struct ConvertStep: RowStep {
    static let name = "convert"

    /// What a field may become.
    enum Target: String, CaseIterable, Sendable {
        case int, double, bool, timestamp, string

        var type: ValueType {
            switch self {
            case .int: .int
            case .double: .double
            case .bool: .bool
            case .timestamp: .timestamp
            case .string: .string
            }
        }
    }

    var targets: [(name: String, target: Target)]
    var canFail: Bool { true }

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        var converted: [(name: String, value: Value)] = []
        for (name, target) in targets {
            let value = record.event[name]
            if value.isNull { continue }
            guard let result = Self.convert(value, to: target) else {
                throw StepError("\(name): \(StepError.excerpt(value.plainText)) is no \(target.rawValue)")
            }
            converted.append((name, result))
        }
        for (name, value) in converted { record.event[name] = value }
        return true
    }

    static func convert(_ value: Value, to target: Target) -> Value? {
        switch (target, value) {
        case (.int, .int), (.double, .double), (.bool, .bool), (.timestamp, .timestamp), (.string, .string):
            return value
        case (.string, _): return .string(value.plainText)
        case (.int, .string(let text)): return Int64(text).map { .int($0) }
        case (.int, .double(let number)): return Int64(exactly: number).map { .int($0) }
        case (.double, .string(let text)): return double(text).map { .double($0) }
        case (.double, .int(let number)): return Double(exactly: number).map { .double($0) }
        case (.bool, .string(let text)): return bool(text)
        case (.bool, .int(let number)): return number == 0 ? .bool(false) : number == 1 ? .bool(true) : nil
        case (.timestamp, .string(let text)): return TimeText.iso8601(text).map { .timestamp($0) }
        default: return nil
        }
    }

    /// Neither `inf` nor hexadecimal, which other readers don't know.
    private static func double(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text),
            number.isFinite
        else { return nil }
        return number
    }

    private static func bool(_ text: String) -> Value? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": .bool(true)
        case "false", "no", "off", "0": .bool(false)
        default: nil
        }
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        fields.map { (field: FieldType) -> FieldType in
            (name: field.name, type: targets.first { $0.name == field.name }?.target.type ?? field.type)
        }
    }
}

extension ConvertStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        targets = []
        for name in members.chosenNames() { targets.append((name, try members.required(name).choice(Target.self))) }
        try members.finish()
        guard !targets.isEmpty else { throw node.expected("at least one field and what it becomes") }
    }
}
