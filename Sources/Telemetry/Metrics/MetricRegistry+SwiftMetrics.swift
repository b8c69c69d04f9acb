public import CoreMetrics

/// What swift-metrics asks of a backend; labels and dots become Prometheus names.
extension MetricRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        LibraryCounter(handle: counter(Self.prometheusName(label), dimensions))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        LibraryMeter(handle: gauge(Self.prometheusName(label), dimensions))
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        LibraryRecorder(handle: histogram(Self.prometheusName(label), dimensions))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        LibraryTimer(handle: histogram(Self.prometheusName(label), dimensions))
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    static func prometheusName(_ label: String) -> String {
        String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == ":" ? $0 : "_" })
    }
}

private final class LibraryCounter: CounterHandler {
    let handle: CounterHandle
    init(handle: CounterHandle) { self.handle = handle }
    func increment(by amount: Int64) { handle.increment(by: Int(amount)) }
    func reset() { handle.cell.set(0) }
}

private final class LibraryMeter: MeterHandler {
    let handle: GaugeHandle
    init(handle: GaugeHandle) { self.handle = handle }
    func set(_ value: Int64) { handle.set(Int(value)) }
    func set(_ value: Double) { handle.set(value) }
    func increment(by amount: Double) { handle.cell.add(amount) }
    func decrement(by amount: Double) { handle.cell.add(-amount) }
}

private final class LibraryRecorder: RecorderHandler {
    let handle: HistogramHandle
    init(handle: HistogramHandle) { self.handle = handle }
    func record(_ value: Int64) { handle.record(Double(value)) }
    func record(_ value: Double) { handle.record(value) }
}

private final class LibraryTimer: TimerHandler {
    let handle: HistogramHandle
    init(handle: HistogramHandle) { self.handle = handle }
    func recordNanoseconds(_ duration: Int64) { handle.record(Double(duration) / 1e9) }
}
