import Base
import Events
import Exports
import KafkaConnection
import SecuritySettings
import Settings
import SystemPackage

extension PipelineSettings {
    /// Reads `pipeline.yaml`. Keys: `pipeline`, `broker`, `tls`, `from` (`topics`, `group`, `start`), `steps`, `dlq`, `to` (`export`, `file`, `aggregate`), `tests`.
    public init(yaml node: YAMLNode) throws(SettingsError) {
        var file = try node.mapping()
        let name = try Self.name(try file.required("pipeline"), "a pipeline's name")
        var from = try file.required("from").mapping()
        let topicsNode = try from.required("topics")
        let topics = try topicsNode.strings()
        guard !topics.isEmpty else { throw topicsNode.expected("at least one topic") }
        let group = try from.string("group")
        let start = try from.choice("start", default: ExportStart.earliest)
        try from.finish()
        let stepsNode = file.node("steps")
        let steps = try Steps(yaml: stepsNode)
        let deadLetters = try Self.deadLetters(file.node("dlq"), steps: steps, at: stepsNode, topics: topics)
        let sinksNode = try file.required("to")
        var sinks: [SinkSettings] = []
        var routes: [Int: Set<String>] = [:]
        for node in try sinksNode.sequence() {
            var names: YAMLNode?
            let sink = try SinkSettings(yaml: node, steps: steps, routes: &names)
            if let names { routes[sinks.count] = try Self.routes(names, steps) }
            if case .topic(let topic) = sink, topics.contains(topic.topic) {
                throw SettingsError("the pipeline would read what it writes: it reads '\(topic.topic)'", at: node.place)
            }
            guard !sinks.contains(where: { $0.place == sink.place }) else {
                throw SettingsError("two sinks write to \(sink.place); each needs a place of its own", at: node.place)
            }
            sinks.append(sink)
        }
        for case .aggregate(let aggregate) in sinks where topics.contains(aggregate.topic) {
            throw SettingsError(
                "the pipeline would read its own results: it reads '\(aggregate.topic)'", at: sinksNode.place)
        }
        guard !sinks.isEmpty else { throw sinksNode.expected("at least one sink") }
        self.init(name: name, topics: topics, group: group, start: start, steps: steps, sinks: sinks)
        self.deadLetters = deadLetters
        self.routes = routes
        bootstrap = try file.string("broker")
        security = try ClientSecuritySettings(reading: &file)
        for node in try file.node("tests")?.sequence() ?? [] { tests.append(try PipelineTest(yaml: node)) }
        try file.finish()
        for index in self.sinks.indices {
            if case .export(var export) = self.sinks[index] {
                export.settings.commit.start = start
                self.sinks[index] = .export(export)
            }
        }
    }

    private static func routes(_ node: YAMLNode, _ steps: Steps) throws(SettingsError) -> Set<String> {
        guard let known = steps.routes else {
            throw SettingsError("'routes' needs a 'route' step, e.g. route: {errors: status >= 500}", at: node.place)
        }
        let names = try node.strings()
        guard !names.isEmpty else { throw node.expected("at least one route") }
        for name in names where !known.contains(name) {
            throw SettingsError.unknownName(name, kind: "route", known: known, at: node.place)
        }
        return Set(names)
    }

    private static func deadLetters(
        _ node: YAMLNode?, steps: Steps, at stepsNode: YAMLNode?, topics: [String]
    ) throws(SettingsError) -> DeadLetterSettings? {
        guard let node else {
            guard let stepsNode, steps.haveDeadLetters else { return nil }
            throw SettingsError(
                "'on_error: dlq' needs the pipeline's 'dlq', e.g. dlq: {topic: nginx.dead}", at: stepsNode.place)
        }
        let settings = try DeadLetterSettings(yaml: node)
        guard !topics.contains(settings.topic) else {
            throw SettingsError(
                "the pipeline would read its own dead letters: it reads '\(settings.topic)'", at: node.place)
        }
        return settings
    }

    static func name(_ node: YAMLNode, _ what: String) throws(SettingsError) -> String {
        let text = try node.string()
        guard TableLayout.isName(text) else {
            throw node.expected("\(what): letters, digits, '-', '_' and '.', not beginning with '.' or '_'")
        }
        return text
    }
}

extension SinkSettings {
    /// Where it writes: the table or the file.
    public var place: String {
        switch self {
        case .export(let export): "\(export.root)/\(export.table)"
        case .file(let file): file.path.string
        case .topic(let topic): "topic \(topic.topic)"
        case .webhook(let webhook): webhook.place
        case .clickhouse(let clickhouse): clickhouse.place
        case .elasticsearch(let bulk): bulk.place
        case .postgres(let postgres): postgres.place
        case .aggregate(let aggregate): "aggregate \(aggregate.name)"
        }
    }

    /// - Parameter routes: becomes the node of `routes`, where there is one.
    init(yaml node: YAMLNode, steps: Steps, routes: inout YAMLNode?) throws(SettingsError) {
        var mapping = try node.mapping()
        routes = mapping.node("routes")
        var chosen: [(name: String, node: YAMLNode)] = []
        for name in Self.names { if let node = mapping.nodeOrNull(name) { chosen.append((name, node)) } }
        try mapping.finish()
        guard chosen.count == 1, let (name, node) = chosen.first else {
            throw node.expected("one sink: \(Self.names.joined(separator: ", "))")
        }
        switch name {
        case "export": self = .export(try ExportSinkSettings(yaml: node, steps: steps))
        case "file": self = .file(try FileSinkSettings(yaml: node))
        case "topic": self = .topic(try TopicSinkSettings(yaml: node))
        case "clickhouse": self = .clickhouse(try ClickHouseSinkSettings(yaml: node))
        case "elasticsearch": self = .elasticsearch(try BulkSinkSettings(yaml: node))
        case "postgres": self = .postgres(try PostgresSinkSettings(yaml: node, steps: steps))
        case "webhook": self = .webhook(try WebhookSinkSettings(yaml: node))
        case "aggregate": self = .aggregate(try AggregateSinkSettings(yaml: node, steps: steps))
        default: preconditionFailure("no sink is called \(name)")
        }
    }

    private static let names = [
        "export", "file", "topic", "postgres", "webhook", "elasticsearch", "clickhouse", "aggregate",
    ]

    /// True where the group's committed offset says where to begin, alone or beside a position of the sink's own.
    var followsGroup: Bool {
        switch self {
        case .export: false
        case .file, .topic, .webhook, .clickhouse, .elasticsearch, .postgres, .aggregate: true
        }
    }
}

extension FileSinkSettings {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        let pathNode = try mapping.required("path")
        let path = try pathNode.string()
        guard path.hasPrefix("/") else { throw pathNode.expected("an absolute path") }
        self.init(path: FilePath(path))
        rotateBytes = try mapping.bytes("rotate_size", default: rotateBytes, in: .kib(64)...ByteCount.gib(64))
        keep = try mapping.int("keep", default: keep, in: 1...1000)
        try mapping.finish()
    }
}
