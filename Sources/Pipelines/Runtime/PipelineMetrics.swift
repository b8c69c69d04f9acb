public import Telemetry

/// What a pipeline counts.
public enum PipelineMetrics {
    static let rows = Metric.counter(
        "millrace_pipeline_rows_total", "pipeline", help: "Rows that went through all steps.")
    static let filtered = Metric.counter(
        "millrace_pipeline_filtered_total", "pipeline", help: "Records that a filter left out.")
    static let unparsed = Metric.counter(
        "millrace_pipeline_unparsed_total", "pipeline",
        help: "Records that a parser could not read; on_error says what became of them.")
    static let restarts = Metric.counter(
        "millrace_pipeline_restarts_total", "pipeline",
        help: "Times that the work on a partition failed and began anew.")
    static let commitFailures = Metric.counter(
        "millrace_pipeline_commit_failures_total", "pipeline",
        help: "Offsets of the consumer group that could not be committed. Nothing is lost; lag looks larger than it is."
    )

    public static let all: [Metric] = [
        rows, filtered, unparsed, restarts, commitFailures,
    ]
}
