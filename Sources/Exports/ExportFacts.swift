import Base
import Logging
public import Telemetry

/// An owner took a partition over and goes on from the chain's end.
public struct ExportTakenOver: Fact {
    public var chain: ChainID
    public var attempt: AttemptID
    public var position: Offset

    public var message: String { "export \(chain): taken over, goes on at offset \(position)" }
    public var metadata: Logger.Metadata { ["attempt": "\(attempt)"] }

    public func measure(in metrics: MetricRegistry) {
        metrics.counter(ExportMetrics.takeovers, chain.labels).increment(by: 1)
    }
}

/// A commit record was written and its files stand in the table.
public struct ExportCommitted: Fact {
    public var record: CommitRecord

    public var level: Logger.Level { .debug }
    public var message: String {
        "export \(record.chain): committed offsets \(record.from)..<\(record.to), \(record.rowCount) rows in \(record.files.count) files"
    }
    public var metadata: Logger.Metadata { ["index": "\(record.index)", "attempt": "\(record.attempt)"] }

    public func measure(in metrics: MetricRegistry) {
        let labels = record.chain.labels
        metrics.counter(ExportMetrics.commits, labels).increment(by: 1)
        metrics.counter(ExportMetrics.rows, labels).increment(by: Int(record.rowCount))
        metrics.counter(ExportMetrics.files, labels).increment(by: record.files.count)
        metrics.counter(ExportMetrics.bytes, labels).increment(
            by: record.files.reduce(0) { $0 + Int($1.length) })
        metrics.gauge(ExportMetrics.committedOffset, labels + ["\(record.chain.partition)"])
            .set(Double(record.to.rawValue))
    }
}

extension ChainID {
    /// In the order in which `ExportMetrics` names them.
    fileprivate var labels: [String] { [pipeline, table, topic] }
}
