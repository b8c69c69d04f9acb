/// A file's name after it was rotated away, as logrotate, savelog and their like give it: `NAME.1`, `NAME-20260131`, `NAME.2026-01-31`,
/// `NAME-20260131.log` for `NAME.log` (logrotate's `extension`), `NAME.old`; each also with `.gz` at the end.
struct RotatedName: Hashable, Sendable {
    enum Suffix: Hashable, Sendable {
        /// Counts upward with age.
        case index(Int)
        /// Digits of a date, sometimes with a time; grows with time.
        case date(String)
        case old
    }

    /// The name before rotation.
    var base: String
    var suffix: Suffix
    var isCompressed: Bool

    /// All readings of a name, the likeliest first; none where it looks like no rotated file.
    static func readings(of name: String) -> [RotatedName] {
        var stem = Substring(name)
        var isCompressed = false
        if stem.hasSuffix(".gz") {
            stem = stem.dropLast(3)
            isCompressed = true
        }
        var readings: [RotatedName] = []
        func add(_ base: some StringProtocol, _ suffix: Suffix?) {
            guard let suffix, !base.isEmpty else { return }
            readings.append(RotatedName(base: String(base), suffix: suffix, isCompressed: isCompressed))
        }
        // NAME.SUFFIX and NAME-SUFFIX; a date may itself hold both marks.
        for index in stem.indices.dropFirst() where stem[index] == "." || stem[index] == "-" {
            add(stem[..<index], suffix(stem[stem.index(after: index)...], after: stem[index]))
        }
        // NAME.SUFFIX.EXT and NAME-SUFFIX.EXT
        if let dot = stem.lastIndex(of: "."), dot > stem.startIndex {
            let front = stem[..<dot]
            for index in front.indices.dropFirst() where front[index] == "." || front[index] == "-" {
                add(
                    String(front[..<index]) + stem[dot...],
                    suffix(front[front.index(after: index)...], after: front[index]))
            }
        }
        return readings
    }

    private static func suffix(_ text: Substring, after mark: Character) -> Suffix? {
        if text == "old", mark == "." { return .old }
        var digits = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39: digits.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "T"),
                UInt8(ascii: "Z"):
                continue
            default: return nil
            }
        }
        guard let first = text.utf8.first, first >= 0x30, first <= 0x39, digits.utf8.count <= 24 else { return nil }
        if digits.utf8.count >= 6 { return .date(digits) }
        return mark == "." && digits.utf8.count == text.utf8.count ? Int(digits).map(Suffix.index) : nil
    }

    /// Whether a file of this name may be made from one of the other's: a file gets the same name when it is compressed, or the next number.
    func mayBeMade(from other: RotatedName) -> Bool {
        guard case .date = suffix, case .date = other.suffix else { return true }
        return suffix == other.suffix
    }

    /// Whether rotation may give the other name to a file of this one: dates stay, numbers only grow.
    func mayBecome(_ other: RotatedName) -> Bool {
        switch (suffix, other.suffix) {
        case (.date(let own), .date(let others)): own == others
        case (.index(let own), .index(let others)): own <= others
        case (.old, _), (_, .old), (.date, .index), (.index, .date): true
        }
    }

    /// True where this one was rotated away before the other; nil where the names don't tell. While a file is being compressed both
    /// stand there: the compressed one counts as the older, as it will be when the next is.
    func isOlder(than other: RotatedName) -> Bool? {
        if suffix == other.suffix { return isCompressed == other.isCompressed ? nil : isCompressed }
        switch (suffix, other.suffix) {
        case (.index(let own), .index(let others)): return own > others
        case (.date(let own), .date(let others)): return own < others
        case (.old, _), (.index, _), (.date, _): return nil
        }
    }
}
