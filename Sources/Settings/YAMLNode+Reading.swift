import Base

extension YAMLNode {
    public func mapping() throws(SettingsError) -> SettingsMapping {
        trace?.note(.mapping)
        switch value {
        case .mapping(let entries): return SettingsMapping(entries, at: place, trace: trace)
        case .scalar where isNull: return SettingsMapping([], at: place, trace: trace)
        case .scalar, .sequence: throw expected("a mapping (key: value)")
        }
    }

    public func sequence() throws(SettingsError) -> [YAMLNode] {
        trace?.note(.list)
        guard case .sequence(let elements) = value else { throw expected("a list") }
        guard let trace else { return elements }
        return elements.enumerated().map { $0.element.watched(by: trace.element($0.offset)) }
    }

    public func string() throws(SettingsError) -> String {
        trace?.note(.text)
        return try text()
    }

    private func text() throws(SettingsError) -> String {
        guard case .scalar(let text, _) = value, !isNull else { throw expected("text") }
        return text
    }

    /// A list of strings; a single string counts as a list of one.
    public func strings() throws(SettingsError) -> [String] {
        trace?.note(.texts)
        guard case .sequence(let elements) = value else { return [try text()] }
        var texts: [String] = []
        for element in elements { texts.append(try element.text()) }
        return texts
    }

    public func bool() throws(SettingsError) -> Bool {
        trace?.note(.flag)
        guard case .scalar(let text, isPlain: true) = value else { throw expected("true or false") }
        switch text {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw expected("true or false")
        }
    }

    public func int(in range: ClosedRange<Int> = 0...Int.max) throws(SettingsError) -> Int {
        trace?.note(.whole(range))
        guard case .scalar(let text, _) = value, let number = Int(text.replacingUnderscores()) else {
            throw expected("a whole number")
        }
        guard range.contains(number) else { throw expected("a number \(Self.describe(range))") }
        return number
    }

    public func double() throws(SettingsError) -> Double {
        trace?.note(.number)
        guard case .scalar(let text, _) = value, let number = Double(text), number.isFinite else {
            throw expected("a number")
        }
        return number
    }

    /// `1500`, `64KiB`, `1.5MiB`, `2GB`: binary units with an `i`, decimal ones without.
    public func bytes(
        in range: ClosedRange<ByteCount> = .zero...ByteCount(.max)
    ) throws(SettingsError) -> ByteCount {
        trace?.note(.size(range))
        let units: [(String, Double)] = [
            ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776), ("kB", 1e3),
            ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1), ("", 1),
        ]
        guard let number = quantity(units), number < 9e18 else { throw expected("a size such as 64KiB or 1GiB") }
        let size = ByteCount(Int(number))
        guard range.contains(size) else {
            throw expected(
                range.upperBound.bytes == .max
                    ? "a size of at least \(range.lowerBound)"
                    : "a size from \(range.lowerBound) to \(range.upperBound)")
        }
        return size
    }

    /// `50ms`, `5s`, `1.5m`, `12h`, `7d`. A bare number is refused: nobody remembers its unit.
    public func duration(
        in range: ClosedRange<Duration> = .zero...(.seconds(10 * 366 * 86400))
    ) throws(SettingsError) -> Duration {
        trace?.note(.duration(range))
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9),
        ]
        guard let number = quantity(units), number < 9e18 else {
            throw expected("a duration with its unit, such as 50ms, 5s or 7d")
        }
        let duration = Duration.nanoseconds(Int64(number))
        guard range.contains(duration) else {
            throw expected("a duration from \(range.lowerBound) to \(range.upperBound)")
        }
        return duration
    }

    public func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type
    ) throws(SettingsError) -> Choice {
        trace?.note(.choice(Choice.allCases.map(\.rawValue)))
        let text = try text()
        guard let choice = Choice(rawValue: text) else {
            throw SettingsError.unknownName(
                text, kind: "value", known: Choice.allCases.map(\.rawValue), at: place)
        }
        return choice
    }

    public func expected(_ what: String) -> SettingsError {
        SettingsError("expected \(what), found \(kind)", at: place)
    }

    private func quantity(_ units: [(String, Double)]) -> Double? {
        guard case .scalar(let text, _) = value else { return nil }
        let digits = text.prefix { $0.isNumber || $0 == "." || $0 == "_" }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Double(String(digits).replacingUnderscores()),
            let factor = units.first(where: { $0.0 == unit })?.1
        else { return nil }
        return number * factor
    }

    private static func describe(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension String {
    fileprivate func replacingUnderscores() -> String { filter { $0 != "_" } }
}
