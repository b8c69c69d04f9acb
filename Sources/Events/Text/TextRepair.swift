/// Strings from bytes that a source wrote, which may not be valid UTF-8.
///
/// Decision: every byte that is not part of a valid sequence stands as the four characters `\xHH`, as nginx itself writes such
/// bytes. Nothing is dropped or replaced by one and the same mark, valid text is never changed, and what comes out is always
/// valid UTF-8, so that every reader of an export takes it.
public enum TextRepair {
    /// The bytes as a string, invalid ones as `\xHH`.
    public static func string(_ bytes: UnsafeRawBufferPointer) -> String {
        if isASCII(bytes) { return String(decoding: bytes, as: UTF8.self) }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(decoding: repaired(bytes), as: UTF8.self)
    }

    public static func string(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { string($0) } }

    /// The bytes themselves where they are valid, else a repaired copy in the arena.
    static func text(_ bytes: UnsafeRawBufferPointer, in arena: inout ByteArena) -> UnsafeRawBufferPointer {
        if isASCII(bytes) || isValid(bytes) { return bytes }
        return arena.copy(repaired(bytes))
    }

    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < bytes.count {
            let length = sequenceLength(bytes, at: place)
            if length == 0 { return false }
            place += length
        }
        return true
    }

    @inline(__always)
    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var high: UInt8 = 0
        for byte in bytes { high |= byte }
        return high < 0x80
    }

    static func repaired(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var valid: [UInt8] = []
        valid.reserveCapacity(bytes.count + 16)
        var place = 0
        while place < bytes.count {
            let length = sequenceLength(bytes, at: place)
            if length == 0 {
                valid.append(UInt8(ascii: "\\"))
                valid.append(UInt8(ascii: "x"))
                valid.append(hexDigits[Int(bytes[place] >> 4)])
                valid.append(hexDigits[Int(bytes[place] & 15)])
                place += 1
            } else {
                for offset in 0..<length { valid.append(bytes[place + offset]) }
                place += length
            }
        }
        return valid
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    /// The length of the valid sequence that begins here (RFC 3629, table 3-7 of Unicode), or 0.
    private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int {
        let first = bytes[place]
        if first < 0x80 { return 1 }
        let length =
            switch first {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard length > 0, place + length <= bytes.count else { return 0 }
        let second = bytes[place + 1]
        let lowest: UInt8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
        guard second >= lowest, second <= highest else { return 0 }
        for offset in 2..<max(length, 2) where bytes[place + offset] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
