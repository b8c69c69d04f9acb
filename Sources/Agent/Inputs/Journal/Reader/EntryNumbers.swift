/// The number of the last entry that was seen of each sequence. journald numbers all entries of an installation one by one, over its files:
/// a number that is missing is an entry that isn't there, or that the library left out because it is damaged, which it doesn't say.
struct EntryNumbers {
    private struct Sequence {
        var last: UInt64
        /// A number so far ahead that it may itself be damaged: the next entry tells.
        var doubtful: UInt64?
    }

    private var sequences: [Substring: Sequence] = [:]

    /// Journals of more hosts than this in one folder are checked for a part of them only.
    private static let sequencesMax = 256
    /// A longer gap is believed once two entries in a row say so.
    static let gapBelieved: UInt64 = 1_000

    /// Notes the entry; returns how many of its sequence lie between it and the one before.
    mutating func skipped(before cursor: JournalCursor) -> UInt64 {
        let number = cursor.number
        guard let sequence = sequences[cursor.sequence] else {
            if sequences.count < Self.sequencesMax { sequences[cursor.sequence] = Sequence(last: number) }
            return 0
        }
        // Numbers only grow: a smaller one is damaged.
        guard number > sequence.last else { return 0 }
        var skipped = number - sequence.last - 1
        if skipped > Self.gapBelieved {
            guard let doubtful = sequence.doubtful, number > doubtful, number - doubtful <= Self.gapBelieved else {
                sequences[cursor.sequence]!.doubtful = number
                return 0
            }
            // The doubtful one was there.
            skipped -= 1
        }
        sequences[cursor.sequence] = Sequence(last: number)
        return skipped
    }

    /// What comes next was looked for, and what is missing before it is said already.
    mutating func forget() { sequences.removeAll() }
}
