import Base
import Events
import Settings

/// What happens to a record between topic and sinks: one parser, then filters and changes in their order.
///
/// The event's time is what the parser found: it stays where its field is removed, renamed or redacted afterwards.
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
    /// What follows the parser.
    public enum Step: Sendable {
        case filter(Expression)
        case change(RowOperation)
    }

    public var steps: [Step]

    public init(parser: any LineParser = RawLineParser(), onError: OnError = .keep, filters: [Expression] = []) {
        self.parser = parser
        self.onError = onError
        steps = filters.map { .filter($0) }
    }

    /// A record after the steps.
    public enum Outcome: Sendable, Equatable {
        /// The row goes on. `time` is the event's own, where it tells one.
        case row(time: Timestamp?)
        case filteredOut
        /// The parser didn't know it and `on_error` is `drop`.
        case dropped(reason: String)
    }

    /// - Parameters:
    ///   - recordHash: what `sample` decides by (`RecordHash.of`).
    ///   - row: becomes the record's; it may lend `value`'s bytes.
    public func apply(to value: UnsafeRawBufferPointer, recordHash: UInt64, row: inout Row) -> Outcome {
        do throws(ParseError) {
            try parser.parse(value, into: &row)
        } catch {
            switch onError {
            case .drop: return .dropped(reason: error.description)
            case .keep:
                row.fill(unparsed: value, reason: error.description)
                // Filters speak of fields that this row doesn't have: they don't apply.
                return .row(time: nil)
            }
        }
        let time = row.time
        for step in steps {
            switch step {
            case .filter(let filter): if !filter.matches(row, recordHash: recordHash) { return .filteredOut }
            case .change(let change):
                // A copy of its own: the row's memory is taken back when it is filled anew.
                var event = row.event
                change.apply(to: &event)
                row.fill(event)
            }
        }
        return .row(time: time)
    }

    public var filters: [Expression] { steps.compactMap { if case .filter(let filter) = $0 { filter } else { nil } } }

    /// The fields after all steps; nil where only the input knows.
    var fields: [(name: String, type: ValueType)]? { fields(of: parser.fields) }
    var usualFields: [(name: String, type: ValueType)]? { fields(of: parser.usualFields) }

    private func fields(of fields: [(name: String, type: ValueType)]?) -> [(name: String, type: ValueType)]? {
        guard var fields else { return nil }
        for case .change(let change) in steps { fields = change.names(after: fields) }
        return fields
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
            let change = try RowOperation(&mapping)
            try mapping.finish()
            if let change {
                guard parse == nil, filter == nil else { throw step.expected(Self.oneStep) }
                if parser is RawLineParser {
                    throw SettingsError("a 'parse' step has to come before: a line has no fields", at: step.place)
                }
                steps.append(.change(change))
                continue
            }
            switch (parse, filter) {
            case (let parse?, nil):
                guard place == 0 else { throw SettingsError("'parse' has to be the first step", at: step.place) }
                try readParser(parse)
            case (nil, let filter?): steps.append(.filter(try expression(filter)))
            case (nil, nil), (.some, .some): throw step.expected(Self.oneStep)
            }
        }
    }

    private static let oneStep = "one step: parse, filter, remove, keep, rename or redact"

    private func expression(_ node: YAMLNode) throws(SettingsError) -> Expression {
        let text = try node.string()
        do throws(ExpressionError) { return try Expression(text, fields: fields) } catch {
            throw SettingsError(error.description, at: node.place)
        }
    }

    private mutating func readParser(_ node: YAMLNode) throws(SettingsError) {
        // `parse: json` is short for `parse: {json: {}}`.
        if case .scalar = node.value, !node.isNull {
            let name = try node.string()
            parser = try Self.parser(name, at: node.place, options: nil)
            return
        }
        var mapping = try node.mapping()
        onError = try mapping.choice("on_error", default: onError)
        var chosen: [(name: String, options: YAMLNode)] = []
        for name in Self.parserNames {
            if let options = mapping.nodeOrNull(name) { chosen.append((name, options)) }
        }
        let kinds = mapping.keys.filter { $0 != "on_error" }
        guard kinds.count == 1, let kind = kinds.first else {
            throw node.expected("one parser: \(Self.parserNames.joined(separator: ", "))")
        }
        guard let (name, options) = chosen.first else {
            throw SettingsError.unknownName(kind, kind: "parser", known: Self.parserNames, at: node.place)
        }
        parser = try Self.parser(name, at: options.place, options: options)
        try mapping.finish()
    }

    private static let parserNames = ["nginx", "json", "journal", "logfmt", "raw"]

    private static func parser(_ name: String, at place: Place, options: YAMLNode?) throws(SettingsError)
        -> any LineParser
    {
        var mapping = try (options ?? YAMLNode(.mapping([]), at: place)).mapping()
        let parser: any LineParser
        switch name {
        case "json": parser = JSONLineParser()
        case "logfmt": parser = LogfmtLineParser()
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
