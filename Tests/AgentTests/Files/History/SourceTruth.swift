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
        /// It stood in a rotated file when an agent that knew nothing of an earlier life looked: not wanted, so no loss to tell of.
        var isUnwanted = false
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
        /// An older one whose file had the same inode on a disk that doesn't tell births. If nothing but the common header was read of
        /// that one, nobody can tell the two apart, and this one's lines come where that one's would have.
        var predecessor: Generation?
        /// It was rotated empty before the agent could have seen it, beside a younger file with a smaller inode, on a disk that doesn't tell
        /// births: just what a copy looks like before its first byte. What is written to it later is not read.
        var isTakenForCopy = false
        let madeAt: Instant
        /// When its last copy was removed or cut.
        var destroyedAt: Instant?

        init(_ number: Int, at madeAt: Instant) {
            self.number = number
            self.madeAt = madeAt
        }
    }

    let key: String
    private(set) var generations: [Generation] = []

    init(key: String) { self.key = key }

    func begin(at now: Instant) -> Generation {
        let generation = Generation(generations.count, at: now)
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
        var reachedBefore: [Int] = []
        var headersNeeded = 0
        for generation in generations {
            reachedBefore.append(reached)
            let mistaken = mistakenFor(generation, places)
            let bound = mistaken.map { reachedBefore[$0.number] } ?? reached
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
                    if place <= bound {
                        found.append(
                            "out of order: \(line.text.prefix(30)) of \(generation.number) after younger lines")
                    }
                    reachedHere = max(reachedHere, place)
                }
            }
            reached = reachedHere
            if headersNeeded > 0, mistaken == nil, let firstUnique {
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

    /// The older generation whose file this one's may have been taken for.
    private func mistakenFor(_ generation: Generation, _ places: [String: [Int]]) -> Generation? {
        guard let older = generation.predecessor else { return nil }
        let isRead = older.lines.contains { !$0.isHeader && places[$0.text] != nil }
        return isRead ? nil : mistakenFor(older, places) ?? older
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
