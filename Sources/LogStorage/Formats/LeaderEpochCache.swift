import Base

/// Which leader epoch began at which offset (KIP-101), kept in `leader-epoch-checkpoint` in the partition's folder:
///
/// ```
/// 0        version
/// 2        entries that follow
/// 0 0      epoch, first offset that it wrote
/// 3 4711
/// ```
///
/// The file is written at the latest before the recovery point moves past an entry; younger entries are found again in the headers
/// of the batches that recovery reads.
struct LeaderEpochCache: Equatable, Sendable {
    static let fileName = "leader-epoch-checkpoint"

    struct Entry: Equatable, Sendable {
        var epoch: LeaderEpoch
        var start: Offset
    }

    /// Ascending in both.
    private(set) var entries: [Entry] = []
    /// True while the file says something else.
    var isDirty = false

    init() {}

    /// Reads the text; nil where it is not whole.
    init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 2, lines[0] == "0", let count = Int(lines[1]), lines.count == count + 2 else { return nil }
        for line in lines.dropFirst(2) {
            let words = line.split(separator: " ")
            guard words.count == 2, let epoch = Int32(words[0]), let start = Int64(words[1]) else { return nil }
            let entry = Entry(epoch: LeaderEpoch(epoch), start: Offset(start))
            if let last = entries.last, last.epoch >= entry.epoch || last.start > entry.start { return nil }
            entries.append(entry)
        }
    }

    var text: [UInt8] {
        var text = "0\n\(entries.count)\n"
        for entry in entries { text += "\(entry.epoch) \(entry.start)\n" }
        return Array(text.utf8)
    }

    var latest: LeaderEpoch? { entries.last?.epoch }

    /// Notes that a batch of `epoch` begins at `start`. An epoch that is known already, or older, changes nothing.
    mutating func assign(_ epoch: LeaderEpoch, at start: Offset) {
        guard epoch.rawValue >= 0, epoch > (entries.last?.epoch ?? .none) else { return }
        // An epoch that wrote nothing leaves no mark.
        while let last = entries.last, last.start >= start { entries.removeLast() }
        entries.append(Entry(epoch: epoch, start: start))
        isDirty = true
    }

    /// The epoch of the record at an offset.
    func epoch(at offset: Offset) -> LeaderEpoch? { entries.last { $0.start <= offset }?.epoch }

    /// The largest epoch at or below the asked one, and where it ended: the start of the next, or the log's end (KIP-101, KIP-279).
    func endOffset(for epoch: LeaderEpoch, logEnd: Offset) -> (epoch: LeaderEpoch, endOffset: Offset)? {
        guard epoch.rawValue >= 0, let latest = entries.last else { return nil }
        if epoch == latest.epoch { return (epoch, logEnd) }
        guard epoch < latest.epoch, let next = entries.firstIndex(where: { $0.epoch > epoch }) else { return nil }
        // Older than all that is known: what it wrote is gone, and its end is where the oldest begins.
        return (next == 0 ? epoch : entries[next - 1].epoch, entries[next].start)
    }

    /// Forgets what lies at or beyond the log's new end.
    mutating func truncateEnd(to end: Offset) {
        while let last = entries.last, last.start >= end {
            entries.removeLast()
            isDirty = true
        }
    }

    /// Forgets epochs that ended before the log's new start; the one that covers it begins there.
    mutating func truncateStart(to start: Offset) {
        guard let first = entries.lastIndex(where: { $0.start <= start }), entries[first].start != start || first > 0
        else { return }
        entries.removeFirst(first)
        entries[0].start = start
        isDirty = true
    }
}
