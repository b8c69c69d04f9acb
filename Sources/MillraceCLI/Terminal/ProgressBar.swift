import Base
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// How far a long piece of work is, with its rate and the time that is left: one line on standard error, written anew, and only where that is
/// a terminal. What the command prints goes to standard output and is never mixed with it.
final class ProgressBar: Sendable {
    enum Unit: Sendable { case bytes, things }

    private struct State {
        var begin: ContinuousClock.Instant?
        var lastShown: ContinuousClock.Instant?
    }

    private static let barWidth = 24
    private static let pause = Duration.milliseconds(100)

    private let label: String
    private let unit: Unit
    private let isShown: Bool
    private let state = Mutex(State())

    init(_ label: String, unit: Unit, isShown: Bool = isatty(2) == 1) {
        self.label = label
        self.unit = unit
        self.isShown = isShown
    }

    /// Cheap: all but ten calls a second return at once.
    func show(_ done: Int64, of total: Int64) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let begin: ContinuousClock.Instant? = state.withLock { state in
            let begin = state.begin ?? now
            state.begin = begin
            if let last = state.lastShown, now - last < Self.pause { return nil }
            state.lastShown = now
            return begin
        }
        guard let begin else { return }
        write("\r\u{1b}[K" + Self.line(label, unit, done: done, total: total, elapsed: now - begin))
    }

    /// Takes the line away, so that what follows begins at the margin.
    func clear() {
        if isShown, state.withLock({ $0.lastShown }) != nil { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// `verify [########................]  33%  1.2 GB  410 MB/s  6 s left`
    static func line(_ label: String, _ unit: Unit, done: Int64, total: Int64, elapsed: Duration) -> String {
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        let full = Int(share * Double(barWidth))
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: barWidth - full)
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? Double(done) / seconds : 0
        var text = "\(label) [\(bar)] \(Int(share * 100))%  \(amount(Double(done), unit))"
        if rate > 0 {
            text += "  \(amount(rate, unit))/s"
            let left = Double(max(0, total - done)) / rate
            text += "  \(time(left)) left"
        }
        return text
    }

    private static func amount(_ number: Double, _ unit: Unit) -> String {
        let suffix = unit == .bytes ? "B" : ""
        for (name, size) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where number >= size {
            let tenths = Int(number / size * 10)
            return "\(tenths / 10).\(tenths % 10) \(name)\(suffix)"
        }
        return "\(Int(number))\(suffix.isEmpty ? "" : " \(suffix)")"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 359_999))
        if whole >= 3600 { return "\(whole / 3600) h \(whole / 60 % 60) min" }
        return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }
}
