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
        metrics.counter("millrace_export_takeovers_total", chain.labels).increment(by: 1)
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
        metrics.counter("millrace_export_commits_total", labels).increment(by: 1)
        metrics.counter("millrace_export_rows_total", labels).increment(by: Int(record.rowCount))
        metrics.counter("millrace_export_files_total", labels).increment(by: record.files.count)
        metrics.counter("millrace_export_bytes_total", labels).increment(
            by: record.files.reduce(0) { $0 + Int($1.length) })
        metrics.gauge("millrace_export_committed_offset", labels + [("partition", "\(record.chain.partition)")])
            .set(Double(record.to.rawValue))
    }
}

extension ChainID {
    fileprivate var labels: [(String, String)] { [("pipeline", pipeline), ("table", table), ("topic", topic)] }
}
