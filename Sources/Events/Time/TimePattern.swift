public import Base

/// A pattern that reads a time out of text, as strptime (3) writes them: `%d/%b/%Y:%H:%M:%S %z`.
///
/// | | |
/// |---|---|
/// | `%Y` `%m` `%d` | year (four digits), month, day; `%e` is a day with a blank or nothing in place of its first digit, `%y` a year of two digits (1970 to 2069) |
/// | `%b` | a month's English name: three letters, or all of it |
/// | `%H` `%M` `%S` | hour (0 to 23), minute, second; `%I` with `%p` is an hour of 12 with AM or PM |
/// | `%f` | a fraction of a second, one digit or more, cut to the millisecond |
/// | `%z` | `Z`, `+0100`, `+01:00` or `+01`; `%Z` is UTC, GMT or Z, for other names mean different things to different people |
/// | `%s` | seconds since 1970 |
/// | `%a` | a weekday's English name, which tells nothing |
/// | `%%`, a blank | the sign itself; a blank stands for one blank or more |
///
/// Without a zone in the text the pattern's own holds. Without a year it is the one in which the time lies nearest to when the line was read; without a
/// date, the day.
public struct TimePattern: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case field(UInt8)
        case literal(UInt8)
        case blanks
    }

    /// A pattern that can't be used, and why.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String
    }

    public let text: String
    /// Seconds east of Greenwich where the text names no zone.
    public let zone: Int
    private let parts: [Part]
    private let fields: Set<UInt8>

    public init(_ text: String, zone: Int = 0) throws(Problem) {
        self.text = text
        self.zone = zone
        var parts: [Part] = []
        var fields: Set<UInt8> = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let letter = bytes.next() else {
                    throw Problem(description: "a letter is wanted after the last '%'")
                }
                if letter == UInt8(ascii: "%") {
                    parts.append(.literal(letter))
                    continue
                }
                guard Self.known.contains(letter) else {
                    throw Problem(
                        description: "'%\(Character(Unicode.Scalar(letter)))' is not known; there are "
                            + Self.known.map { "%\(Character(Unicode.Scalar($0)))" }.joined(separator: " "))
                }
                parts.append(.field(letter))
                fields.insert(letter)
            case UInt8(ascii: " "): if parts.last != .blanks { parts.append(.blanks) }
            default: parts.append(.literal(byte))
            }
        }
        if let problem = Self.problem(with: fields) { throw Problem(description: problem) }
        self.parts = parts
        self.fields = fields
    }

    private static let known = Array("YymdebHIpMSfzZsa".utf8)

    private static func problem(with fields: Set<UInt8>) -> String? {
        func has(_ letters: String) -> Bool { letters.utf8.contains { fields.contains($0) } }
        if has("s") { return nil }
        if has("I") != has("p") { return "'%I' and '%p' belong together" }
        guard has("HI"), has("M") else { return "an hour and a minute are wanted (%H:%M), or seconds since 1970 (%s)" }
        if has("Yy"), !has("mb") || !has("de") { return "a year needs a month and a day" }
        return has("mb") == has("de") ? nil : "a month and a day belong together"
    }

    /// Whether a text leaves something to `received`.
    public var needsReceived: Bool { !fields.contains(UInt8(ascii: "s")) && !hasYear }
    private var hasYear: Bool { fields.contains(UInt8(ascii: "Y")) || fields.contains(UInt8(ascii: "y")) }
    private var hasDate: Bool { fields.contains(UInt8(ascii: "d")) || fields.contains(UInt8(ascii: "e")) }

    /// The whole text's time; nil where the text isn't of the pattern, or names a moment that doesn't exist.
    /// - Parameter received: when the line was read, for a text without its year or date.
    public func time(_ text: UnsafeRawBufferPointer, received: Timestamp = .none) -> Timestamp? {
        var place = 0
        guard let time = prefix(of: text, &place, received: received), place == text.count else { return nil }
        return time
    }

    public func time(_ text: String, received: Timestamp = .none) -> Timestamp? {
        var text = text
        return text.withUTF8 { time(UnsafeRawBufferPointer($0), received: received) }
    }

    /// The time that stands at `place`, which is moved behind it.
    func prefix(of text: UnsafeRawBufferPointer, _ place: inout Int, received: Timestamp) -> Timestamp? {
        var reader = TimeReader(text, at: place)
        for part in parts {
            let fits: Bool
            switch part {
            case .literal(let byte): fits = reader.skip(byte)
            case .blanks: fits = reader.skipBlanks()
            case .field(let letter): fits = reader.read(letter)
            }
            guard fits else { return nil }
        }
        place = reader.place
        if let seconds = reader.epoch { return Timestamp(milliseconds: seconds * 1000 + Int64(reader.milliseconds)) }
        var civil = CivilTime(
            year: reader.year, month: reader.month, day: reader.day, hour: reader.hourOfDay, minute: reader.minute,
            second: reader.second, millisecond: reader.milliseconds)
        let zone = Duration.seconds(reader.zone ?? zone)
        guard !hasYear else { return civil.isValid ? civil.timestamp - zone : nil }
        guard received != .none else { return nil }
        return hasDate ? nearestYear(&civil, zone, received) : nearestDay(&civil, zone, received)
    }

    private func nearestYear(_ civil: inout CivilTime, _ zone: Duration, _ received: Timestamp) -> Timestamp? {
        let year = CivilTime(received).year
        var best: Timestamp?
        for candidate in year - 1...year + 1 {
            civil.year = candidate
            guard civil.isValid else { continue }
            let time = civil.timestamp - zone
            if best.map({ distance(time, received) < distance($0, received) }) ?? true { best = time }
        }
        return best
    }

    private func nearestDay(_ civil: inout CivilTime, _ zone: Duration, _ received: Timestamp) -> Timestamp? {
        let today = CivilTime(received)
        (civil.year, civil.month, civil.day) = (today.year, today.month, today.day)
        guard civil.isValid else { return nil }
        let time = civil.timestamp - zone
        return [-1, 0, 1].map { time + .seconds(86_400 * $0) }.min { distance($0, received) < distance($1, received) }
    }

    private func distance(_ left: Timestamp, _ right: Timestamp) -> Int64 {
        abs(left.milliseconds - right.milliseconds)
    }
}

extension Timestamp {
    fileprivate static func - (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds - right.milliseconds)
    }
}

extension TimeText {
    /// `Z`, `UTC`, `+0100`, `+01:00` or `-05` as seconds east of Greenwich; nil for what is no such zone. Names of regions are not known: what they
    /// mean depends on the date and on who knows it.
    public static func zone(_ text: String) -> Int? {
        if text == "UTC" { return 0 }
        var text = text
        return text.withUTF8 { bytes in
            var reader = TimeReader(UnsafeRawBufferPointer(bytes), at: 0)
            guard reader.read(UInt8(ascii: "z")), reader.place == bytes.count else { return nil }
            return reader.zone
        }
    }
}
