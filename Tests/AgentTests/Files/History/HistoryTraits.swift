import Base
import TestKit

/// What kind of history it is; all of it follows from the seed.
struct HistoryTraits {
    enum Rotation: String, CaseIterable {
        case none, index, date, copyTruncate, truncate, reopenTruncated, recreate, symlink
    }

    enum Compression: CaseIterable {
        case none
        /// `NAME.1` → `NAME.1.gz` as soon as it is rotated.
        case immediate
        /// At the next rotation, before the others are shifted: `.1` → `.1.gz`, then `.2.gz`.
        case delayed
        /// At the next rotation, straight to its new name: `.1` → `.2.gz`.
        case delayedToNextName
    }

    struct Source {
        var rotation: Rotation
        var compression: Compression
        /// Rotated files kept; few are destructive.
        var kept: Int
        /// Each file begins with the same line.
        var hasHeader: Bool
        /// `app-2026….log` rather than `app.log-2026…`.
        var dateBeforeExtension: Bool
        /// A link's targets stand in another folder.
        var linksElsewhere: Bool
        /// Files stand there before the agent first runs.
        var isOld: Bool
        /// Begins only some time after the agent did.
        var isYoung: Bool
    }

    var sources: [Source] = []
    var startsAtEnd = false
    var isBlind = false
    var losesNotes = false
    var handlesMax = 64
    var reusesInodes = false
    /// Once in so many of the tailer's calls something happens between two of them; 0 is never.
    var interleaving = 0
    /// Once in so many writer steps.
    var killRarity = 0
    var brokerTrouble = false
    var intentsMax = 256
    var oddLines = false
    var linger = Duration.seconds(3)
    var reconcile = Duration.seconds(5)
    var poll = Duration.seconds(1)
    var blockBytes = 4096
    /// Names are listed in the order of a hash, as ext4 does; else by name.
    var listsByHash = false
    var storm = Duration.seconds(12)

    init(random: inout SeededRandom) {
        let count = random.oneIn(6) ? Int.random(in: 4...8, using: &random) : Int.random(in: 1...3, using: &random)
        for _ in 0..<count {
            let rotation = Rotation.allCases.randomElement(using: &random)!
            sources.append(
                Source(
                    rotation: rotation, compression: Compression.allCases.randomElement(using: &random)!,
                    kept: random.oneIn(4) ? Int.random(in: 1...3, using: &random) : 40,
                    hasHeader: random.oneIn(2), dateBeforeExtension: random.oneIn(3),
                    linksElsewhere: random.oneIn(2), isOld: random.oneIn(2), isYoung: random.oneIn(5)))
        }
        startsAtEnd = random.oneIn(5)
        isBlind = random.oneIn(6)
        losesNotes = random.oneIn(4)
        handlesMax = random.oneIn(4) ? Int.random(in: 2...4, using: &random) : 64
        reusesInodes = random.oneIn(2)
        interleaving = random.oneIn(3) ? 0 : [4, 12, 40].randomElement(using: &random)!
        killRarity = random.oneIn(4) ? 0 : [8, 20, 50].randomElement(using: &random)!
        brokerTrouble = random.oneIn(2)
        intentsMax = random.oneIn(3) ? 24 : 256
        oddLines = random.oneIn(3)
        blockBytes = [256, 1024, 4096].randomElement(using: &random)!
        listsByHash = random.oneIn(2)
    }
}
