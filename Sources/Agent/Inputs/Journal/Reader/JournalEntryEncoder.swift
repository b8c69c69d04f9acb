#if canImport(Glibc)
    import Glibc
#endif

/// Writes an entry as one line of JSON, as `journalctl -o json --all` does: text as strings, bytes that aren't printable UTF-8 as arrays
/// of numbers, a field that an entry has several times as an array, one that is too long as null.
///
/// The order is fixed where journalctl's isn't: cursor and times first, then the fields as they stand in the entry.
///
/// Source: systemd, `logs-show.c` and `utf8.c`; `man journalctl`, "json".
struct JournalEntryEncoder {
    /// The line after `finish()`, with its newline.
    private(set) var line: [UInt8] = []
    /// Bytes of fields that didn't fit and are null.
    private(set) var bytesLeftOut = 0

    private let lineBytesMax: Int
    /// Names and values of the entry's fields, one behind the other.
    private var raw: [UInt8] = []
    private var fields: [Field] = []

    private struct Field {
        var name: Range<Int>
        /// Empty and `isTooLong` where the value wasn't kept.
        var value: Range<Int>
        var nameHash: UInt32
        var isTooLong = false
        var isWritten = false
    }

    private static let nameBytesMax = 64
    private static let fieldsMax = 2048

    init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    /// Forgets the last entry and begins with what every entry has. `bootID` is 32 hexadecimal digits.
    mutating func begin(cursor: UnsafePointer<CChar>, realtime: UInt64, monotonic: UInt64, bootID: [UInt8]) {
        line.removeAll(keepingCapacity: true)
        raw.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        bytesLeftOut = 0
        append("{\"__CURSOR\":\"")
        line.append(contentsOf: UnsafeRawBufferPointer(start: cursor, count: strlen(cursor)))
        append("\",\"__REALTIME_TIMESTAMP\":\"")
        appendDecimal(realtime)
        append("\",\"__MONOTONIC_TIMESTAMP\":\"")
        appendDecimal(monotonic)
        append("\",\"_BOOT_ID\":\"")
        line.append(contentsOf: bootID)
        append("\"")
    }

    /// Takes `NAME=value`; the bytes are copied.
    mutating func add(_ field: UnsafeRawBufferPointer) {
        guard let equals = memchr(field.baseAddress!, 0x3D, field.count) else { return }
        let nameBytes = UnsafeRawPointer(equals) - field.baseAddress!
        let name = UnsafeRawBufferPointer(rebasing: field[..<nameBytes])
        // The boot stands in front already.
        guard nameBytes > 0, !name.elementsEqual("_BOOT_ID".utf8) else { return }
        guard nameBytes <= Self.nameBytesMax, fields.count < Self.fieldsMax else {
            bytesLeftOut += field.count
            return
        }
        var hash: UInt32 = 2_166_136_261
        for byte in name {
            // journald lets no other names in: the file is damaged here.
            guard Self.isOfNames(byte) else {
                bytesLeftOut += field.count
                return
            }
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        let start = raw.count
        let isTooLong = raw.count + field.count > lineBytesMax
        raw.append(contentsOf: isTooLong ? name : field)
        fields.append(
            Field(
                name: start..<(start + nameBytes),
                value: isTooLong ? start..<start : (start + nameBytes + 1)..<(start + field.count), nameHash: hash,
                isTooLong: isTooLong))
        if isTooLong { bytesLeftOut += field.count }
    }

    mutating func finish() {
        for index in fields.indices where !fields[index].isWritten {
            append(",\"")
            appendEscaped(fields[index].name)
            append("\":")
            let others = ((index + 1)..<fields.count).filter { isSameName(index, $0) }
            guard !others.isEmpty else {
                appendValue(index)
                continue
            }
            append("[")
            appendValue(index)
            for other in others {
                append(",")
                appendValue(other)
                fields[other].isWritten = true
            }
            append("]")
        }
        append("}\n")
    }

    /// What names the entry's source: `_SYSTEMD_UNIT`, else `SYSLOG_IDENTIFIER`, cut to the limit; empty where it has neither.
    var sourceName: ArraySlice<UInt8> {
        var name: Range<Int> = 0..<0
        for field in fields {
            if raw[field.name].elementsEqual("_SYSTEMD_UNIT".utf8) {
                name = field.value
                break
            }
            if name.isEmpty, raw[field.name].elementsEqual("SYSLOG_IDENTIFIER".utf8) { name = field.value }
        }
        return raw[name].prefix(JournalFrame.keyBytesMax)
    }

    // MARK: -

    private func isSameName(_ left: Int, _ right: Int) -> Bool {
        fields[left].nameHash == fields[right].nameHash
            && fields[left].name.count == fields[right].name.count
            && raw[fields[left].name].elementsEqual(raw[fields[right].name])
    }

    private mutating func appendValue(_ index: Int) {
        let field = fields[index]
        guard !field.isTooLong else { return append("null") }
        let start = line.count
        if raw.withUnsafeBytes({ Self.isPrintable(UnsafeRawBufferPointer(rebasing: $0[field.value])) }) {
            append("\"")
            appendEscaped(field.value)
            append("\"")
        } else {
            append("[")
            for index in field.value {
                if index > field.value.lowerBound { append(",") }
                appendDecimal(UInt64(raw[index]))
                if line.count > lineBytesMax { break }
            }
            append("]")
        }
        guard line.count > lineBytesMax else { return }
        line.removeLast(line.count - start)
        append("null")
        bytesLeftOut += field.value.count
    }

    private static func isOfNames(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x30...0x39, 0x5F: true
        default: false
        }
    }

