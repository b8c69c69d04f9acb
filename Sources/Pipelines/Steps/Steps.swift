public import Base
public import Events
public import Settings

/// What happens to a record between topic and sinks: one parser, then filters and changes in their order.
///
/// The event's time is what the parser found, or what a `timestamp` step reads later: it stays where its field is removed, renamed or redacted.
public struct Steps: Sendable {
    /// What follows the parser.
    enum Step: Sendable {
        case filter(Expression)
        case change(any RowStep, onError: OnError)
    }

    public var parser: any LineParser
    /// What becomes of a record that the parser doesn't know.
    public var onError: OnError
    /// The parser's name in the configuration.
    var parserName = "raw"
    var steps: [Step]

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
        /// A step failed and its `on_error` is `drop`.
        case dropped(reason: String)
        /// A step failed and its `on_error` is `dlq`.
        case deadLetter(StepFailure)
    }

    /// - Parameters:
    ///   - recordHash: what `sample` decides by (`RecordHash.of`).
    ///   - arrival: the record's own timestamp; what a line leaves out of its time (the year) is filled in from it.
    ///   - memory: of the partition that the record is of.
    ///   - row: becomes the record's; it may lend `value`'s bytes.
    public func apply(
        to value: UnsafeRawBufferPointer, recordHash: UInt64, arrival: Timestamp = .none, memory: StepMemory,
        row: inout Row
    ) -> Outcome {
        memory.route = nil
        do throws(ParseError) {
            try parser.parse(value, received: arrival, into: &row)
        } catch {
            memory.countFailure(at: 0)
            switch onError {
            case .drop: return .dropped(reason: error.description)
            case .dlq: return .deadLetter(StepFailure(step: stepName(at: 0), reason: error.description))
            case .keep:
                row.fill(unparsed: value, reason: error.description)
                // The steps speak of fields that this row doesn't have: they don't apply.
                return .row(time: nil)
            }
        }
        var time = row.time
        var next = 0
        // Filters look at the row itself.
        while next < steps.count, case .filter(let filter) = steps[next] {
            guard filter.matches(row, recordHash: recordHash) else { return .filteredOut }
            next += 1
        }
        guard next < steps.count else { return .row(time: time) }
        // A copy of its own: the row's memory is taken back when it is filled anew.
        var record = StepRecord(event: row.event, time: time)
        for place in next..<steps.count {
            switch steps[place] {
            case .filter(let filter):
                guard filter.matches(record.event, recordHash: recordHash) else { return .filteredOut }
            case .change(let step, let onError):
                let input = StepInput(recordHash: recordHash, arrival: arrival, place: place, memory: memory)
                do throws(StepError) {
                    guard try step.apply(to: &record, input) else { return .filteredOut }
                } catch {
                    memory.countFailure(at: place + 1)
                    switch onError {
                    case .drop: return .dropped(reason: error.message)
                    case .dlq:
                        return .deadLetter(StepFailure(step: stepName(at: place + 1), reason: error.message))
                    case .keep: record.note(error, of: step.name)
                    }
                }
            }
        }
        time = record.time
        memory.route = record.route
        row.fill(record.event)
        return .row(time: time)
    }

    /// Opens what steps need besides the configuration (databases).
    /// - Throws: what is wrong with it, at its place in the file.
    public func prepare() throws(SettingsError) {
        for case .change(let step, _) in steps { try step.prepare() }
    }

    /// The parser and what follows it, so many steps in all.
    func first(_ count: Int) -> Steps {
        var first = self
        first.steps = Array(steps.prefix(max(0, count - 1)))
        return first
    }

    /// How many steps there are, the parser among them.
    public var count: Int { steps.count + 1 }

    /// What a record may be named by a `route` step; nil without one.
    var routes: [String]? {
        for case .change(let step as RouteStep, _) in steps { return step.names }
        return nil
    }

    public var filters: [Expression] { steps.compactMap { if case .filter(let filter) = $0 { filter } else { nil } } }

    /// Whether any step sends what it fails on to the pipeline's `dlq`.
    public var haveDeadLetters: Bool { onErrors.contains(.dlq) }

    /// Whether a record may go on with the reason in `_error`.
    var noteErrors: Bool { !(parser is RawLineParser) && onErrors.contains(.keep) }

    /// `on_error` of every step that can fail.
    private var onErrors: [OnError] {
        [onError]
            + steps.compactMap { step in
                if case .change(let change, let onError) = step, change.canFail { onError } else { nil }
            }
    }

    /// `2 convert`; the parser is the first.
    func stepName(at place: Int) -> String {
        guard place > 0, place <= steps.count else { return "1 parse \(parserName)" }
        guard case .change(let step, _) = steps[place - 1] else { return "\(place + 1) filter" }
        return "\(place + 1) \(step.name)"
    }

    /// The fields after all steps; nil where only the input knows.
    var fields: [FieldType]? { fields(of: parser.fields) }
    var usualFields: [FieldType]? { fields(of: parser.usualFields) }

    private func fields(of fields: [FieldType]?) -> [FieldType]? {
        guard var fields else { return nil }
        for case .change(let step, _) in steps { fields = step.fields(after: fields) }
        return fields
    }
}

extension StepRecord {
    /// Says in `_error` what a step failed on.
    fileprivate mutating func note(_ error: StepError, of step: String) {
        let text = "\(step): \(error.message)"
        if case .string(let earlier) = event[UnparsedFields.reason] {
            event[UnparsedFields.reason] = .string("\(earlier); \(text)")
        } else {
            event[UnparsedFields.reason] = .string(text)
        }
    }
}
