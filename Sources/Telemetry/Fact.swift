public import Logging

/// Something that happened, said once: `emit` makes of it one log line and one change of a metric.
///
/// A fact is a small struct named in the past tense (`SegmentTruncated`). Facts that a peer can cause at will should log at `.debug`
/// and count in a metric, or pass an `OncePerKey`, so that nobody can fill the disk with log lines.
public protocol Fact: Sendable {
    var level: Logger.Level { get }
    /// What happened and, where a person must act, what to do. No secrets.
    var message: String { get }
    var metadata: Logger.Metadata { get }
    /// Changes the fact's metric; most facts count.
    func measure(in metrics: MetricRegistry)
}

extension Fact {
    public var level: Logger.Level { .info }
    public var metadata: Logger.Metadata { [:] }
    public func measure(in metrics: MetricRegistry) {}
}

/// Where facts go: a logger and a metric registry, handed downward from the command that wires the process.
public struct Telemetry: Sendable {
    public let logger: Logger
    public let metrics: MetricRegistry

    public init(logger: Logger, metrics: MetricRegistry = MetricRegistry()) {
        self.logger = logger
        self.metrics = metrics
    }

    public func emit(_ fact: some Fact) {
        fact.measure(in: metrics)
        logger.log(level: fact.level, "\(fact.message)", metadata: fact.metadata)
    }

    /// Keeps nothing: for tests and tools.
    public static let silent = Telemetry(logger: Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() })
}

/// A fact that is only said: for the few that need no metric and no type of their own.
public struct Note: Fact {
    public var level: Logger.Level
    public var message: String
    public var metadata: Logger.Metadata

    public init(_ message: String, level: Logger.Level = .info, metadata: Logger.Metadata = [:]) {
        self.message = message
        self.level = level
        self.metadata = metadata
    }
}
