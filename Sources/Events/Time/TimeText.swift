public import Base

/// Reads the times that logs hold. All give nil for what is not such a time; none guesses a zone from the host.
public enum TimeText {
    private static let months: [UInt32] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { name in name.utf8.reduce(0) { $0 << 8 | UInt32($1) } }

    /// nginx `$time_local` and Apache `%t`, without brackets: `22/Nov/2026:07:00:01 +0000`.
    public static func nginxLocal(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        var reader = DigitReader(bytes)
        guard bytes.count == 26, let day = reader.number(2), reader.skip("/"), let month = month(&reader),
            reader.skip("/"), let year = reader.number(4), reader.skip(":"), let time = clock(&reader),
            reader.skip(" "), let zone = zone(&reader), reader.isAtEnd
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        (civil.hour, civil.minute, civil.second) = time
        return civil.isValid ? civil.timestamp + .seconds(-zone) : nil
    }

    /// ISO 8601 and RFC 3339: `2026-11-22T07:00:01+00:00`, a space for the `T`, a fraction (cut to the millisecond), `Z`, `+0000`.
    /// Without a zone it is UTC.
    public static func iso8601(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        iso8601Microseconds(bytes).map { Timestamp(milliseconds: $0.flooredQuotient(by: 1000)) }
    }

    /// The same in microseconds since 1970.
    public static func iso8601Microseconds(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var reader = DigitReader(bytes)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2)
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        var zone = 0
        var fraction = 0
        if !reader.isAtEnd {
            guard reader.skip("T") || reader.skip("t") || reader.skip(" "), let time = clock(&reader) else {
                return nil
            }
            (civil.hour, civil.minute, civil.second) = time
            if reader.skip(".") || reader.skip(",") {
                guard let microseconds = reader.microseconds() else { return nil }
                fraction = microseconds
            }
            if !reader.isAtEnd && !(reader.skip("Z") || reader.skip("z")) {
                guard let seconds = self.zone(&reader) else { return nil }
                zone = seconds
            }
        }
        guard reader.isAtEnd, civil.isValid else { return nil }
        return civil.timestamp.milliseconds * 1000 + Int64(fraction - zone * 1_000_000)
    }

    /// Seconds since 1970 with an optional fraction, as nginx `$msec` writes them: `1700000000.123`.
    public static func epochSeconds(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        var reader = DigitReader(bytes)
        guard let seconds = reader.longNumber(digitsMax: 12) else { return nil }
        var milliseconds = 0
        if reader.skip(".") {
            guard let fraction = reader.microseconds() else { return nil }
            milliseconds = fraction / 1000
        }
        return reader.isAtEnd ? Timestamp(milliseconds: seconds * 1000 + Int64(milliseconds)) : nil
    }

    /// Microseconds since 1970, as journald's `__REALTIME_TIMESTAMP` writes them.
    public static func epochMicroseconds(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        var reader = DigitReader(bytes)
        guard let number = reader.longNumber(digitsMax: 18), reader.isAtEnd else { return nil }
        return Timestamp(milliseconds: number / 1000)
    }

    /// Milliseconds since 1970.
    public static func epochMilliseconds(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        var reader = DigitReader(bytes)
        guard let number = reader.longNumber(digitsMax: 15), reader.isAtEnd else { return nil }
        return Timestamp(milliseconds: number)
    }

    private static func clock(_ reader: inout DigitReader) -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2)
        else { return nil }
        return (hour, minute, second)
    }

    private static func month(_ reader: inout DigitReader) -> Int? {
        guard let name = reader.threeLetters() else { return nil }
        return months.firstIndex(of: name).map { $0 + 1 }
    }

    /// `+0130`, `+01:30` or `+01`, as seconds east of Greenwich.
    private static func zone(_ reader: inout DigitReader) -> Int? {
        let isWest = reader.skip("-")
        guard isWest || reader.skip("+"), let hours = reader.number(2), hours < 24 else { return nil }
        var minutes = 0
        if !reader.isAtEnd {
            _ = reader.skip(":")
            guard let number = reader.number(2), number < 60 else { return nil }
            minutes = number
        }
        let seconds = hours * 3600 + minutes * 60
        return isWest ? -seconds : seconds
    }
}

extension TimeText {
    /// The same readers over a string.
    public static func iso8601(_ text: String) -> Timestamp? { read(text) { iso8601($0) } }
    public static func nginxLocal(_ text: String) -> Timestamp? { read(text) { nginxLocal($0) } }
    public static func epochSeconds(_ text: String) -> Timestamp? { read(text) { epochSeconds($0) } }
    public static func epochMicroseconds(_ text: String) -> Timestamp? { read(text) { epochMicroseconds($0) } }
    public static func epochMilliseconds(_ text: String) -> Timestamp? { read(text) { epochMilliseconds($0) } }

    private static func read(_ text: String, _ body: (UnsafeRawBufferPointer) -> Timestamp?) -> Timestamp? {
        var text = text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

/// A cursor over ASCII digits and separators.
private struct DigitReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
        guard place + count <= bytes.count else { return nil }
        var number = 0
        for offset in 0..<count {
            let digit = bytes[place + offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        place += count
        return number
    }

    /// One digit or more, up to the next byte that is none.
    mutating func longNumber(digitsMax: Int) -> Int64? {
        let start = place
        var number: Int64 = 0
        while place < bytes.count, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            guard place - start < digitsMax else { return nil }
            number = number * 10 + Int64(digit)
            place += 1
        }
        return place > start ? number : nil
    }

    /// The digits of a fraction, cut to six.
    mutating func microseconds() -> Int? {
        let start = place
        var number = 0
        while place < bytes.count, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            if place - start < 6 { number = number * 10 + Int(digit) }
            place += 1
        }
        guard place > start else { return nil }
        for _ in 0..<max(0, 6 - (place - start)) { number *= 10 }
        return number
    }

    mutating func threeLetters() -> UInt32? {
        guard place + 3 <= bytes.count else { return nil }
        defer { place += 3 }
        return UInt32(bytes[place]) << 16 | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2])
    }
}
