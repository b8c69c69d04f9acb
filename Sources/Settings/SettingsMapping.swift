import Base

/// A mapping that is read key by key; what was not read by `finish()` is an error that names the nearest known key.
///
/// Every reader takes the key's default (or throws where there is none) and remembers that the key is known.
public struct SettingsMapping {
    public let place: Place
    private let entries: [YAMLNode.Entry]
    private var known: [String] = []
    private let trace: SettingsTrace?

    init(_ entries: [YAMLNode.Entry], at place: Place, trace: SettingsTrace? = nil) {
        self.entries = entries
        self.place = place
        self.trace = trace
    }

    /// The keys that stand here, in their order.
    public var keys: [String] { entries.map(\.key) }

    /// The keys of a mapping in which the user chooses the names (labels, columns): each has to be read under its name.
    public mutating func chosenNames() -> [String] {
        trace?.noteChosenNames()
        return keys
    }

    /// The node under `key`, or nil where it is missing or null.
    public mutating func node(_ key: String) -> YAMLNode? {
        guard let node = nodeOrNull(key), !node.isNull else { return nil }
        return node
    }

    /// The node under `key`, also where it is null (`nginx:` with nothing behind it); nil only where the key is missing.
    public mutating func nodeOrNull(_ key: String) -> YAMLNode? {
        known.append(key)
        let member = trace?.member(key)
        return entries.first { $0.key == key }?.value.watched(by: member)
    }

    public mutating func required(_ key: String) throws(SettingsError) -> YAMLNode {
        trace?.member(key).noteDemand()
        if let node = node(key) { return node }
        // A typo is the likeliest reason: point at it rather than at what is missing.
        for entry in entries where !known.contains(entry.key) && editDistance(entry.key, key) <= max(2, key.count / 3) {
            throw SettingsError.unknownName(entry.key, kind: "key", known: [key], at: entry.place)
        }
        throw SettingsError("'\(key)' is missing", at: place)
    }

    public mutating func string(_ key: String) throws(SettingsError) -> String? {
        try reading(key, .text)?.string()
    }

    public mutating func string(_ key: String, default value: String) throws(SettingsError) -> String {
        try reading(key, .text, default: .text(value))?.string() ?? value
    }

    public mutating func bool(_ key: String, default value: Bool) throws(SettingsError) -> Bool {
        try reading(key, .flag, default: .flag(value))?.bool() ?? value
    }

    public mutating func int(
        _ key: String, default value: Int, in range: ClosedRange<Int> = 0...Int.max
    ) throws(SettingsError) -> Int {
        try reading(key, .whole(range), default: .whole(value))?.int(in: range) ?? value
    }

    public mutating func bytes(
        _ key: String, default value: ByteCount, in range: ClosedRange<ByteCount> = .zero...ByteCount(.max)
    ) throws(SettingsError) -> ByteCount {
        try reading(key, .size(range), default: .text(value.description))?.bytes(in: range) ?? value
    }

    public mutating func duration(
        _ key: String, default value: Duration, in range: ClosedRange<Duration> = .zero...(.seconds(10 * 366 * 86400))
    ) throws(SettingsError) -> Duration {
        try reading(key, .duration(range), default: .text(value.settingText))?.duration(in: range) ?? value
    }

    /// One of an enumeration's raw values.
    public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, default value: Choice
    ) throws(SettingsError) -> Choice {
        let choices = SettingsTrace.Reading.choice(Choice.allCases.map(\.rawValue))
        return try reading(key, choices, default: .text(value.rawValue))?.choice(Choice.self) ?? value
    }

    /// A list of strings; a single string counts as a list of one.
    public mutating func strings(_ key: String) throws(SettingsError) -> [String]? {
        try reading(key, .texts)?.strings()
    }

    /// The mapping under `key`, or nil where there is none.
    public mutating func mapping(_ key: String) throws(SettingsError) -> SettingsMapping? { try node(key)?.mapping() }

    /// The mapping under `key`, an empty one where there is none: for a section in which every key has a default.
    public mutating func section(_ key: String) throws(SettingsError) -> SettingsMapping {
        if let mapping = try mapping(key) { return mapping }
        let member = trace?.member(key)
        member?.note(.mapping)
        return SettingsMapping([], at: place, trace: member)
    }

    private mutating func reading(
        _ key: String, _ reading: SettingsTrace.Reading, default value: SettingsTrace.Default? = nil
    ) -> YAMLNode? {
        if let member = trace?.member(key) {
            member.note(reading)
            if let value { member.note(default: value) }
        }
        return node(key)
    }

    /// Throws for the first key that no reader asked for.
    public func finish() throws(SettingsError) {
        for entry in entries where !known.contains(entry.key) {
            throw SettingsError.unknownName(entry.key, kind: "key", known: known, at: entry.place)
        }
    }
}

extension SettingsError {
    /// `unknown key 'borker': did you mean 'broker'?`, or the list of what is known where nothing is near.
    public static func unknownName(_ name: String, kind: String, known: [String], at place: Place) -> SettingsError {
        let near = known.map { ($0, editDistance(name, $0)) }.min { $0.1 < $1.1 }
        if let (nearest, distance) = near, distance <= max(2, name.count / 3) {
            return SettingsError("unknown \(kind) '\(name)': did you mean '\(nearest)'?", at: place)
        }
        let list = known.sorted().joined(separator: ", ")
        return SettingsError("unknown \(kind) '\(name)'; known here: \(list.isEmpty ? "none" : list)", at: place)
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other.
func editDistance(_ left: String, _ right: String) -> Int {
    let a = Array(left.utf8)
    let b = Array(right.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var current = [i + 1] + Array(repeating: 0, count: b.count)
        for j in 0..<b.count {
            let substitution = last[j] + (a[i] == b[j] ? 0 : 1)
            current[j + 1] = min(substitution, last[j + 1] + 1, current[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
            }
        }
        beforeLast = last
        last = current
    }
    return last[b.count]
}
