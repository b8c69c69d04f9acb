public import Telemetry

/// What a client of a Kafka cluster counts; agents, pipelines and consoles are such.
public enum ClientMetrics {
    static let troubles = Metric.gauge(
        "millrace_client_troubles",
        help: "Brokers, groups and partitions that are being tried again now; /readyz names them.")
    static let failures = Metric.counter(
        "millrace_client_failures_total", "of",
        help: "Calls to a cluster that failed and are made again, by what they were about.")
    static let recoveries = Metric.counter(
        "millrace_client_recoveries_total", "of", help: "Things that failed before and worked again.")
    static let throttled = Metric.counter(
        "millrace_client_throttled_milliseconds_total",
        help: "Milliseconds that brokers asked this client to wait for its quota.")
    static let groupJoins = Metric.counter(
        "millrace_client_group_joins_total", "group", help: "Times that a member joined its consumer group.")
    static let membershipsLost = Metric.counter(
        "millrace_client_memberships_lost_total", "group",
        help: "Memberships of a consumer group that ended without their will.")

    public static let all: [Metric] = [
        troubles, failures, recoveries, throttled, groupJoins, membershipsLost,
    ]
}
