import KafkaWire
import NIOCore
import TestKit
import Testing

/// Bytes that no peer should send: an error each, never a crash, never much memory.
@Suite struct DamageTests {
    @Test(arguments: Catalog.names)
    func truncationAtEveryByteIsAnError(name: String) throws {
        func check<Content: WireMessage>(_: Content.Type) throws {
            let codec = Catalog.codec(name)
            for version in Content.versions {
                var random = SeededRandom(seed: 7)
                let bytes = codec.encode(codec.random(version: Int(version), using: &random), version: Int(version))
                for count in 0..<bytes.count {
                    var reader = WireReader(ByteBuffer(bytes: bytes[..<count]))
                    #expect(throws: WireError.self, "\(name) v\(version) cut to \(count) of \(bytes.count)") {
                        _ = try Content(from: &reader, version: version)
                    }
                }
            }
        }
        try check(Catalog.type(name))
    }

    @Test(arguments: Catalog.names)
    func changedBytesNeverCrash(name: String) throws {
        func check<Content: WireMessage>(_: Content.Type) throws {
            let codec = Catalog.codec(name)
            for version in Content.versions {
                var random = SeededRandom(seed: 11 + UInt64(version))
                let bytes = codec.encode(codec.random(version: Int(version), using: &random), version: Int(version))
                if bytes.isEmpty { continue }
                for _ in 0..<200 {
                    var damaged = bytes
                    for _ in 0..<Int.random(in: 1...4, using: &random) {
                        let place = Int.random(in: 0..<damaged.count, using: &random)
                        damaged[place] = random.oneIn(3) ? 0xff : UInt8(truncatingIfNeeded: random.next())
                    }
                    var reader = WireReader(ByteBuffer(bytes: damaged))
                    guard let message = try? Content(from: &reader, version: version) else { continue }
                    // What was understood can be written again, and is then understood the same.
                    let again = try message.encoded(version: version)
                    #expect(
                        try WireValue(reflecting: Content.decoded(again, version: version))
                            == WireValue(reflecting: message))
                }
            }
        }
        try check(Catalog.type(name))
    }

    @Test(arguments: Catalog.names)
    func noiseNeverCrashes(name: String) {
        func check<Content: WireMessage>(_: Content.Type) {
            var random = SeededRandom(seed: 3)
            for version in Content.versions {
                for _ in 0..<50 {
                    let count = Int.random(in: 0...64, using: &random)
                    let bytes = (0..<count).map { _ in
                        random.oneIn(2)
                            ? UInt8.random(in: 0...3, using: &random) : UInt8(truncatingIfNeeded: random.next())
                    }
                    _ = try? Content.decoded(ByteBuffer(bytes: bytes), version: version)
                }
            }
        }
        check(Catalog.type(name))
    }

    // MARK: Lengths and counts

    private func code(_ body: () throws -> Void) -> WireError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? WireError)?.code
        }
    }

    @Test func countsBeyondTheBytesAreRefusedBeforeAnythingIsAllocated() {
        // Metadata v0: a count of two thousand million topics, then four bytes.
        var buffer = ByteBuffer(integer: Int32.max)
        buffer.writeInteger(0 as Int32)
        #expect(code { _ = try MetadataRequest.decoded(buffer, version: 0) } == .truncated)
        // Metadata v9: the same as a varint.
        let compact = ByteBuffer(bytes: [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])
        #expect(code { _ = try MetadataRequest.decoded(compact, version: 9) } == .truncated)
    }

    @Test func negativeLengthsAreRefused() {
        #expect(code { _ = try MetadataRequest.decoded(ByteBuffer(integer: Int32(-2)), version: 1) } == .malformed)
        #expect(code { _ = try SaslHandshakeRequest.decoded(ByteBuffer(integer: Int16(-2)), version: 0) } == .malformed)
        #expect(
            code { _ = try SaslHandshakeRequest.decoded(ByteBuffer(integer: Int16(-1)), version: 0) } == .unexpectedNull
        )
        #expect(
            code { _ = try SaslAuthenticateRequest.decoded(ByteBuffer(integer: Int32.min), version: 0) } == .malformed)
    }

    @Test func stringsHaveAtMost32767Bytes() {
        for (count, expected) in [(32_767, nil), (32_768, WireError.Code.malformed)] {
            var writer = WireWriter()
            writer.writeUnsignedVarint(UInt32(count + 1))
            writer.buffer.writeRepeatingByte(UInt8(ascii: "x"), count: count)
            writer.buffer.writeBytes([0, 0])
            #expect(code { _ = try FindCoordinatorRequest.decoded(writer.buffer, version: 3) } == expected)
        }
    }

    @Test func varintsEndAfterFiveBytes() throws {
        var reader = WireReader(ByteBuffer(bytes: [0xff, 0xff, 0xff, 0xff, 0x0f]))
        #expect(try reader.readUnsignedVarint() == .max)
        for bytes: [UInt8] in [[0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]] {
            var reader = WireReader(ByteBuffer(bytes: bytes))
            #expect(code { _ = try reader.readUnsignedVarint() } == .malformed)
        }
    }

    @Test func taggedFieldsMustEndWhereTheySay() {
        // Fetch response v12: throttle, error, session, no topics, then a tagged section.
        let start: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        let empty = start + [1, 0, 2, 1, 0]
        #expect(code { _ = try FetchResponse.decoded(ByteBuffer(bytes: empty), version: 16) } == .malformed)
        #expect(
            code { _ = try FetchResponse.decoded(ByteBuffer(bytes: start + [1, 9, 3, 0]), version: 16) } == .truncated)
        #expect(code { _ = try FetchResponse.decoded(ByteBuffer(bytes: start + [1, 9, 1, 0]), version: 16) } == nil)
    }

    @Test func memoryIsLimitedByTheBytesThatCame() throws {
        // Two megabytes of empty topics, three bytes each, that would grow into forty bytes each and more.
        let count = 700_000
        var writer = WireWriter()
        writer.writeUnsignedVarint(0)  // no transactional id
        writer.write(1 as Int16)
        writer.write(1 as Int32)
        writer.writeUnsignedVarint(UInt32(count + 1))
        for _ in 0..<count { writer.buffer.writeBytes([1, 1, 0]) }
        writer.writeUnsignedVarint(0)
        #expect(code { _ = try ProduceRequest.decoded(writer.buffer, version: 9) } == nil)
        var reader = WireReader(writer.buffer, heapBytesMax: 1 << 20)
        #expect(code { _ = try ProduceRequest(from: &reader, version: 9) } == .heapLimit)
    }
}