    private mutating func append(_ text: StaticString) {
        line.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func appendDecimal(_ number: UInt64) {
        var rest = number
        var divisor: UInt64 = 1
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            line.append(0x30 + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Bytes of printable UTF-8, or of a name.
    private mutating func appendEscaped(_ range: Range<Int>) {
        for index in range {
            let byte = raw[index]
            switch byte {
            case 0x22, 0x5C:
                line.append(0x5C)
                line.append(byte)
            case 0x0A: append("\\n")
            case 0x09: append("\\t")
            case 0x00..<0x20:
                append("\\u00")
                line.append(Self.hexDigits[Int(byte >> 4)])
                line.append(Self.hexDigits[Int(byte & 15)])
            default: line.append(byte)
            }
        }
    }

    static let hexDigits = Array("0123456789abcdef".utf8)

    /// Valid UTF-8 without control characters but tab and newline (`utf8_is_printable` in systemd's `utf8.c`).
    static func isPrintable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            if first < 0x80 {
                guard first >= 0x20 || first == 0x09 || first == 0x0A, first != 0x7F else { return false }
                index += 1
                continue
            }
            let count: Int
            var scalar: UInt32
            switch first {
            case 0xC2...0xDF: (count, scalar) = (2, UInt32(first & 0x1F))
            case 0xE0...0xEF: (count, scalar) = (3, UInt32(first & 0x0F))
            case 0xF0...0xF4: (count, scalar) = (4, UInt32(first & 0x07))
            default: return false
            }
            guard index + count <= bytes.count else { return false }
            for offset in 1..<count {
                let byte = bytes[index + offset]
                guard byte & 0xC0 == 0x80 else { return false }
                scalar = scalar << 6 | UInt32(byte & 0x3F)
            }
            let isOverlong = (count == 3 && scalar < 0x800) || (count == 4 && scalar < 0x1_0000)
            let isNoCharacter =
                (0xD800...0xDFFF).contains(scalar) || (0xFDD0...0xFDEF).contains(scalar) || scalar & 0xFFFE == 0xFFFE
            guard !isOverlong, !isNoCharacter, scalar <= 0x10_FFFF, scalar > 0x9F else { return false }
            index += count
        }
        return true
    }
}
