public import Base

/// `parse: syslog`: a message of RFC 5424, or of RFC 3164 as daemons and files have it.
///
///     <165>1 2026-11-22T07:04:05.003Z web1 app 1234 ID47 [origin@32473 ip="10.0.0.1"] started
///     <34>Nov 22 07:04:05 web1 su[77]: 'su root' failed
///     2026-11-22T07:04:05.003+01:00 web1 su[77]: 'su root' failed
///
/// The old format knows neither year nor zone: the year is the one in which the time lies nearest to when the line was read, the zone is the parser's (UTC by
/// default). A line of a file has no `<priority>`; then `facility` and `severity` are null. `-` is null in RFC 5424. Structured data becomes an object by its
/// element's id.
public struct SyslogLineParser: LineParser {
    /// Which of the formats a line may be of.
    public enum Format: String, Sendable, CaseIterable {
        case auto
        case rfc5424
        case rfc3164
    }

    private static let names = [
        "timestamp", "facility", "severity", "severity_number", "hostname", "app_name", "proc_id", "msg_id",
        "structured_data", "message",
    ]
    private static let layout = RowLayout(names)
    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "security", "console", "solaris-cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
        "local7",
    ]
    private static let severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

    private let format: Format
    private let oldTime: TimePattern
    private let zone: Int

    /// - Parameter zone: seconds east of Greenwich, for times without a zone.
    public init(format: Format = .auto, zone: Int = 0) {
        self.format = format
        self.zone = zone
        // The pattern is ours: it is understood, or nothing here works.
        do { oldTime = try TimePattern("%b %e %H:%M:%S", zone: zone) } catch { fatalError("\(error)") }
    }

    public var fields: [(name: String, type: ValueType)]? {
        Self.names.map { name in
            switch name {
            case "timestamp": (name, .timestamp)
            case "severity_number": (name, .int)
            case "structured_data": (name, .object)
            default: (name, .string)
            }
        }
    }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        try parse(line, received: .none, into: &row)
    }

    public func parse(_ line: UnsafeRawBufferPointer, received: Timestamp, into row: inout Row) throws(ParseError) {
        var reader = SyslogReader(line)
        let priority = try reader.priority()
        if format != .rfc3164, priority != nil, reader.skip("1 ") {
            return try parseNew(&reader, priority, into: &row)
        }
        guard format != .rfc5424 else { throw ParseError(at: reader.place, "'<priority>1 ' of RFC 5424 is wanted") }
        try parseOld(&reader, priority, received, into: &row)
    }

    private func begin(_ row: inout Row, _ time: Timestamp?, _ priority: Int?) {
        row.begin(Self.layout)
        row.append(time.map { .timestamp($0) } ?? .null)
        guard let priority else {
            for _ in 0..<3 { row.append(.null) }
            return
        }
        row.append(.text(row.arena.copy(Self.facilities[priority >> 3])))
        row.append(.text(row.arena.copy(Self.severities[priority & 7])))
        row.append(.int(Int64(priority & 7)))
    }

    private func parseNew(_ reader: inout SyslogReader, _ priority: Int?, into row: inout Row) throws(ParseError) {
        let timePlace = reader.place
        let timeText = try reader.word("a time")
        let time = TimeText.iso8601(timeText)
        guard time != nil || SyslogReader.isNil(timeText) else {
            throw ParseError(at: timePlace, "a time such as 2026-11-22T07:04:05Z, or '-', is wanted")
        }
        begin(&row, time, priority)
        for what in ["a host's name", "an application's name", "a process id", "a message id"] {
            let word = try reader.word(what)
            row.append(SyslogReader.isNil(word) ? .null : .text(TextRepair.text(word, in: &row.arena)))
        }
        let data = try reader.structuredData()
        row.append(data.isEmpty ? .null : .json(row.json(of: .object(data))))
        var message = reader.rest
        if message.first == 0x20 { message = UnsafeRawBufferPointer(rebasing: message.dropFirst()) }
        if message.starts(with: [0xef, 0xbb, 0xbf]) {
            message = UnsafeRawBufferPointer(rebasing: message.dropFirst(3))
        }
        row.append(message.isEmpty ? .null : .text(TextRepair.text(message, in: &row.arena)))
    }

    private func parseOld(
        _ reader: inout SyslogReader, _ priority: Int?, _ received: Timestamp, into row: inout Row
    ) throws(ParseError) {
        let start = reader.place
        let time: Timestamp
        if reader.startsWithDigit {
            let text = try reader.word("a time")
            guard let found = TimeText.iso8601(text) else {
                throw ParseError(at: start, "a time such as 'Nov 22 07:04:05' or 2026-11-22T07:04:05Z is wanted")
            }
            // What names no zone is by the parser's.
            let isBare =
                text.count <= 19
                || !(text.last == UInt8(ascii: "Z")
                    || text.dropFirst(19).contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") })
            time = isBare ? Timestamp(milliseconds: found.milliseconds - Int64(zone) * 1000) : found
        } else {
            guard let found = reader.time(oldTime, received) else {
                throw ParseError(at: start, "a time such as 'Nov 22 07:04:05' or 2026-11-22T07:04:05Z is wanted")
            }
            time = found
        }
        begin(&row, time, priority)
        row.append(.text(TextRepair.text(try reader.word("a host's name"), in: &row.arena)))
        let (tag, process) = reader.tag()
        row.append(tag.map { .text(TextRepair.text($0, in: &row.arena)) } ?? .null)
        row.append(process.map { .text(TextRepair.text($0, in: &row.arena)) } ?? .null)
        row.append(.null)
        row.append(.null)
        let message = reader.rest
        row.append(message.isEmpty ? .null : .text(TextRepair.text(message, in: &row.arena)))
    }
}
