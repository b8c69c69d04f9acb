import Base
import Events
import Settings

/// `timestamp: {field: when, format: '%d/%b/%Y %H:%M:%S', zone: '+01:00'}` reads the event's time out of a field, which becomes a time.
///
/// It decides the folder of an export from then on, whatever the parser found. A record without the field, or with null in it, goes on as it is.
struct TimestampStep: RowStep {
    static let name = "timestamp"

    /// How the field tells the time.
    enum Format: Sendable {
        case iso8601, nginx, unix, unixMilliseconds, unixMicroseconds
        case pattern(TimePattern)
    }

    var field: String
    /// What the time is called; the same field by default.
    var target: String
    var format: Format
    var text: String

    var canFail: Bool { true }

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        let value = record.event[field]
        if value.isNull { return true }
        guard let time = time(value, input.arrival) else {
            throw StepError("\(field): \(StepError.excerpt(value.plainText)) is no time as \(text)")
        }
        record.event[target] = .timestamp(time)
        record.time = time
        return true
    }

    private func time(_ value: Value, _ arrival: Timestamp) -> Timestamp? {
        if case .timestamp(let time) = value { return time }
        let text = value.plainText
        switch format {
        case .iso8601: return TimeText.iso8601(text)
        case .nginx: return TimeText.nginxLocal(text)
        case .unix: return TimeText.epochSeconds(text)
        case .unixMilliseconds: return TimeText.epochMilliseconds(text)
        case .unixMicroseconds: return TimeText.epochMicroseconds(text)
        case .pattern(let pattern): return pattern.time(text, received: arrival)
        }
    }

    func fields(after fields: [FieldType]) -> [FieldType] { fields.setting(target, to: .timestamp) }
}

extension TimestampStep {
    private static let formats = ["iso8601", "nginx", "unix", "unix_ms", "unix_us"]

    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        field = try members.required("field").string()
        target = try members.string("to", default: field)
        let formatNode = members.node("format")
        text = try formatNode?.string() ?? "iso8601"
        let zone = try ParserSettings.zone(&members)
        switch text {
        case "iso8601": format = .iso8601
        case "nginx": format = .nginx
        case "unix": format = .unix
        case "unix_ms": format = .unixMilliseconds
        case "unix_us": format = .unixMicroseconds
        default:
            guard let formatNode else { preconditionFailure("a format that nobody wrote") }
            guard text.contains("%") else {
                throw SettingsError.unknownName(
                    text, kind: "format", known: Self.formats + ["a pattern such as %Y-%m-%d %H:%M:%S"],
                    at: formatNode.place)
            }
            do throws(TimePattern.Problem) { format = .pattern(try TimePattern(text, zone: zone)) } catch {
                throw SettingsError("format: \(error)", at: formatNode.place)
            }
        }
        try members.finish()
    }
}

extension Value {
    /// Text as it is, everything else as JSON writes it.
    var plainText: String {
        if case .string(let text) = self { return text }
        return json
    }
}

extension [FieldType] {
    /// The field with another type, or added at the end.
    func setting(_ name: String, to type: ValueType) -> [FieldType] {
        var fields = self
        if let place = fields.firstIndex(where: { $0.name == name }) {
            fields[place].type = type
        } else {
            fields.append((name, type))
        }
        return fields
    }
}
