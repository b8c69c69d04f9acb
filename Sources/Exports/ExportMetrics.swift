public import Telemetry

/// What an export counts.
public enum ExportMetrics {
    static let takeovers = Metric.counter(
        "millrace_export_takeovers_total", "pipeline", "table", "topic",
        help: "Times that a pipeline took over a partition of an export.")
    static let commits = Metric.counter(
        "millrace_export_commits_total", "pipeline", "table", "topic",
        help: "Commits of an export: their files stand in the table.")
    static let rows = Metric.counter(
        "millrace_export_rows_total", "pipeline", "table", "topic", help: "Rows in committed files.")
    static let files = Metric.counter(
        "millrace_export_files_total", "pipeline", "table", "topic", help: "Committed files.")
    static let bytes = Metric.counter(
        "millrace_export_bytes_total", "pipeline", "table", "topic", help: "Bytes of committed files.")
    static let committedOffset = Metric.gauge(
        "millrace_export_committed_offset", "pipeline", "table", "topic", "partition",
        help: "The offset up to which a partition stands in the table.")

    static let markers = Metric.counter(
        "millrace_export_markers_total", "pipeline", "table", help: "_SUCCESS markers written.")
    static let lateMarkers = Metric.counter(
        "millrace_export_late_markers_total", "pipeline", "table",
        help: "_SUCCESS markers written again, because rows came after the folder was final.")

    public static let all: [Metric] = [
        takeovers, commits, rows, files, bytes, committedOffset, markers, lateMarkers,
    ]
}
