/// How many lines each source brought since it was last asked: what a counter wants to know, of totals that are kept by the hour and forgotten
/// after some days. Used by the agent's thread alone.
final class SourceActivity {
    private var seen: SourceCounts

    /// - Parameter counts: what earlier processes counted, which this one does not.
    init(_ counts: SourceCounts) { seen = counts }

    /// The sources that are known, with the lines that are new; 0 for those that brought nothing.
    func linesSince(_ counts: SourceCounts) -> [(source: SourceKey, lines: Int)] {
        defer { seen = counts }
        return counts.sources.map { source, hours in
            let lines = hours.reduce(UInt64(0)) { sum, hour in
                let before = seen.sources[source]?[hour.key]?.lines ?? 0
                return sum + (hour.value.lines > before ? hour.value.lines - before : 0)
            }
            return (source, Int(clamping: lines))
        }
    }
}
