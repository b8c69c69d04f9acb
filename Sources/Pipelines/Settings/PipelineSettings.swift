import Base
import Events
import Exports
public import KafkaConnection
public import RemoteStores
public import Settings
import SystemPackage

/// A pipeline as its file declares it, compiled and checked: `validate` and `run` use the same.
public struct PipelineSettings: Sendable {
    /// Names the chain of its exports: keep it, and the pipeline goes on where it was.
    public var name: String
    /// Brokers to begin with; nil takes the command line's.
    public var bootstrap: String?
    /// How they are connected to; with nothing set, the command line's file says it.
    public var security = ClientSecuritySettings()
    public var topics: [String]
    /// The consumer group; by default the pipeline's name.
    public var group: String
    /// Where a partition begins that the pipeline has never read.
    public var start: ExportStart
    public var steps: Steps
    public var sinks: [SinkSettings]
    /// By a sink's place: the routes that it takes; a sink that isn't here takes every record.
    public var routes: [Int: Set<String>] = [:]
    /// Where records go that a step fails on and whose `on_error` is `dlq`.
    public var deadLetters: DeadLetterSettings?
    /// Tests that stand in the file.
    public var tests: [PipelineTest] = []

    public init(
        name: String, topics: [String], group: String? = nil, start: ExportStart = .earliest, steps: Steps = Steps(),
        sinks: [SinkSettings]
    ) {
        self.name = name
        self.topics = topics
        self.group = group ?? name
        self.start = start
        self.steps = steps
        self.sinks = sinks
    }
}

extension PipelineSettings {
    /// Reads a pipeline's file and opens what its steps need besides it. What `run`, `validate` and `test` do alike.
    public static func load(_ node: YAMLNode) throws(SettingsError) -> PipelineSettings {
        let settings = try PipelineSettings(yaml: node)
        try settings.steps.prepare()
        return settings
    }
}

public enum SinkSettings: Sendable {
    /// A Hive-style table, each record once.
    case export(ExportSinkSettings)
    /// Lines appended to a file, each record at least once.
    case file(FileSinkSettings)
    /// Another topic, each record once.
    case topic(TopicSinkSettings)
    /// HTTP requests, each record at least once.
    case webhook(WebhookSinkSettings)
    /// A table of ClickHouse, each record at least once.
    case clickhouse(ClickHouseSinkSettings)
    /// Documents of Elasticsearch or OpenSearch, each under an id of its own.
    case elasticsearch(BulkSinkSettings)
    /// A table of PostgreSQL, each record once.
    case postgres(PostgresSinkSettings)
    /// Results of windows by event time in a topic, each once.
    case aggregate(AggregateSinkSettings)
}

public struct ExportSinkSettings: Sendable {
    public var root: StoreLocation
    public var table: String
    public var settings: ExportSettings
    /// How folders are said to be final; nil where they aren't.
    public var success: SuccessSettings?

    public init(
        root: StoreLocation, table: String, settings: ExportSettings = ExportSettings(), success: SuccessSettings? = nil
    ) {
        self.success = success
        self.root = root
        self.table = table
        self.settings = settings
    }
}

/// `_SUCCESS` in the folders of a table.
public struct SuccessSettings: Sendable {
    public var marker: MarkerMachine.Settings
    /// How often agents, topics and chains are looked at.
    public var interval: Duration
    public var statusTopic: String

    public init(
        marker: MarkerMachine.Settings = .init(), interval: Duration = .seconds(15),
        statusTopic: String = "__millrace_status"
    ) {
        self.marker = marker
        self.interval = interval
        self.statusTopic = statusTopic
    }
}

public struct FileSinkSettings: Sendable {
    public var path: FilePath
    /// The file is renamed to `NAME.1` (and that one to `NAME.2`, …) once it is larger.
    public var rotateBytes: ByteCount
    /// How many renamed files are kept.
    public var keep: Int

    public init(path: FilePath, rotateBytes: ByteCount = .mib(256), keep: Int = 5) {
        self.path = path
        self.rotateBytes = rotateBytes
        self.keep = keep
    }
}
