/// Reads the parts of a time, one after the other, for `TimePattern`.
struct TimeReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var place: Int
    private(set) var year = 1970
    private(set) var month = 1
    private(set) var day = 1
    private(set) var minute = 0
    private(set) var second = 0
    private(set) var milliseconds = 0
    /// Seconds since 1970.
    private(set) var epoch: Int64?
    /// Seconds east of Greenwich.
    private(set) var zone: Int?
    private var hour = 0
    private var isAfternoon: Bool?

    init(_ bytes: UnsafeRawBufferPointer, at place: Int) {
        self.bytes = bytes
        self.place = place
    }

    var hourOfDay: Int {
        guard let isAfternoon else { return hour }
        return hour % 12 + (isAfternoon ? 12 : 0)
    }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    mutating func skipBlanks() -> Bool {
        let start = place
        while skip(UInt8(ascii: " ")) {}
        return place > start
    }

    /// Reads the part that a letter of a pattern stands for.
    mutating func read(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "Y"): return number(4, into: \.year)
        case UInt8(ascii: "y"):
            guard number(2, into: \.year) else { return false }
            year += year < 70 ? 2000 : 1900
            return true
        case UInt8(ascii: "m"): return number(2, into: \.month)
        case UInt8(ascii: "d"): return number(2, into: \.day)
        case UInt8(ascii: "e"):
            _ = skip(UInt8(ascii: " "))
            return number(2, into: \.day) || number(1, into: \.day)
        case UInt8(ascii: "b"): return readMonth()
        case UInt8(ascii: "H"): return number(2, into: \.hour)
        case UInt8(ascii: "I"): return number(2, into: \.hour) && 1...12 ~= hour
        case UInt8(ascii: "p"): return readHalf()
        case UInt8(ascii: "M"): return number(2, into: \.minute)
        case UInt8(ascii: "S"): return number(2, into: \.second)
        case UInt8(ascii: "f"): return readFraction()
        case UInt8(ascii: "z"): return readZone()
        case UInt8(ascii: "Z"):
            zone = 0
            return word("UTC") || word("GMT") || word("Z")
        case UInt8(ascii: "s"): return readEpoch()
        case UInt8(ascii: "a"): return readName(of: Self.weekdays) != nil
        default: preconditionFailure("a pattern holds a letter that is not known")
        }
    }

    private mutating func number(_ count: Int, into path: WritableKeyPath<TimeReader, Int>) -> Bool {
        guard place + count <= bytes.count else { return false }
        var number = 0
        for offset in 0..<count {
            let digit = bytes[place + offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return false }
            number = number * 10 + Int(digit)
        }
        place += count
        self[keyPath: path] = number
        return true
    }

    private mutating func word(_ text: String) -> Bool {
        let end = place + text.utf8.count
        guard end <= bytes.count,
            zip(bytes[place..<end], text.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
        else { return false }
        place = end
        return true
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    /// The place of the name in the list; all of it, or its first three letters.
    private mutating func readName(of names: [String]) -> Int? {
        for (number, name) in names.enumerated() where word(name) || word(String(name.prefix(3))) { return number }
        return nil
    }

    private mutating func readMonth() -> Bool {
        guard let number = readName(of: Self.months) else { return false }
        month = number + 1
        return true
    }

    private mutating func readHalf() -> Bool {
        if word("AM") {
            isAfternoon = false
        } else if word("PM") {
            isAfternoon = true
        } else {
            return false
        }
        return true
    }

    private mutating func readFraction() -> Bool {
        let start = place
        var factor = 100
        while place < bytes.count, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            milliseconds += Int(digit) * factor
            factor /= 10
            place += 1
        }
        return place > start
    }

    private mutating func readZone() -> Bool {
        zone = 0
        if skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return true }
        let isWest = skip(UInt8(ascii: "-"))
        guard isWest || skip(UInt8(ascii: "+")) else { return false }
        var hours = 0
        var minutes = 0
        guard let first = twoDigits(), first < 24 else { return false }
        hours = first
        let mark = place
        _ = skip(UInt8(ascii: ":"))
        if let second = twoDigits() {
            guard second < 60 else { return false }
            minutes = second
        } else {
            place = mark
        }
        zone = (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
        return true
    }

    private mutating func twoDigits() -> Int? {
        guard place + 2 <= bytes.count else { return nil }
        let (first, second) = (bytes[place] &- UInt8(ascii: "0"), bytes[place + 1] &- UInt8(ascii: "0"))
        guard first < 10, second < 10 else { return nil }
        place += 2
        return Int(first) * 10 + Int(second)
    }

    private mutating func readEpoch() -> Bool {
        let start = place
        var number: Int64 = 0
        while place < bytes.count, place - start < 12, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            number = number * 10 + Int64(digit)
            place += 1
        }
        epoch = number
        return place > start
    }
}
