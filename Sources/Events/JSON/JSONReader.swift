/// A recursive-descent reader over bytes; its depth is limited, so its stack is too.
struct JSONReader {
    let bytes: UnsafeRawBufferPointer
    private let limits: JSON.Limits
    private(set) var place = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer, limits: JSON.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> Value {
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard place == bytes.count else { throw JSONError(at: place, "something follows the value") }
        return value
    }

    mutating func skipBlanks() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0a, 0x0d: place += 1
            default: return
            }
        }
    }

    mutating func value() throws(JSONError) -> Value {
        guard place < bytes.count else { throw JSONError(at: place, "the text ends where a value is wanted") }
        switch bytes[place] {
        case UInt8(ascii: "{"): return try nested { (reader) throws(JSONError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(JSONError) in try reader.list() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw JSONError(at: place, "a value is wanted here")
        }
    }

    mutating func nested<Result>(
        _ body: (inout JSONReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        guard depth < limits.depthMax else {
            throw JSONError(at: place, "nested deeper than \(limits.depthMax)")
        }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return try body(&self)
    }

    private mutating func object() throws(JSONError) -> Value {
        var members: [Field] = []
        skipBlanks()
        if take("}") { return .object(members) }
        members.reserveCapacity(12)
        while true {
            skipBlanks()
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else {
                throw JSONError(at: place, "a name in quotes is wanted here")
            }
            let name = try string()
            skipBlanks()
            guard take(":") else { throw JSONError(at: place, "a colon is wanted after the name") }
            skipBlanks()
            members.append(Field(name, try value()))
            skipBlanks()
            if take("}") { return .object(Event.deduplicated(members)) }
            guard take(",") else { throw JSONError(at: place, "a comma or } is wanted here") }
        }
    }

    private mutating func list() throws(JSONError) -> Value {
        var elements: [Value] = []
        skipBlanks()
        if take("]") { return .list(elements) }
        while true {
            skipBlanks()
            elements.append(try value())
            skipBlanks()
            if take("]") { return .list(elements) }
            guard take(",") else { throw JSONError(at: place, "a comma or ] is wanted here") }
        }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func word(_ word: StaticString, _ value: Value) throws(JSONError) -> Value {
        let count = word.utf8CodeUnitCount
        guard place + count <= bytes.count else { throw JSONError(at: place, "a value is wanted here") }
        for offset in 0..<count where bytes[place + offset] != word.utf8Start[offset] {
            throw JSONError(at: place, "a value is wanted here")
        }
        place += count
        return value
    }

    private mutating func number() throws(JSONError) -> Value {
        let start = place
        let isNegative = take("-")
        var magnitude: UInt64 = 0
        var fits = true
        let digitsStart = place
        while place < bytes.count, case let digit = bytes[place] &- 0x30, digit < 10 {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { fits = false }
            magnitude = sum
            place += 1
        }
        guard place > digitsStart else { throw JSONError(at: place, "a digit is wanted here") }
        if place - digitsStart > 1, bytes[digitsStart] == 0x30 {
            throw JSONError(at: digitsStart, "a number may not begin with 0")
        }
        var isWhole = true
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        if isWhole, fits {
            if !isNegative, magnitude <= UInt64(Int64.max) { return .int(Int64(magnitude)) }
            if isNegative, magnitude <= UInt64(Int64.max) + 1 { return .int(Int64(truncatingIfNeeded: 0 &- magnitude)) }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard let double = Double(text), double.isFinite else {
            throw JSONError(at: start, "the number is beyond what a double holds")
        }
        return .double(double)
    }

    private mutating func digits() throws(JSONError) {
        let start = place
        while place < bytes.count, bytes[place] &- 0x30 < 10 { place += 1 }
        guard place > start else { throw JSONError(at: place, "a digit is wanted here") }
    }

    private mutating func string() throws(JSONError) -> String {
        let start = place + 1
        if let plain = try plainString() { return TextRepair.string(plain) }
        return TextRepair.string(try escapedString(from: start))
    }

    /// A string as it stands, after its quote; nil where it holds an escape, at which the reader stands then.
    mutating func plainString() throws(JSONError) -> UnsafeRawBufferPointer? {
        place += 1
        let start = place
        while place < bytes.count {
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                defer { place += 1 }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<place])
            }
            if byte == UInt8(ascii: "\\") { return nil }
            if byte < 0x20 { throw JSONError(at: place, "a control character must be escaped in a string") }
            place += 1
        }
        throw JSONError(at: place, "the text ends within a string")
    }

    /// Goes on at the first backslash of a string that begins at `start`; its bytes may not be valid UTF-8.
    mutating func escapedString(from start: Int) throws(JSONError) -> [UInt8] {
        var text = Array(bytes[start..<place])
        while place < bytes.count {
            let byte = bytes[place]
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return text
            case UInt8(ascii: "\\"):
                place += 1
                try escape(into: &text)
            case 0..<0x20:
                throw JSONError(at: place, "a control character must be escaped in a string")
            default:
                text.append(byte)
                place += 1
            }
        }
        throw JSONError(at: place, "the text ends within a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard place < bytes.count else { throw JSONError(at: place, "the text ends within a string") }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try codePoint())).utf8)
        default: throw JSONError(at: place - 1, "no such escape")
        }
    }

    private mutating func codePoint() throws(JSONError) -> Unicode.Scalar {
        let first = try hexQuad()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
            bytes[place + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        let back = place
        place += 2
        let second = try hexQuad()
        guard 0xdc00...0xdfff ~= second else {
            place = back
            return "\u{fffd}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)) ?? "\u{fffd}"
    }

    private mutating func hexQuad() throws(JSONError) -> UInt32 {
        guard place + 4 <= bytes.count else { throw JSONError(at: place, "four hex digits are wanted after \\u") }
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = HexDigit.value(bytes[place]) else {
                throw JSONError(at: place, "four hex digits are wanted after \\u")
            }
            number = number << 4 | UInt32(digit)
            place += 1
        }
        return number
    }
}

enum HexDigit {
    @inline(__always)
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
