import Base
import Logging
import Telemetry

/// A partition's export failed in a way that a new attempt may mend.
struct PartitionRestarting: Fact {
    var pipeline: String
    var partition: TopicPartition
    var delay: Duration
    var reason: String

    var level: Logger.Level { .warning }
    var message: String { "\(pipeline): \(partition) starts over in \(delay): \(reason)" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.restarts, pipeline).increment()
    }
}

struct PartitionsTaken: Fact {
    var pipeline: String
    var partitions: [TopicPartition]

    var message: String {
        "\(pipeline): reads \(partitions.isEmpty ? "no partition" : partitions.map(\.description).joined(separator: ", "))"
    }
}

/// The group's offset could not be committed. The chain is the truth, so nothing is lost; lag looks larger than it is.
struct GroupCommitFailed: Fact {
    var pipeline: String
    var reason: String

    var level: Logger.Level { .warning }
    var message: String { "\(pipeline): the group's offset was not committed: \(reason)" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.commitFailures, pipeline).increment()
    }
}

/// A batch of records went through the steps.
struct RecordsProcessed: Fact {
    var pipeline: String
    var counts: PartitionTask.Counts
    var steps: Steps

    var level: Logger.Level { .trace }
    var message: String { "\(pipeline): \(counts.rows) rows" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(PipelineMetrics.rows, pipeline).increment(by: counts.rows)
        metrics.counter(PipelineMetrics.filtered, pipeline).increment(by: counts.filteredOut)
        metrics.counter(PipelineMetrics.dropped, pipeline).increment(by: counts.dropped)
        metrics.counter(PipelineMetrics.deadLetters, pipeline).increment(by: counts.deadLetters)
        metrics.counter(PipelineMetrics.unparsed, pipeline).increment(by: counts.failures[0] ?? 0)
        for (place, count) in counts.failures {
            metrics.counter(PipelineMetrics.stepErrors, pipeline, steps.stepName(at: place)).increment(by: count)
        }
    }
}
