import TestKit
import Testing

@testable import Exports

/// A reader of the hybrid encoding, written from the format's page alone.
private func decode(_ bytes: [UInt8], width: Int, count: Int) -> [UInt32] {
    var place = 0
    func varint() -> Int {
        var (number, shift) = (0, 0)
        while true {
            let byte = bytes[place]
            place += 1
            number |= Int(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
    }
    var values: [UInt32] = []
    while place < bytes.count {
        let header = varint()
        if header & 1 == 0 {
            var value: UInt32 = 0
            for byte in 0..<(width + 7) / 8 { value |= UInt32(bytes[place + byte]) << (8 * byte) }
            place += (width + 7) / 8
            values += Array(repeating: value, count: header >> 1)
        } else {
            let groups = header >> 1
            for index in 0..<groups * 8 {
                var value: UInt32 = 0
                for bit in 0..<width {
                    let at = index * width + bit
                    if bytes[place + at / 8] >> (at % 8) & 1 == 1 { value |= 1 << bit }
                }
                values.append(value)
            }
            place += groups * width
        }
    }
    // The last group may be filled up with zeros, and with nothing else.
    #expect(values.count >= count && values.count < count + 8 && values[count...].allSatisfy { $0 == 0 })
    return Array(values.prefix(count))
}

private func encode(_ values: [UInt32], width: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    values.withUnsafeBufferPointer { HybridEncoding.append($0, width: width, to: &bytes) }
    return bytes
}

@Suite struct HybridEncodingTests {
    /// The example of the format's own page: 0…7 with three bits.
    @Test func packsEightNumbersAsTheFormatSays() {
        #expect(encode(Array(0..<8), width: 3) == [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010])
    }

    @Test func aLongRunTakesThreeBytes() {
        #expect(encode(Array(repeating: 5, count: 1000), width: 3) == [0xd0, 0x0f, 5])
    }

    @Test(arguments: 1...24)
    func whatIsEncodedComesBack(width: Int) {
        var random = SeededRandom(seed: UInt64(width))
        for _ in 0..<40 {
            var values: [UInt32] = []
            while values.count < Int.random(in: 1...300, using: &random) {
                let value = UInt32.random(in: 0..<(1 << UInt32(width)), using: &random)
                let run = random.oneIn(3) ? Int.random(in: 1...40, using: &random) : 1
                values += Array(repeating: value, count: run)
            }
            #expect(decode(encode(values, width: width), width: width, count: values.count) == values, "seed \(width)")
        }
    }

    @Test func definitionLevelsTellWhoIsNull() {
        for pattern in ["1", "0", "1111111111", "0000000000", "10", "1101111111111111111110", "0111111110"] {
            var levels = DefinitionLevels()
            for bit in pattern { if bit == "1" { levels.appendValue() } else { levels.appendNull() } }
            var bytes: [UInt8] = []
            levels.append(to: &bytes)
            #expect(Int(bytes[0]) == bytes.count - 4 && bytes[1...3].allSatisfy { $0 == 0 })
            let decoded = decode(Array(bytes[4...]), width: 1, count: pattern.count)
            #expect(decoded.map { "\($0)" }.joined() == pattern)
            #expect(levels.nullCount == pattern.filter { $0 == "0" }.count)
        }
    }
}
