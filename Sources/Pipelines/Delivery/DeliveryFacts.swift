import Base
import Logging
import Telemetry

struct RowsDelivered: Fact {
    var name: DeliverySink.Name
    var count: Int

    var level: Logger.Level { .trace }
    var message: String { "\(name.pipeline): \(count) rows of \(name.partition) to \(name.sink)" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.delivered, name.pipeline, name.sink).increment(by: count)
    }
}

/// The target didn't take a batch; it is tried again.
struct DeliveryFailed: Fact {
    var name: DeliverySink.Name
    /// Said once for each trouble.
    var isFirst: Bool
    var reason: String

    var level: Logger.Level { isFirst ? .warning : .debug }
    var message: String {
        "\(name.pipeline): \(name.sink) takes no rows now (of \(name.partition)): \(reason); it is tried again, and its partitions wait"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.deliveryFailures, name.pipeline, name.sink).increment()
    }
}

/// Rows that the target refused for what they are, and that `on_error: drop` left out.
struct RowsRefused: Fact {
    var name: DeliverySink.Name
    var count: Int
    var below: Offset

    var level: Logger.Level { .warning }
    var message: String {
        "\(name.pipeline): \(name.sink) refused \(count) rows of \(name.partition) below offset \(below); they are left out (on_error: drop)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.refused, name.pipeline, name.sink).increment(by: count)
    }
}
