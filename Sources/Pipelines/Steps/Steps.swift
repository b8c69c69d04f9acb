import Base
import Events
import Settings

/// What happens to a record between topic and sinks: one parser, then filters in their order.
public struct Steps: Sendable {
    /// What becomes of a record that the parser doesn't know.
    public enum OnError: String, Sendable, CaseIterable {
        /// The raw line goes on, in field `line`, with the reason in `_error`. Nothing is lost.
        case keep
        /// The record is left out, and counted.
        case drop
    }

    public var parser: any LineParser
    public var onError: OnError
    public var filters: [Expression]

    public init(parser: any LineParser = RawLineParser(), onError: OnError = .keep, filters: [Expression] = []) {
        self.parser = parser
        self.onError = onError
        self.filters = filters
    }

    /// A record after the steps.
    public enum Outcome: Sendable, Equatable {
        /// `time` is the event's own, where it tells one.
        case row(Event, time: Timestamp?)
        case filteredOut
        /// The parser didn't know it and `on_error` is `drop`.
        case dropped(reason: String)
    }

    /// - Parameter recordHash: what `sample` decides by (`RecordHash.of`).
    public func apply(to value: UnsafeRawBufferPointer, recordHash: UInt64) -> Outcome {
        let event: Event
        do throws(ParseError) {
            event = try parser.parse(value)
        } catch {
            switch onError {
            case .drop: return .dropped(reason: error.description)
            case .keep:
                let line = Field("line", .string(TextRepair.string(value)))
                // Filters speak of fields that this event doesn't have: they don't apply.
                return .row(Event([line, Field("_error", .string(error.description))]), time: nil)
            }
        }
        for filter in filters where !filter.matches(event, recordHash: recordHash) { return .filteredOut }
        return .row(event, time: EventTime.of(event))
    }
}

/// When an event happened, by its own account.
public enum EventTime {
    /// The first of these fields that holds a time: nginx's, the journal's, and what JSON logs commonly call it.
    public static func of(_ event: Event) -> Timestamp? {
        for field in event.fields {
            switch field.name {
            case "time_iso8601", "@timestamp", "timestamp", "time", "ts":
                if let time = time(field.value) { return time }
            case "time_local":
                // From `parse: nginx` it is a time already; in a JSON log it is nginx's text.
                if case .string(let text) = field.value, let time = TimeText.nginxLocal(text) { return time }
                if let time = time(field.value) { return time }
            case "msec":
                if let time = seconds(field.value) { return time }
            case "__REALTIME_TIMESTAMP":
                if case .string(let text) = field.value, let time = TimeText.epochMicroseconds(text) { return time }
                if case .int(let number) = field.value, number > 0 { return Timestamp(milliseconds: number / 1000) }
            default: break
            }
        }
        return nil
    }

    private static func seconds(_ value: Value) -> Timestamp? {
        switch value {
        case .double(let seconds) where seconds > 0 && seconds < 1e11:
            Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        case .int(let seconds) where seconds > 0 && seconds < 100_000_000_000: Timestamp(milliseconds: seconds * 1000)
        case .string(let text): TimeText.epochSeconds(text)
        case .null, .bool, .int, .double, .timestamp, .list, .object: nil
        }
    }

    private static func time(_ value: Value) -> Timestamp? {
        switch value {
        case .timestamp(let time): time
        case .string(let text): TimeText.iso8601(text)
        case .null, .bool, .int, .double, .list, .object: nil
        }
    }
}

extension Steps {
    /// Reads `steps`. The parser comes first where there is one; expressions know its fields.
    init(yaml node: YAMLNode?) throws(SettingsError) {
        self.init()
        guard let node else { return }
        for (place, step) in try node.sequence().enumerated() {
            var mapping = try step.mapping()
            let parse = mapping.node("parse")
            let filter = mapping.node("filter")
            try mapping.finish()
            switch (parse, filter) {
            case (let parse?, nil):
                guard place == 0 else { throw SettingsError("'parse' has to be the first step", at: step.place) }
                try readParser(parse)
            case (nil, let filter?): filters.append(try expression(filter))
            case (nil, nil), (.some, .some): throw step.expected("one step: parse or filter")
            }
        }
    }

    private func expression(_ node: YAMLNode) throws(SettingsError) -> Expression {
        let text = try node.string()
        do throws(ExpressionError) { return try Expression(text, fields: parser.fields) } catch {
            throw SettingsError(error.description, at: node.place)
        }
    }

    private mutating func readParser(_ node: YAMLNode) throws(SettingsError) {
        // `parse: json` is short for `parse: {json: {}}`.
        if case .scalar(let name, _) = node.value, !node.isNull {
            parser = try Self.parser(name, at: node.place, options: nil)
            return
        }
        var mapping = try node.mapping()
        onError = try mapping.choice("on_error", default: onError)
        let kinds = mapping.keys.filter { $0 != "on_error" }
        guard kinds.count == 1, let kind = kinds.first else {
            throw node.expected("one parser: \(Self.parserNames.joined(separator: ", "))")
        }
        let options = mapping.nodeOrNull(kind)
        parser = try Self.parser(kind, at: options?.place ?? node.place, options: options)
        try mapping.finish()
    }

    private static let parserNames = ["nginx", "json", "journal", "raw"]

    private static func parser(_ name: String, at place: Place, options: YAMLNode?) throws(SettingsError)
        -> any LineParser
    {
        var mapping = try (options ?? YAMLNode(.mapping([]), at: place)).mapping()
        let parser: any LineParser
        switch name {
        case "json": parser = JSONLineParser()
        case "journal": parser = JournalLineParser()
        case "raw": parser = RawLineParser()
        case "nginx":
            let format = mapping.node("log_format")
            let escape = try mapping.choice("escape", default: LogFormat.Escape.default)
            let text = try format?.string() ?? "combined"
            do throws(LogFormatError) { parser = NginxLineParser(try LogFormat(text, escape: escape)) } catch {
                throw SettingsError(error.description, at: format?.place ?? place)
            }
        default: throw SettingsError.unknownName(name, kind: "parser", known: parserNames, at: place)
        }
        try mapping.finish()
        return parser
    }
}
