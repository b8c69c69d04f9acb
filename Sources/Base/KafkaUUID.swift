/// A 128-bit id as Kafka writes it: 16 bytes on the wire, 22 characters of URL-safe base64 in text.
///
/// All zeros means "none".
public struct KafkaUUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static let zero = KafkaUUID(high: 0, low: 0)

    /// A random id (version 4). Like Kafka, never one whose text begins with `-`, which a shell would take for an option.
    public static func random<Generator: RandomNumberGenerator>(using generator: inout Generator) -> KafkaUUID {
        while true {
            let high = (generator.next() as UInt64) & ~0xf000 | 0x4000
            let low = (generator.next() as UInt64) & ~(0xc000_0000_0000_0000) | 0x8000_0000_0000_0000
            let id = KafkaUUID(high: high, low: low)
            if !id.description.hasPrefix("-") { return id }
        }
    }

    public static func random() -> KafkaUUID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public static func < (left: KafkaUUID, right: KafkaUUID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// 22 characters of URL-safe base64 without padding.
    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(22)
        // 128 bits and four zero bits of padding make 22 groups of six.
        for group in 0..<22 {
            let bit = 128 - 6 * (group + 1)
            text.append(Self.alphabet[Int(bit >= 0 ? shifted(right: bit) & 0x3f : (low << 4) & 0x3f)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func shifted(right bits: Int) -> UInt64 {
        if bits >= 64 { return high >> UInt64(bits - 64) }
        if bits == 0 { return low }
        return low >> UInt64(bits) | high << UInt64(64 - bits)
    }

    /// Reads the 22 characters that `description` writes; nil where the text is no such id.
    public init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 22 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (place, character) in characters.enumerated() {
            guard let digit = Self.alphabet.firstIndex(of: character) else { return nil }
            let value = UInt64(digit)
            if place == 21 {
                guard value & 0xf == 0 else { return nil }
                high = high << 2 | low >> 62
                low = low << 2 | value >> 4
            } else {
                high = high << 6 | low >> 58
                low = low << 6 | value
            }
        }
        self.init(high: high, low: low)
    }
}

/// A topic's id: a topic that is deleted and created again under its old name gets another (KIP-516).
public typealias TopicID = KafkaUUID
