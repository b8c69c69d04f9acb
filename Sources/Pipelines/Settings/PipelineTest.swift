import Base
import Events
import Exports
import Settings

/// A test that stands in a pipeline's file: what becomes of one record.
///
///     tests:
///       - name: a request
///         input: '203.0.113.7 - - [22/Nov/2026:07:04:05 +0000] "GET / HTTP/1.1" 200 612 "-" "curl"'
///         row: {status: 200, remote_addr: 203.0.113.7, remote_user: null}
///         folder: dt=2026-11-22/hour=07
///       - input: nonsense
///         becomes: unparsed
public struct PipelineTest: Sendable {
    /// What else a record may become than the row that is wanted.
    public enum Outcome: String, Sendable, CaseIterable {
        case row
        /// A filter left it out.
        case filtered
        /// Its parser didn't know it: it is kept with `_error`, or dropped.
        case unparsed
        /// A step failed on it, and it goes to the pipeline's `dlq`.
        case deadLetter = "dead_letter"
    }

    public var name: String
    public var place: Place
    public var input: [UInt8]
    public var outcome: Outcome
    /// Fields by path, each with its text; nil for one that has to be missing or null. Others may have any value.
    public var fields: [(path: String, text: String?)]
    /// The folder of the first export's table.
    public var folder: String?
    /// What a `route` step names it.
    public var route: String?

    /// Nil where the pipeline does what is wanted; else what it did, in words.
    public func problem(in pipeline: PipelineSettings) -> String? {
        var row = Row()
        let memory = StepMemory()
        return input.withUnsafeBytes { bytes -> String? in
            let result = pipeline.steps.apply(
                to: bytes, recordHash: 0, memory: memory, row: &row)
            switch result {
            case .filteredOut: return outcome == .filtered ? nil : "the record is filtered out"
            case .dropped(let reason): return outcome == .unparsed ? nil : "the record is dropped: \(reason)"
            case .deadLetter(let failure):
                return outcome == .deadLetter
                    ? nil : "the record is a dead letter: step \(failure.step): \(failure.reason)"
            case .row(let time): return problem(row.event, time, memory.route, pipeline)
            }
        }
    }

    private func problem(_ event: Event, _ time: Timestamp?, _ route: String?, _ pipeline: PipelineSettings) -> String?
    {
        let error = event[UnparsedFields.reason]
        let found: Outcome = error.isNull ? .row : .unparsed
        guard found == outcome else {
            return error.isNull ? "it becomes a row: \(event.json)" : "the parser doesn't know it: \(error.json)"
        }
        for (path, text) in fields {
            guard let path = FieldPath(path) else { continue }
            let value = event[path]
            let actual: String? =
                switch value {
                case .null: nil
                case .string(let text): text
                default: value.json
                }
            guard actual != text else { continue }
            return "\(path) is \(actual ?? "null"), \(text ?? "null") is wanted"
        }
        if let wanted = self.route, wanted != route {
            return "its route is \(route ?? "none"), \(wanted) is wanted"
        }
        if let folder {
            let layouts = pipeline.sinks.compactMap {
                if case .export(let export) = $0 { export.settings.layout } else { nil }
            }
            guard let layout = layouts.first else { return "the pipeline exports into no folder" }
            let actual = layout.folder(layout.key(time))
            guard actual == folder else { return "the row goes to \(actual), \(folder) is wanted" }
        }
        return nil
    }
}

extension PipelineTest {
    /// Reads one of `tests`. Keys: `name`, `input`, `becomes`, `row`, `folder`, `route`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        place = node.place
        let input = try mapping.required("input").string()
        self.input = Array(input.utf8)
        name = try mapping.string("name", default: String(input.prefix(60)))
        outcome = try mapping.choice("becomes", default: .row)
        fields = []
        if let row = mapping.node("row") {
            var members = try row.mapping()
            for path in members.chosenNames() {
                let value = members.nodeOrNull(path)
                guard FieldPath(path) != nil else { throw (value ?? row).expected("a field's path, not '\(path)'") }
                fields.append((path, value?.isNull == false ? try value?.string() : nil))
            }
            try members.finish()
        }
        folder = try mapping.string("folder")
        route = try mapping.string("route")
        if outcome == .filtered || outcome == .deadLetter, !fields.isEmpty || folder != nil || route != nil {
            throw SettingsError(
                "a record that is filtered out, or a dead letter, has no row and no folder", at: node.place)
        }
        try mapping.finish()
    }
}
