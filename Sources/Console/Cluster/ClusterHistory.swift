import Base

/// What the overview plots: one point for the whole cluster.
struct ClusterPoint: Sendable, Equatable {
    var time: Timestamp
    var linesPerSecond: Double
    /// Nil where this point brought no new sizes, or the cluster tells none.
    var bytesPerSecond: Double?
    /// The slowest group's; nil without groups.
    var delaySeconds: Double?
    var lag: Int64
}

/// The last points of a plot, the oldest going first.
struct Ring<Element: Sendable>: Sendable {
    private(set) var elements: [Element] = []
    let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    mutating func append(_ element: Element) {
        // A quarter at a time, so that an append is cheap.
        if elements.count >= countMax + countMax / 4 { elements.removeFirst(elements.count - countMax) }
        elements.append(element)
    }

    var last: ArraySlice<Element> { elements.suffix(countMax) }
}

/// When a partition's log reached which end: from it follows how old the record is that a group will read next, without asking the broker.
struct EndHistory: Sendable {
    static let pointsMax = 150

    private var points = Ring<(time: Timestamp, end: Int64)>(countMax: pointsMax)

    mutating func endSeen(_ end: Int64, now: Timestamp) { points.append((now, end)) }

    /// The end as it was seen last.
    var end: Int64? { points.last.last?.end }

    /// How long the record at this offset has been waiting: 0 for one that is not there yet; for one older than the history, that is the
    /// least it can be. Between two points the log is taken to have grown evenly.
    func age(of offset: Int64, now: Timestamp) -> Double {
        let points = points.last
        guard let latest = points.last, offset < latest.end else { return 0 }
        guard let after = points.firstIndex(where: { $0.end > offset }) else { return 0 }
        var appended = points[after].time.milliseconds
        if after > points.startIndex {
            let before = points[after - 1]
            let share = Double(offset - before.end) / Double(points[after].end - before.end)
            appended = before.time.milliseconds + Int64(share * Double(appended - before.time.milliseconds))
        }
        return Double(max(0, now.milliseconds - appended)) / 1_000
    }
}
