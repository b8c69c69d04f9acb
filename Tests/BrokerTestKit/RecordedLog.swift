import Logging
import Synchronization
public import Telemetry

/// Telemetry that a test can look at: its lines, as `warning: what happened`, from `info` up.
public final class RecordedLog: Sendable {
    private let kept = Mutex<[String]>([])
    public let metrics = MetricRegistry()

    public init() {}

    public var lines: [String] { kept.withLock { $0 } }

    public var telemetry: Telemetry {
        Telemetry(logger: Logger(label: "test") { [self] _ in Handler(log: self) }, metrics: metrics)
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.kept.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}
