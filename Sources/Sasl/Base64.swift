/// Base 64 with padding (RFC 4648, section 4), as SCRAM writes bytes.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word: UInt32 = 0
            for byte in group { word = word << 8 | UInt32(byte) }
            word <<= 8 * UInt32(3 - group.count)
            for place in 0..<4 {
                let isPadding = place > group.count
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(word >> (18 - 6 * UInt32(place)) & 63)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil where the text is anything but whole groups of four, padded at its end alone.
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let isLast = start + 4 == characters.count
            var group = characters[start..<start + 4]
            while isLast, group.count > 2, group.last == UInt8(ascii: "=") { group.removeLast() }
            var word: UInt32 = 0
            for character in group {
                guard let value = alphabet.firstIndex(of: character) else { return nil }
                word = word << 6 | UInt32(value)
            }
            word <<= 6 * UInt32(4 - group.count)
            for place in 0..<(group.count - 1) {
                bytes.append(UInt8(truncatingIfNeeded: word >> (16 - 8 * UInt32(place))))
            }
        }
        return bytes
    }
}
