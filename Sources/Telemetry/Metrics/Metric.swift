/// A metric as it is declared: once, in the `…Metrics.swift` of the module that counts it. `# HELP`, `millrace metrics` and docs/metrics.md are
/// made of it, so nothing is counted that no page explains.
///
/// Names follow Prometheus's conventions: `millrace_<module>_<what>_<unit>`, base units, `_total` for counters.
public struct Metric: Sendable, Hashable {
    public enum Kind: String, Sendable { case counter, gauge }

    public let name: String
    public let kind: Kind
    public let labels: [String]
    /// One sentence: what is counted and, where it matters, what to do when it grows.
    public let help: String

    /// Only grows; begins at 0 with the process.
    public static func counter(_ name: String, _ labels: String..., help: String) -> Metric {
        Metric(name: name, kind: .counter, labels: labels, help: help)
    }

    public static func gauge(_ name: String, _ labels: String..., help: String) -> Metric {
        Metric(name: name, kind: .gauge, labels: labels, help: help)
    }
}

extension MetricRegistry {
    /// The series of these label values, in the order in which the metric declares its labels.
    public func counter(_ metric: Metric, _ values: String...) -> CounterHandle { counter(metric, values) }

    public func counter(_ metric: Metric, _ values: [String]) -> CounterHandle {
        precondition(metric.kind == .counter, "\(metric.name) is a \(metric.kind)")
        return counter(metric.name, Self.labels(metric, values), help: metric.help)
    }

    public func gauge(_ metric: Metric, _ values: String...) -> GaugeHandle { gauge(metric, values) }

    public func gauge(_ metric: Metric, _ values: [String]) -> GaugeHandle {
        precondition(metric.kind == .gauge, "\(metric.name) is a \(metric.kind)")
        return gauge(metric.name, Self.labels(metric, values), help: metric.help)
    }

    private static func labels(_ metric: Metric, _ values: [String]) -> [(String, String)] {
        precondition(
            metric.labels.count == values.count, "\(metric.name) has the labels \(metric.labels), not \(values)")
        return Array(zip(metric.labels, values))
    }
}
