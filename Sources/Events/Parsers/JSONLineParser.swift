/// `parse: json`: each record is one JSON object; its members are the event's fields.
public struct JSONLineParser: LineParser {
    public var limits: JSON.Limits

    public init(limits: JSON.Limits = .standard) { self.limits = limits }

    public var fields: [(name: String, type: ValueType)]? { nil }

    public func parse(_ line: UnsafeRawBufferPointer) throws(ParseError) -> Event {
        let value: Value
        do throws(JSONError) { value = try JSON.parse(line, limits: limits) } catch {
            throw ParseError(at: error.position, "not JSON: \(error.message)")
        }
        guard case .object(let fields) = value else {
            throw ParseError(at: 0, "a JSON object is wanted, this is a \(value.type.rawValue)")
        }
        return Event(distinct: fields)
    }
}

/// `parse: journal`: an entry as `journalctl -o json` writes it (systemd, "Journal JSON Format").
///
/// As JSON, but a field that is not valid UTF-8, which the journal writes as a list of byte numbers, becomes text with `\xHH` for the bytes
/// that need it, so that the column keeps one type. A field that an entry holds several times stays a list.
public struct JournalLineParser: LineParser {
    private let json: JSONLineParser

    public init(limits: JSON.Limits = .standard) { json = JSONLineParser(limits: limits) }

    public var fields: [(name: String, type: ValueType)]? { nil }

    public func parse(_ line: UnsafeRawBufferPointer) throws(ParseError) -> Event {
        let event = try json.parse(line)
        guard event.fields.contains(where: { $0.value.type == .list }) else { return event }
        return Event(distinct: event.fields.map { Field($0.name, Self.text($0.value)) })
    }

    private static func text(_ value: Value) -> Value {
        guard case .list(let elements) = value, !elements.isEmpty else { return value }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(elements.count)
        for element in elements {
            guard case .int(let number) = element, let byte = UInt8(exactly: number) else {
                return .list(elements.map(text))
            }
            bytes.append(byte)
        }
        return .string(TextRepair.string(bytes))
    }
}

/// No `parse` step: the record's bytes as the field `line`.
public struct RawLineParser: LineParser {
    public init() {}

    public var fields: [(name: String, type: ValueType)]? { [("line", .string)] }

    public func parse(_ line: UnsafeRawBufferPointer) throws(ParseError) -> Event {
        Event(distinct: [Field("line", .string(TextRepair.string(line)))])
    }
}
