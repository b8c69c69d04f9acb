/// What a journal reader is told on its command line.
public struct JournalReaderOptions: Sendable, Equatable {
    public var directory: String?
    public var namespace: String?
    /// Go on after this entry.
    public var afterCursor: String?
    /// Microseconds since 1970: where to go on if the entry of the cursor is gone, or to begin where there is no cursor.
    public var sinceRealtime: UInt64?
    public var units: [String] = []
    public var identifiers: [String] = []
    /// Entries of this unit are passed over: the agent's own.
    public var leaveOutUnit: String?
    public var priority: Int?
    public var isThisBootOnly = false
    public var entryBytesMax = SealSettings.lineBytesMax.bytes
    /// So many entries are not read but counted as gone: earlier readers crashed there.
    public var passOver = 0

    public init() {}

    /// - Throws: `JournalReaderUsageError`, with a sentence for a person.
    public init(arguments: [String]) throws(JournalReaderUsageError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--boot" {
                isThisBootOnly = true
                continue
            }
            guard let value = rest.popFirst() else { throw JournalReaderUsageError(message: "\(name) needs a value") }
            switch name {
            case "--directory": directory = value
            case "--namespace": namespace = value
            case "--after-cursor": afterCursor = value
            case "--since-realtime": sinceRealtime = try Self.number(value, name)
            case "--unit": units.append(value)
            case "--identifier": identifiers.append(value)
            case "--leave-out-unit": leaveOutUnit = value
            case "--priority": priority = try Self.number(value, name, max: 7)
            case "--entry-bytes-max": entryBytesMax = try Self.number(value, name, max: 1 << 30)
            case "--pass-over": passOver = try Self.number(value, name)
            default: throw JournalReaderUsageError(message: "unknown option \(name)")
            }
        }
    }

    private static func number<Number: FixedWidthInteger>(_ text: String, _ name: String, max: Number = .max)
        throws(JournalReaderUsageError) -> Number
    {
        guard let number = Number(text), number >= 0, number <= max else {
            throw JournalReaderUsageError(message: "\(name): '\(text)' is no number from 0 to \(max)")
        }
        return number
    }

    /// The command line that says the same.
    public var arguments: [String] {
        var arguments: [String] = []
        func add(_ name: String, _ value: String?) { if let value { arguments += [name, value] } }
        add("--directory", directory)
        add("--namespace", namespace)
        add("--after-cursor", afterCursor)
        add("--since-realtime", sinceRealtime.map { String($0) })
        for unit in units { add("--unit", unit) }
        for identifier in identifiers { add("--identifier", identifier) }
        add("--leave-out-unit", leaveOutUnit)
        add("--priority", priority.map { String($0) })
        if isThisBootOnly { arguments.append("--boot") }
        add("--entry-bytes-max", String(entryBytesMax))
        if passOver > 0 { add("--pass-over", String(passOver)) }
        return arguments
    }
}

/// A command line that a journal reader can't follow.
public struct JournalReaderUsageError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}
