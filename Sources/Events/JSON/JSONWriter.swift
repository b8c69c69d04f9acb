public import Base

/// Writes values as compact JSON into a byte array that the caller recycles.
public enum JSONWriter {
    /// `{"name":value,…}` in the event's order, without a newline.
    public static func append(_ event: Event, to bytes: inout [UInt8]) { append(object: event.fields, to: &bytes) }

    public static func append(object fields: [Field], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for field in fields {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(field.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(field.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// The row's fields as `append(_: Event)` writes an event's.
    public static func append(_ row: borrowing Row, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for place in 0..<row.count {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            append(row.name(at: place), to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(row.cells[place], to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    public static func append(_ cell: Cell, to bytes: inout [UInt8]) {
        switch cell {
        case .null: append(word: "null", to: &bytes)
        case .bool(let bool): append(word: bool ? "true" : "false", to: &bytes)
        case .int(let int): append(int, to: &bytes)
        case .double(let double): append(double, to: &bytes)
        case .text(let text): append(quoted: text, to: &bytes)
        case .timestamp(let timestamp): append(timestamp, to: &bytes)
        case .json(let json): bytes.append(contentsOf: json)
        }
    }

    public static func append(_ double: Double, to bytes: inout [UInt8]) {
        if double.isFinite {
            bytes.append(contentsOf: double.description.utf8)
        } else {
            append(word: "null", to: &bytes)
        }
    }

    public static func append(_ timestamp: Timestamp, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        CivilTime(timestamp).appendISO8601(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A timestamp is ISO 8601 text; a double that JSON can't hold (infinite, NaN) is `null`.
    public static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .null: append(word: "null", to: &bytes)
        case .bool(let bool): append(word: bool ? "true" : "false", to: &bytes)
        case .int(let int): append(int, to: &bytes)
        case .double(let double): append(double, to: &bytes)
        case .string(let text): append(text, to: &bytes)
        case .timestamp(let timestamp): append(timestamp, to: &bytes)
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for place in elements.indices {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                append(elements[place], to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let fields): append(object: fields, to: &bytes)
        }
    }

    public static func append(_ number: Int64, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// The text in quotes, with what JSON wants escaped.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { append(quoted: UnsafeRawBufferPointer($0), to: &bytes) }
    }

    /// What a source wrote, in quotes; bytes that aren't UTF-8 as `TextRepair` writes them.
    public static func append(bytes: UnsafeRawBufferPointer, to json: inout [UInt8]) {
        if TextRepair.isValid(bytes) { return append(quoted: bytes, to: &json) }
        TextRepair.repaired(bytes).withUnsafeBytes { append(quoted: $0, to: &json) }
    }

    private static func append(quoted text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        var place = 0
        while place < text.count {
            if place + 8 <= text.count, isPlain(text.loadUnaligned(fromByteOffset: place, as: UInt64.self)) {
                place += 8
                continue
            }
            let byte = text[place]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<place]))
                appendEscape(byte, to: &bytes)
                start = place + 1
            }
            place += 1
        }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start...]))
        bytes.append(UInt8(ascii: "\""))
    }

    /// True where none of the eight bytes needs an escape. (A borrow may make a plain byte look like one; then it is looked at alone.)
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let below = (word &- ones &* 0x20) & ~word
        return (below | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)) & (ones &* 0x80) == 0
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            bytes.append(hexDigits[Int(byte >> 4)])
            bytes.append(hexDigits[Int(byte & 15)])
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    private static func append(word: StaticString, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}

extension Value {
    /// The value as compact JSON.
    public var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(self, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Event {
    /// The event as one compact JSON object.
    public var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(self, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
