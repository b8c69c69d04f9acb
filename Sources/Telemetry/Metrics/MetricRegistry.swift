import Base
public import CoreMetrics
import Synchronization

/// The process's metrics, kept for scraping. It is a swift-metrics backend, so libraries that use swift-metrics report here too.
///
/// Names follow Prometheus's conventions: `millrace_<module>_<what>_<unit>`, `_total` for counters. Series of one name are limited
/// (`seriesMax`): past it all labels read `overflow`, so that a peer's topic names can't eat the memory.
public final class MetricRegistry: MetricsFactory {
    public static let seriesMax = 2_000

    struct Key: Hashable {
        var name: String
        var labels: [Label]
    }

    struct Label: Hashable {
        var name: String
        var value: String
    }

    private struct State {
        var series: [Key: Series] = [:]
        var seriesPerName: [String: Int] = [:]
        var help: [String: String] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public func counter(_ name: String, _ labels: [(String, String)] = [], help: String? = nil) -> CounterHandle {
        CounterHandle(cell: series(name, labels, help: help) { .counter(Cell()) }.cell)
    }

    public func gauge(_ name: String, _ labels: [(String, String)] = [], help: String? = nil) -> GaugeHandle {
        GaugeHandle(cell: series(name, labels, help: help) { .gauge(Cell()) }.cell)
    }

    /// A histogram of seconds or bytes with the given upper bounds.
    public func histogram(
        _ name: String, _ labels: [(String, String)] = [], bounds: [Double] = HistogramCell.secondsBounds
    ) -> HistogramHandle {
        let made = series(name, labels) { .histogram(HistogramCell(bounds: bounds)) }
        if case .histogram(let cell) = made { return HistogramHandle(cell: cell) }
        return HistogramHandle(cell: HistogramCell(bounds: bounds))
    }

    private func series(
        _ name: String, _ labels: [(String, String)], help: String? = nil, make: () -> Series
    ) -> Series {
        let sorted = labels.map { Label(name: $0.0, value: $0.1) }.sorted { $0.name < $1.name }
        return state.withLock { state in
            var key = Key(name: name, labels: sorted)
            if let found = state.series[key] { return found }
            if state.seriesPerName[name, default: 0] >= Self.seriesMax {
                key.labels = sorted.map { Label(name: $0.name, value: "overflow") }
                if let found = state.series[key] { return found }
            }
            let made = make()
            state.series[key] = made
            state.seriesPerName[name, default: 0] += 1
            if let help { state.help[name] = help }
            return made
        }
    }

    /// Forgets a series, when its topic or source is gone.
    public func remove(_ name: String, _ labels: [(String, String)]) {
        let sorted = labels.map { Label(name: $0.0, value: $0.1) }.sorted { $0.name < $1.name }
        state.withLock { state in
            if state.series.removeValue(forKey: Key(name: name, labels: sorted)) != nil {
                state.seriesPerName[name, default: 1] -= 1
            }
        }
    }

    /// All metrics in Prometheus's text format 0.0.4.
    public func prometheusText() -> String {
        let (series, help) = state.withLock { ($0.series, $0.help) }
        return PrometheusText.render(series, help: help)
    }
}

enum Series {
    case counter(Cell)
    case gauge(Cell)
    case histogram(HistogramCell)

    var cell: Cell {
        switch self {
        case .counter(let cell), .gauge(let cell): cell
        case .histogram: Cell()
        }
    }
}

/// One number that any thread may change.
final class Cell: Sendable {
    let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}

public struct CounterHandle: Sendable {
    let cell: Cell
    public func increment(by amount: Int = 1) { cell.add(Double(amount)) }
    public var value: Int { Int(cell.value) }
}

public struct GaugeHandle: Sendable {
    let cell: Cell
    public func set(_ value: Int) { cell.set(Double(value)) }
    public func set(_ value: Double) { cell.set(value) }
    public func add(_ amount: Int) { cell.add(Double(amount)) }
    public var value: Double { cell.value }
}

public struct HistogramHandle: Sendable {
    let cell: HistogramCell
    public func record(_ value: Double) { cell.record(value) }
    public func record(_ duration: Duration) { cell.record(Double(duration.nanoseconds) / 1e9) }
}

public final class HistogramCell: Sendable {
    public static let secondsBounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    struct Snapshot {
        var counts: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Double) {
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    var snapshot: Snapshot { state.withLock { $0 } }
}
