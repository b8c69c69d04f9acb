/// `parse: json`: each record is one JSON object; its members are the event's fields.
public struct JSONLineParser: LineParser {
    public var limits: JSON.Limits

    public init(limits: JSON.Limits = .standard) { self.limits = limits }

    public var fields: [(name: String, type: ValueType)]? { nil }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        var reader = JSONReader(line, limits: limits)
        let other: ValueType?
        do throws(JSONError) { other = try reader.fill(&row) } catch {
            throw ParseError(at: error.position, "not JSON: \(error.message)")
        }
        if let other { throw ParseError(at: 0, "a JSON object is wanted, this is a \(other.rawValue)") }
    }
}

/// `parse: journal`: an entry as `journalctl -o json` writes it (systemd, "Journal JSON Format").
///
/// As JSON, but a field that is not valid UTF-8, which the journal writes as a list of byte numbers, becomes text with `\xHH` for the bytes
/// that need it, so that the column keeps one type. A field that an entry holds several times stays a list.
public struct JournalLineParser: LineParser {
    private let json: JSONLineParser

    public init(limits: JSON.Limits = .standard) { json = JSONLineParser(limits: limits) }

    /// systemd.journal-fields(7): what nearly every entry has.
    public var usualFields: [(name: String, type: ValueType)]? {
        [
            ("__REALTIME_TIMESTAMP", .timestamp), ("_HOSTNAME", .string), ("_SYSTEMD_UNIT", .string),
            ("SYSLOG_IDENTIFIER", .string), ("PRIORITY", .int), ("_PID", .int), ("_UID", .int), ("_COMM", .string),
            ("_TRANSPORT", .string), ("_BOOT_ID", .string), ("MESSAGE", .string),
        ]
    }

    public var fields: [(name: String, type: ValueType)]? { nil }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        try json.parse(line, into: &row)
        for place in 0..<row.count {
            guard case .json(let bytes) = row.cells[place], bytes.first == UInt8(ascii: "[") else { continue }
            let value = Self.text(row.cells[place].value)
            if case .string(let text) = value {
                row.replace(at: place, by: .text(row.arena.copy(text)))
            } else {
                row.replace(at: place, by: .json(row.json(of: value)))
            }
        }
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

    private static let layout = RowLayout(["line"])

    public var fields: [(name: String, type: ValueType)]? { [("line", .string)] }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        row.begin(Self.layout)
        row.append(.text(TextRepair.text(line, in: &row.arena)))
    }
}
