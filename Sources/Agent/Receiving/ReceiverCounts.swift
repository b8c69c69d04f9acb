import Base
import Telemetry

/// What a receiver counts. Used by its thread alone.
final class ReceiverCounts {
    /// Why messages were dropped.
    enum Drop: String, CaseIterable {
        /// The spool holds as much as it may.
        case full
        /// The disk refuses.
        case disk
        /// The kernel's buffer was full.
        case kernel

        var text: String {
            switch self {
            case .full: "the spool is full (spool: size)"
            case .disk: "the spool can't be written"
            case .kernel: "they came faster than they could be taken"
            }
        }
    }

    let refused: CounterHandle
    let framingErrors: CounterHandle
    let unfinished: CounterHandle
    let connections: GaugeHandle
    let spoolBytes: GaugeHandle
    private let metrics: MetricRegistry
    private let source: String
    private var unreported: [Drop: Int] = [:]
    /// When to say what was dropped; far away where nothing was.
    private(set) var reportAt = Instant.distantFuture

    private static let reportDelay = Duration.seconds(5)

    init(_ metrics: MetricRegistry, source: SourceKey) {
        self.metrics = metrics
        self.source = source.text
        refused = metrics.counter(AgentMetrics.connectionsRefused, source.text)
        framingErrors = metrics.counter(AgentMetrics.framingErrors, source.text)
        unfinished = metrics.counter(AgentMetrics.messagesUnfinished, source.text)
        connections = metrics.gauge(AgentMetrics.syslogConnections, source.text)
        spoolBytes = metrics.gauge(AgentMetrics.spoolBytes, source.text)
    }

    func dropped(_ why: Drop, _ count: Int, now: Instant) {
        metrics.counter(AgentMetrics.messagesDropped, source, why.rawValue).increment(by: count)
        unreported[why, default: 0] += count
        if reportAt == .distantFuture { reportAt = now + Self.reportDelay }
    }

    /// Says what was dropped since it was last said.
    func report(to spool: Spool, source: SourceKey, now: Instant) {
        for why in Drop.allCases {
            guard let count = unreported[why] else { continue }
            spool.report(.gap(source, detail: "\(count) messages were dropped: \(why.text)"))
        }
        unreported = [:]
        reportAt = .distantFuture
    }
}
