import Logging
import Synchronization
import Telemetry
import Testing

private struct SegmentTruncated: Fact {
    var bytesCut: Int
    var message: String { "cut \(bytesCut) bytes from a torn tail" }
    func measure(in metrics: MetricRegistry) { metrics.counter("millrace_log_bytes_cut_total").increment(by: bytesCut) }
}

@Suite struct Metrics {
    @Test func oneFactChangesItsMetric() {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        telemetry.emit(SegmentTruncated(bytesCut: 17))
        telemetry.emit(SegmentTruncated(bytesCut: 3))
        #expect(
            telemetry.metrics.prometheusText()
                == "# TYPE millrace_log_bytes_cut_total counter\nmillrace_log_bytes_cut_total 20\n")
    }

    @Test func labelsAreEscapedAndSorted() {
        let metrics = MetricRegistry()
        metrics.gauge("lag", [("topic", "a\"b\\c\nd"), ("group", "g")]).set(5)
        #expect(metrics.prometheusText() == "# TYPE lag gauge\nlag{group=\"g\",topic=\"a\\\"b\\\\c\\nd\"} 5\n")
    }

    @Test func aHistogramCountsCumulatively() {
        let metrics = MetricRegistry()
        let histogram = metrics.histogram("wait_seconds", bounds: [0.1, 1])
        for value in [0.05, 0.5, 5] { histogram.record(value) }
        #expect(
            metrics.prometheusText() == """
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.1"} 1
                wait_seconds_bucket{le="1"} 2
                wait_seconds_bucket{le="+Inf"} 3
                wait_seconds_sum 5.55
                wait_seconds_count 3

                """)
    }

    @Test func seriesOfOneNameAreLimited() {
        let metrics = MetricRegistry()
        for number in 0..<(MetricRegistry.seriesMax + 50) {
            metrics.counter("x_total", [("topic", "t\(number)")]).increment()
        }
        let text = metrics.prometheusText()
        #expect(text.contains("x_total{topic=\"overflow\"} 50\n"))
    }
}

@Suite struct HealthReports {
    @Test func readyNeedsEveryPart() {
        let health = Health()
        health.report("broker", .ready)
        health.report("agent", .notReady("connecting to 127.0.0.1:9092"))
        #expect(health.isHealthy && !health.isReady)
        health.report("agent", .failed("the state directory is full: free some space"))
        #expect(!health.isHealthy)
        #expect(health.text.contains("agent: failed: the state directory is full"))
    }
}
