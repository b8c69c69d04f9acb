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

/// A folder's marker was written: its rows are complete, as far as is known.
public struct FolderFinal: Fact {
    public var marker: HourMarker

    public init(marker: HourMarker) { self.marker = marker }

    public var message: String {
        let silent = marker.agents.filter(\.isSilent).map(\.name)
        let text =
            "export \(marker.pipeline)/\(marker.table): \(marker.folder) is final with \(marker.rows) rows in \(marker.files) files, "
            + "generation \(marker.generation)"
        return silent.isEmpty ? text : "\(text); not waited for: \(silent.joined(separator: ", "))"
    }

    public func measure(in metrics: MetricRegistry) {
        metrics.counter(ExportMetrics.markers, [marker.pipeline, marker.table]).increment(by: 1)
        if marker.generation > 1 {
            metrics.counter(ExportMetrics.lateMarkers, [marker.pipeline, marker.table]).increment(by: 1)
        }
    }
}

extension ChainID {
    /// In the order in which `ExportMetrics` names them.
    fileprivate var labels: [String] { [pipeline, table, topic] }
}
