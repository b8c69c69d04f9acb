import Base

/// What a source wrote, generation by generation: what the broker's log is held against.
final class SourceTruth {
    /// One line as the tailer is to deliver it.
    struct Line {
        /// Unique within the source, but for headers.
        var text: String
        var writtenAt: Instant
        /// No two of these can be told apart.
        var isHeader = false
        /// Written after the file had been renamed: it may come after lines of a younger file.
        var isLate = false
        var demand = Demand.once
        /// Its newline stands in the file.
        var isComplete = true
        /// Pieces that it may be delivered in, because its writer paused longer than `linger` in the middle of it.
        var pieces: [String] = []
    }

    enum Demand {
        case once
        /// Nobody can ask for it; the reason stands in the trace.
        case atMostOnce
        /// It stood there before the agent was told to begin.
        case never
    }

    /// The content of one file from its creation, or from being cut, until it is cut or removed.
    final class Generation {
        let number: Int
        var lines: [Line] = []
        var wasRenamed = false
        /// Rotated before the agent first looked.
        var isOld = false
        /// When its last copy was removed or cut.
        var destroyedAt: Instant?

        init(_ number: Int) { self.number = number }
    }

    let key: String
    private(set) var generations: [Generation] = []

    init(key: String) { self.key = key }

    func begin() -> Generation {
        let generation = Generation(generations.count)
        generations.append(generation)
        return generation
    }

    /// What is wrong with what the broker has of the source; empty where nothing is.
    func violations(delivered: [String]) -> [String] {
        var found: [String] = []
        var places: [String: [Int]] = [:]
        for (place, text) in delivered.enumerated() { places[text, default: []].append(place) }
        var known: Set<String> = []
        /// The last place of a line that was not late, of all older generations.
        var reached = -1
        var headersNeeded = 0
        for generation in generations {
            var last = -1
            var firstUnique: Int?
            var reachedHere = reached
            for line in generation.lines {
                known.insert(line.text)
                if line.isHeader {
                    if line.demand == .once { headersNeeded += 1 }
                    continue
                }
                guard let place = check(line, places, &known, &found, generation) else { continue }
                if place <= last { found.append("out of order within \(generation.number): \(line.text.prefix(30))") }
                last = max(last, place)
                firstUnique = firstUnique ?? place
                if !line.isLate, line.isComplete {
                    if place <= reached {
                        found.append(
                            "out of order: \(line.text.prefix(30)) of \(generation.number) after younger lines")
                    }
                    reachedHere = max(reachedHere, place)
                }
            }
            reached = reachedHere
            if headersNeeded > 0, let firstUnique {
                let before = generations[0].lines.first { $0.isHeader }.map { header in
                    (places[header.text] ?? []).count { $0 < firstUnique }
                }
                if let before, before < headersNeeded {
                    found.append("\(before) headers before generation \(generation.number), \(headersNeeded) expected")
                }
            }
        }
        checkHeaders(places, &found)
        for text in places.keys.sorted() where !known.contains(text) {
            found.append("never written: \(text.prefix(60))")
        }
        return found
    }

    private func checkHeaders(_ places: [String: [Int]], _ found: inout [String]) {
        let headers = generations.flatMap(\.lines).filter(\.isHeader)
        guard let text = headers.first?.text else { return }
        let count = places[text]?.count ?? 0
        let (least, most) = (headers.count { $0.demand == .once }, headers.count { $0.demand != .never })
        if count < least || count > most { found.append("\(count) headers, expected \(least)...\(most)") }
    }

    /// The line's place among what was delivered.
    private func check(
        _ line: Line, _ places: [String: [Int]], _ known: inout Set<String>, _ found: inout [String],
        _ generation: Generation
    ) -> Int? {
        let here = places[line.text] ?? []
        if here.count > 1 { found.append("\(here.count) times: \(line.text.prefix(30)) of \(generation.number)") }
        if line.demand == .never, !here.isEmpty {
            found.append("delivered though it was there before: \(line.text.prefix(30))")
        }
        for piece in line.pieces { known.insert(piece) }
        if !here.isEmpty { return here.first }
        if !line.pieces.isEmpty {
            let all = line.pieces.compactMap { places[$0]?.first }
            if all.count == line.pieces.count { return all.last }
        }
        if line.demand == .once, line.isComplete {
            found.append("lost: \(line.text.prefix(30)) of generation \(generation.number)")
        }
        return nil
    }
}
