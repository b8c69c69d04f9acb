/// What every process tells of itself.
public enum ProcessMetrics {
    public static let build = Metric.gauge("millrace_build_info", "version", help: "Always 1; which version runs.")
    public static let ready = Metric.gauge(
        "millrace_ready", help: "1 while /readyz answers 200: every part does its work now.")
    public static let healthy = Metric.gauge(
        "millrace_healthy", help: "1 while /healthz answers 200: no part needs a person or a restart.")

    public static let all = [build, ready, healthy]
}

extension MetricRegistry {
    /// All metrics, with what `health` says at this moment, in Prometheus's text format 0.0.4.
    public func prometheusText(health: Health) -> String {
        gauge(ProcessMetrics.ready).set(health.isReady ? 1 : 0)
        gauge(ProcessMetrics.healthy).set(health.isHealthy ? 1 : 0)
        return prometheusText()
    }
}
