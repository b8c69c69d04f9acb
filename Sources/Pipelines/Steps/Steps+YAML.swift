import Events
import Settings

extension Steps {
    private static let changeNames = [
        "remove", "keep", "rename", "redact", "timestamp", "convert", "sample", "dedupe", "geoip", "useragent",
        "request",
        "route",
    ]
    private static let oneStep = "one step: parse, filter, " + changeNames.joined(separator: ", ")

    /// Reads `steps`. The parser comes first where there is one; expressions know its fields.
    init(yaml node: YAMLNode?) throws(SettingsError) {
        self.init()
        guard let node else { return }
        for (place, step) in try node.sequence().enumerated() { try read(step, at: place) }
    }

    private mutating func read(_ step: YAMLNode, at place: Int) throws(SettingsError) {
        var mapping = try step.mapping()
        let policy = try mapping.node("on_error")?.choice(OnError.self)
        let parse = mapping.node("parse")
        let filter = mapping.node("filter")
        var changes: [(name: String, node: YAMLNode)] = []
        for name in Self.changeNames {
            if let node = mapping.node(name) { changes.append((name, node)) }
        }
        try mapping.finish()
        let count = changes.count + (parse == nil ? 0 : 1) + (filter == nil ? 0 : 1)
        guard count == 1 else { throw step.expected(Self.oneStep) }
        if let parse {
            guard place == 0 else { throw SettingsError("'parse' has to be the first step", at: step.place) }
            let inner = try readParser(parse)
            if inner != nil, policy != nil {
                throw SettingsError("'on_error' stands here twice: beside 'parse' and within it", at: parse.place)
            }
            onError = policy ?? inner ?? onError
        } else if let filter {
            steps.append(.filter(try expression(filter)))
        } else if let change = changes.first {
            if parser is RawLineParser {
                throw SettingsError("a 'parse' step has to come before: a line has no fields", at: step.place)
            }
            steps.append(.change(try makeStep(change.name, change.node), onError: policy ?? .keep))
        }
    }

    private func makeStep(_ name: String, _ node: YAMLNode) throws(SettingsError) -> any RowStep {
        switch name {
        case RemoveStep.name: return try RemoveStep(yaml: node)
        case KeepStep.name: return try KeepStep(yaml: node)
        case RenameStep.name: return try RenameStep(yaml: node)
        case RedactStep.name: return try RedactStep(yaml: node)
        case TimestampStep.name: return try TimestampStep(yaml: node)
        case ConvertStep.name: return try ConvertStep(yaml: node)
        case SampleStep.name: return try SampleStep(yaml: node)
        case DedupeStep.name: return try DedupeStep(yaml: node)
        case GeoIPStep.name: return try GeoIPStep(yaml: node)
        case UserAgentStep.name: return try UserAgentStep(yaml: node)
        case RequestStep.name: return try RequestStep(yaml: node)
        case RouteStep.name:
            guard routes == nil else { throw SettingsError("there is a 'route' step already", at: node.place) }
            return try RouteStep(yaml: node) { (condition) throws(SettingsError) in try expression(condition) }
        default: throw SettingsError.unknownName(name, kind: "step", known: Self.changeNames, at: node.place)
        }
    }

    private func expression(_ node: YAMLNode) throws(SettingsError) -> Expression {
        let text = try node.string()
        do throws(ExpressionError) { return try Expression(text, fields: fields) } catch {
            throw SettingsError(error.description, at: node.place)
        }
    }

    // MARK: - The parser

    /// Returns the `on_error` that stands within `parse`.
    private mutating func readParser(_ node: YAMLNode) throws(SettingsError) -> OnError? {
        // `parse: json` is short for `parse: {json: {}}`.
        if case .scalar = node.value, !node.isNull {
            parserName = try node.string()
            parser = try ParserSettings.parser(parserName, at: node.place, options: nil)
            return nil
        }
        var mapping = try node.mapping()
        let policy = try mapping.node("on_error")?.choice(OnError.self)
        var chosen: [(name: String, options: YAMLNode)] = []
        for name in ParserSettings.names {
            if let options = mapping.nodeOrNull(name) { chosen.append((name, options)) }
        }
        let kinds = mapping.keys.filter { $0 != "on_error" }
        guard kinds.count == 1, let kind = kinds.first else {
            throw node.expected("one parser: \(ParserSettings.names.joined(separator: ", "))")
        }
        guard let (name, options) = chosen.first else {
            throw SettingsError.unknownName(kind, kind: "parser", known: ParserSettings.names, at: node.place)
        }
        parserName = name
        parser = try ParserSettings.parser(name, at: options.place, options: options)
        try mapping.finish()
        return policy
    }
}
