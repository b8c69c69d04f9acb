import Testing

@testable import Records

@Suite struct VarintTests {
    static let steps: [Int64] =
        (0..<64).flatMap { bit -> [Int64] in
            let step = Int64(bitPattern: 1 << UInt64(bit))
            return [step, step &- 1, 0 &- step, ~step, 1 &- step]
        } + [0, .max, .min]

    @Test func valuesComeBack() {
        for value in Self.steps {
            let bytes = encoded(value)
            #expect(bytes.count == Varint.byteCount(value))
            bytes.withUnsafeBytes { bytes in
                var reader = FieldReader(bytes, at: 0)
                #expect(reader.varint64() == value)
                #expect(reader.position == bytes.count)
                var narrow = FieldReader(bytes, at: 0)
                #expect(narrow.varint32() == Int32(exactly: value))
            }
            for cut in 0..<bytes.count {
                bytes[..<cut].withUnsafeBytes { bytes in
                    var reader = FieldReader(bytes, at: 0)
                    #expect(reader.varint64() == nil)
                }
            }
        }
    }

    @Test func knownBytes() {
        #expect(encoded(0) == [0])
        #expect(encoded(-1) == [1])
        #expect(encoded(63) == [126])
        #expect(encoded(64) == [0x80, 1])
        #expect(encoded(8192) == [0x80, 0x80, 1])
        #expect(encoded(.min) == [UInt8](repeating: 0xff, count: 9) + [1])
    }

    @Test(arguments: [
        [UInt8](repeating: 0xff, count: 9) + [2],  // 65 bits
        [UInt8](repeating: 0x80, count: 10) + [0],  // eleven bytes
        [UInt8](repeating: 0xff, count: 64),
    ])
    func tooLongIsRefused(bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var reader = FieldReader(bytes, at: 0)
            #expect(reader.varint64() == nil)
        }
    }

    private func encoded(_ value: Int64) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in
            let end = Varint.write(value, at: room.baseAddress!)
            return Array(room[..<(end - room.baseAddress!)])
        }
    }
}
