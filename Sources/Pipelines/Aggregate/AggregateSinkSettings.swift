public import Base
import Events
import Exports
import Settings

/// `aggregate`: results of windows by event time, in a topic.
public struct AggregateSinkSettings: Sendable {
    /// Names its progress: keep it, and the windows go on where they were.
    public var name: String
    public var topic: String
    /// Without a record for so long the clock closes windows, that long and `lateness` after their end.
    public var idle: Duration
    /// Whether the numbers of the window that was told last stand in `/metrics`, too.
    public var showsMetrics: Bool
    /// The names of the groups' fields.
    var by: [String]
    var window: WindowMachine.Settings
}

extension AggregateSinkSettings {
    private static let kinds = ["count", "rate", "share", "sum", "min", "max", "avg", "quantile", "top", "distinct"]

    /// Reads `aggregate`. Keys: `topic`, `name`, `window`, `every`, `lateness`, `idle`, `by`, `groups`, `values`, `metrics`.
    init(yaml node: YAMLNode, steps: Steps) throws(SettingsError) {
        var mapping = try node.mapping()
        topic = try DeadLetterSettings.topic(try mapping.required("topic"))
        let nameNode = mapping.node("name")
        name = try nameNode.map { (node) throws(SettingsError) in try PipelineSettings.name(node, "a name") } ?? topic
        let range = Duration.seconds(1)...(.seconds(7 * 86_400))
        let sizeNode = try mapping.required("window")
        let size = try sizeNode.duration(in: range)
        let everyNode = mapping.node("every")
        let every = try everyNode?.duration(in: range) ?? size
        guard every <= size, size.milliseconds % every.milliseconds == 0, size.milliseconds / every.milliseconds <= 100
        else {
            throw (everyNode ?? sizeNode).expected(
                "a part of the window, such as 10s of 1m, at least a hundredth of it")
        }
        let lateness = try mapping.duration("lateness", default: .seconds(30), in: .zero...(.seconds(86_400)))
        idle = try mapping.duration("idle", default: .seconds(60), in: .seconds(1)...(.seconds(86_400)))
        by = []
        var paths: [FieldPath] = []
        if let byNode = mapping.node("by") {
            for text in try byNode.strings() {
                paths.append(try Self.path(text, at: byNode, steps, wantsNumber: false))
                by.append(text)
            }
        }
        let groups = try mapping.int("groups", default: 1000, in: 1...100_000)
        let valuesNode = try mapping.required("values")
        var members = try valuesNode.mapping()
        var values: [(name: String, aggregation: Aggregation)] = []
        for name in members.chosenNames() {
            guard !by.contains(name), !AggregateSink.ownNames.contains(name) else {
                throw SettingsError("'\(name)' is the name of another field of the results", at: valuesNode.place)
            }
            values.append((name, try Self.aggregation(try members.required(name), steps)))
        }
        try members.finish()
        guard !values.isEmpty else { throw valuesNode.expected("at least one value, e.g. requests: count") }
        showsMetrics = try mapping.bool("metrics", default: false)
        try mapping.finish()
        window = WindowMachine.Settings(
            size: size, every: every, lateness: lateness, by: paths, groupsMax: groups, values: values)
    }

    private static func aggregation(_ node: YAMLNode, _ steps: Steps) throws(SettingsError) -> Aggregation {
        if case .scalar = node.value {
            switch try node.string() {
            case "count": return .count(nil)
            case "rate": return .rate(nil)
            default:
                throw node.expected(
                    "count, rate, or one of {count: CONDITION}, {sum: FIELD}, … (\(kinds.joined(separator: ", ")))")
            }
        }
        var mapping = try node.mapping()
        var chosen: [(kind: String, node: YAMLNode)] = []
        for kind in kinds {
            if let node = mapping.node(kind) { chosen.append((kind, node)) }
        }
        let options = ["of", "k"]
        let kindKeys = mapping.keys.filter { !options.contains($0) }
        guard kindKeys.count == 1, let written = kindKeys.first else {
            throw node.expected("one of \(kinds.joined(separator: ", "))")
        }
        guard let (kind, operand) = chosen.first else {
            throw SettingsError.unknownName(written, kind: "value", known: kinds, at: node.place)
        }
        let result: Aggregation
        switch kind {
        case "count": result = .count(try condition(operand, steps))
        case "rate": result = .rate(try condition(operand, steps))
        case "share": result = .share(try condition(operand, steps))
        case "sum": result = .sum(try path(operand, steps, wantsNumber: true))
        case "min": result = .min(try path(operand, steps, wantsNumber: true))
        case "max": result = .max(try path(operand, steps, wantsNumber: true))
        case "avg": result = .avg(try path(operand, steps, wantsNumber: true))
        case "quantile":
            let share = try operand.double()
            guard 0...1 ~= share else {
                throw operand.expected("a quantile from 0 to 1, e.g. {quantile: 0.95, of: request_time}")
            }
            result = .quantile(try path(try mapping.required("of"), steps, wantsNumber: true), share)
        case "top":
            let count = try mapping.int("k", default: 10, in: 1...1000)
            result = .top(try path(operand, steps, wantsNumber: false), count)
        default: result = .distinct(try path(operand, steps, wantsNumber: false))
        }
        try mapping.finish()
        return result
    }

    private static func condition(_ node: YAMLNode, _ steps: Steps) throws(SettingsError) -> Expression {
        let text = try node.string()
        do throws(ExpressionError) { return try Expression(text, fields: steps.fields) } catch {
            throw SettingsError(error.description, at: node.place)
        }
    }

    private static func path(_ node: YAMLNode, _ steps: Steps, wantsNumber: Bool) throws(SettingsError) -> FieldPath {
        try path(try node.string(), at: node, steps, wantsNumber: wantsNumber)
    }

    private static func path(
        _ text: String, at node: YAMLNode, _ steps: Steps, wantsNumber: Bool
    ) throws(SettingsError) -> FieldPath {
        guard let path = FieldPath(text) else { throw node.expected("a field's path, not '\(text)'") }
        guard let fields = steps.fields else { return path }
        guard let field = fields.first(where: { $0.name == path.components[0] }) else {
            throw SettingsError.unknownName(text, kind: "field", known: fields.map(\.name), at: node.place)
        }
        if wantsNumber, path.components.count == 1, field.type != .int, field.type != .double {
            throw SettingsError("a number is wanted, '\(text)' is a \(field.type.rawValue)", at: node.place)
        }
        return path
    }
}
