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
    static let stepErrors = Metric.counter(
        "millrace_pipeline_step_errors_total", "pipeline", "step",
        help: "Records that a step could not do its work on, by the step; on_error says what became of them.")
    static let dropped = Metric.counter(
        "millrace_pipeline_dropped_total", "pipeline",
        help: "Records that a step failed on and that its on_error: drop left out.")
    static let deadLetters = Metric.counter(
        "millrace_pipeline_dead_letters_total", "pipeline",
        help:
            "Records that a step failed on and that go to the pipeline's dlq; counted again where a restart reads them again."
    )
    static let delivered = Metric.counter(
        "millrace_pipeline_delivered_total", "pipeline", "sink",
        help: "Rows that a topic, a webhook or a database took.")
    static let deliveryFailures = Metric.counter(
        "millrace_pipeline_delivery_failures_total", "pipeline", "sink",
        help: "Batches that a sink did not take just now. They are tried again, and their partition waits.")
    static let refused = Metric.counter(
        "millrace_pipeline_refused_total", "pipeline", "sink",
        help: "Rows that a sink refused for what they are and that its on_error: drop left out.")
    static let late = Metric.counter(
        "millrace_pipeline_late_total", "pipeline", "aggregate",
        help: "Records that came for a window whose results were written already; a longer lateness waits for them.")
    static let timeless = Metric.counter(
        "millrace_pipeline_timeless_total", "pipeline", "aggregate",
        help: "Records without a time of any kind, which are in no window.")
    static let results = Metric.counter(
        "millrace_pipeline_results_total", "pipeline", "aggregate",
        help: "Results of windows that were written, one for each window, group and partition.")
    static let aggregate = Metric.gauge(
        "millrace_pipeline_aggregate", "pipeline", "aggregate", "value", "group", "topic", "partition",
        help: "A number of the window that was told last, where the aggregate says metrics: true.")
    static let restarts = Metric.counter(
        "millrace_pipeline_restarts_total", "pipeline",
        help: "Times that the work on a partition failed and began anew.")
    static let commitFailures = Metric.counter(
        "millrace_pipeline_commit_failures_total", "pipeline",
        help: "Offsets of the consumer group that could not be committed. Nothing is lost; lag looks larger than it is."
    )

    public static let all: [Metric] = [
        rows, filtered, unparsed, stepErrors, dropped, deadLetters, delivered, deliveryFailures, refused, late,
        timeless, results, aggregate, restarts, commitFailures,
    ]
}
