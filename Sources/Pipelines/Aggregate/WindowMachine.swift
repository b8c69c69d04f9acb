import Base
import Events

/// One partition's windows by event time: which are open, what is in them, and when they close. No I/O, no clock.
///
/// A window closes when the watermark passes its end: the latest event time, less `lateness`; a time that lies after the record's own timestamp counts as that, so
/// that a clock that runs ahead closes nothing. What comes for a window that is closed is late, and left out.
///
/// After a crash the partition is read again from `resume` on: where the first record of the windows stands that were open when results were last written.
/// With `closedThrough`, which is written with them, the same records come into the same windows, and no window is told twice. No state needs saving.
struct WindowMachine {
    struct Settings: Sendable {
        var size: Duration
        /// How often one begins; as `size` where they don't overlap.
        var every: Duration
        var lateness: Duration
        var by: [FieldPath]
        /// Groups of one window; further ones are counted together, as `__other__`.
        var groupsMax: Int
        /// Windows that are open at a time; what would open more is left out, as late.
        var windowsMax = 1000
        var values: [(name: String, aggregation: Aggregation)]
    }

    /// What a window came to for one group.
    struct Result: Equatable {
        var start: Timestamp
        var end: Timestamp
        var group: [Value]
        var values: [Value]
    }

    enum Verdict: Equatable {
        case counted
        /// Its windows, or some of them, are closed already.
        case late
        /// It has no time of its own.
        case timeless
    }

    static let other = Value.string("__other__")

    private struct Window {
        var first: Offset
        var groups: [[Value]: [Accumulator]] = [:]
    }

    private let settings: Settings
    /// By their start, in milliseconds.
    private var open: [Int64: Window] = [:]
    /// The first of them.
    private var earliest = Int64.max
    private var watermark: Int64 = .min
    /// Windows that end at or before this are told, or were empty.
    private(set) var closedThrough: Int64

    init(_ settings: Settings, closedThrough: Int64 = .min) {
        self.settings = settings
        self.closedThrough = closedThrough
    }

    private var size: Int64 { settings.size.milliseconds }
    private var step: Int64 { settings.every.milliseconds }

    /// A record's row.
    mutating func took(
        _ event: Event, time: Timestamp?, offset: Offset, arrival: Timestamp, recordHash: UInt64
    ) -> Verdict {
        guard let time = (time ?? (arrival == .none ? nil : arrival))?.milliseconds else { return .timeless }
        var verdict = Verdict.counted
        var start = (time >= 0 ? time / step : (time - step + 1) / step) * step
        while start > time - size {
            if start + size <= closedThrough || (open[start] == nil && open.count >= settings.windowsMax) {
                verdict = .late
            } else {
                count(event, recordHash, in: start, offset)
            }
            start -= step
        }
        let told = arrival == .none ? time : min(time, arrival.milliseconds)
        watermark = max(watermark, told - settings.lateness.milliseconds)
        return verdict
    }

    private mutating func count(_ event: Event, _ hash: UInt64, in start: Int64, _ offset: Offset) {
        var group = settings.by.map { event[$0] }
        var window = open.removeValue(forKey: start) ?? Window(first: offset)
        if window.groups[group] == nil, window.groups.count >= settings.groupsMax {
            group = settings.by.map { _ in Self.other }
        }
        var accumulators = window.groups.removeValue(forKey: group) ?? settings.values.map { $0.aggregation.make() }
        for place in accumulators.indices {
            accumulators[place].add(event, hash, by: settings.values[place].aggregation)
        }
        window.groups[group] = accumulators
        open[start] = window
        earliest = min(earliest, start)
    }

    /// No record has come for a while: what had to come until `time` is taken to have come.
    mutating func idle(until time: Timestamp) {
        watermark = max(watermark, time.milliseconds - settings.lateness.milliseconds)
    }

    /// Whether a window waits to be told.
    var isDue: Bool { !open.isEmpty && earliest + size <= watermark }

    /// Closes what the watermark has passed; the results in the order of windows and groups.
    mutating func close() -> [Result] {
        guard watermark > closedThrough else { return [] }
        var results: [Result] = []
        for start in open.keys.sorted() where start + size <= watermark {
            guard let window = open.removeValue(forKey: start) else { continue }
            let groups = window.groups.map { (key: Value.list($0.key).json, group: $0.key, accumulators: $0.value) }
            for (_, group, accumulators) in groups.sorted(by: { $0.key < $1.key }) {
                let values = zip(settings.values, accumulators).map { value, accumulator in
                    accumulator.result(of: value.aggregation, seconds: Double(size) / 1000)
                }
                results.append(
                    Result(
                        start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: start + size), group: group,
                        values: values))
            }
        }
        closedThrough = watermark
        earliest = open.keys.min() ?? .max
        return results
    }

    /// Where to read on after a crash, when everything below `position` was taken; nil while nothing is open: then it is `position`.
    var resume: Offset? { open.values.map(\.first).min() }
    var openCount: Int { open.count }
}
