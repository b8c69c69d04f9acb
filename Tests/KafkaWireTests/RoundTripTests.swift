import KafkaWire
import NIOCore
import TestKit
import Testing

/// Every message in every version, with random values that the reference codec wrote.
@Suite struct RoundTripTests {
    @Test func everySchemaHasItsMessage() {
        #expect(Catalog.names == Catalog.schemas.keys.sorted())
        #expect(Catalog.names.count > 120)
    }

    @Test(arguments: Catalog.names)
    func randomValuesSurvive(name: String) throws {
        try roundTrips(Catalog.type(name), name, unknownTags: false)
    }

    @Test(arguments: Catalog.names)
    func unknownTaggedFieldsAreSkipped(name: String) throws {
        try roundTrips(Catalog.type(name), name, unknownTags: true)
    }

    private func roundTrips<Content: WireMessage>(_: Content.Type, _ name: String, unknownTags: Bool) throws {
        let codec = Catalog.codec(name)
        #expect(Int(Content.versions.lowerBound) == codec.message.versions.lower)
        #expect(Int(Content.versions.upperBound) == codec.message.versions.upper)
        for version in Content.versions {
            for seed in 1...UInt64(12) {
                var random = SeededRandom(seed: seed &* 1000 &+ UInt64(version))
                let value = codec.random(version: Int(version), using: &random)
                let plain = codec.encode(value, version: Int(version))
                let bytes = codec.encode(value, version: Int(version), unknownTags: unknownTags)
                var reader = WireReader(ByteBuffer(bytes: bytes))
                let message = try Content(from: &reader, version: version)
                #expect(reader.isAtEnd, "\(name) v\(version) seed \(seed) leaves \(reader.remaining) bytes")
                let difference = value.difference(from: WireValue(reflecting: message))
                #expect(difference == nil, "\(name) v\(version) seed \(seed)")
                let written = try message.encoded(version: version)
                #expect(Array(written.readableBytesView) == plain, "\(name) v\(version) seed \(seed)")
            }
        }
    }

    @Test(arguments: Catalog.names)
    func otherVersionsAreRefused(name: String) {
        func check<Content: WireMessage>(_: Content.Type) {
            for version in [-1, Content.versions.lowerBound - 1, Content.versions.upperBound + 1, .max] {
                #expect(throws: WireError.self) {
                    var reader = WireReader(ByteBuffer(repeating: 0, count: 100))
                    _ = try Content(from: &reader, version: version)
                }
                #expect(throws: WireError.self) { try Content().encoded(version: version) }
            }
        }
        check(Catalog.type(name))
    }
}
