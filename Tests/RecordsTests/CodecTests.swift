import Base
import CSnappy
import NIOCore
import Records
import TestKit
import Testing

@Suite struct CodecTests {
    static let compressing = Codec.allCases.filter { $0 != .none }

    static func text(bytes count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        let words = ["GET ", "/index.html", " 200 ", "203.0.113.7", " - - ", "\n", "Mozilla/5.0 "].map {
            Array($0.utf8)
        }
        var text: [UInt8] = []
        while text.count < count { text += words.randomElement(using: &random)! }
        return Array(text[..<count])
    }

    @Test(arguments: Codec.allCases)
    func bytesComeBack(codec: Codec) throws {
        var compressor = Compressor()
        var decompressor = Decompressor()
        for size in [0, 1, 10, 1000, 32 << 10, (32 << 10) + 1, 65_536, 300_000] {
            let bytes = Self.text(bytes: size)
            try bytes.withUnsafeBytes { source in
                for level in [nil, -100, 1, 5, 100] {
                    let packed = try compressor.compress(source, codec: codec, level: level)
                    let back = try decompressor.decompress(packed, codec: codec, max: ByteCount(size))
                    #expect(back == ByteBuffer(bytes: bytes), "\(size) bytes at level \(level ?? 0)")
                }
            }
        }
    }

    @Test(arguments: compressing)
    func oneByteOverTheLimitIsRefused(codec: Codec) throws {
        let bytes = ByteBuffer(bytes: Self.text(bytes: 100_000))
        let packed = try codec.compress(bytes)
        #expect(try codec.decompress(packed, max: ByteCount(100_000)) == bytes)
        for max in [0, 1, 50_000, 99_999] {
            let error = try #require(throws: RecordError.self) { try codec.decompress(packed, max: ByteCount(max)) }
            #expect(error.code == .tooLarge)
        }
    }

    /// 256 MiB of zeros in few bytes. What is allocated follows the limit, not what the bytes claim.
    @Test(arguments: compressing)
    func bombsAreRefused(codec: Codec) throws {
        let bomb = try codec.compress(ByteBuffer(repeating: 0, count: 256 << 20))
        let error = try #require(throws: RecordError.self) { try codec.decompress(bomb, max: .mib(1)) }
        #expect(error.code == .tooLarge)
        let batch = try RecordBatch.build(
            [NewRecord(timestamp: .none, value: [UInt8](repeating: 0, count: 8 << 20))], codec: codec)
        #expect(batch.codec == codec)
        #expect(batch.byteCount < 1 << 20)
        let refused = try #require(throws: RecordError.self) { try batch.records(decompressedMax: .mib(8)) }
        #expect(refused.code == .tooLarge)
        #expect(try batch.newRecords(decompressedMax: .mib(9)).count == 1)
    }

    @Test(arguments: compressing)
    func cutShortAnywhereIsRefused(codec: Codec) throws {
        let packed = Array(try codec.compress(ByteBuffer(bytes: Self.text(bytes: 2000))).readableBytesView)
        for cut in 0..<packed.count {
            // The xerial framing can't tell an end between two blocks from the end; here is one block.
            if codec == .snappy && cut == 16 { continue }
            let error = try #require(throws: RecordError.self, "cut at \(cut)") {
                try codec.decompress(ByteBuffer(bytes: packed[..<cut]), max: .mib(1))
            }
            #expect(error.code == .undecodable)
        }
    }

    @Test(arguments: compressing)
    func damagedBytesNeverCrash(codec: Codec) throws {
        var random = SeededRandom(seed: UInt64(codec.rawValue))
        let packed = Array(try codec.compress(ByteBuffer(bytes: Self.text(bytes: 5000))).readableBytesView)
        var decompressor = Decompressor()
        for _ in 0..<4000 {
            var bytes = packed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.withUnsafeBytes { source in
                let back = try? decompressor.decompress(source, codec: codec, max: .kib(64))
                #expect((back?.readableBytes ?? 0) <= 64 << 10)
            }
        }
        // After all that, the contexts are as good as new.
        let back = try packed.withUnsafeBytes { try decompressor.decompress($0, codec: codec, max: .kib(64)) }
        #expect(back == ByteBuffer(bytes: Self.text(bytes: 5000)))
    }

    @Test(arguments: [Codec.gzip, .lz4, .zstd])
    func framesAfterEachOtherAreOne(codec: Codec) throws {
        let (first, second) = (ByteBuffer(bytes: Self.text(bytes: 3000)), ByteBuffer(string: "and more"))
        var packed = try codec.compress(first)
        packed.writeImmutableBuffer(try codec.compress(second))
        var both = first
        both.writeImmutableBuffer(second)
        #expect(try codec.decompress(packed, max: .kib(64)) == both)
        packed.writeString("no frame")
        #expect(throws: RecordError.self) { try codec.decompress(packed, max: .kib(64)) }
    }

    @Test func rawSnappyIsRead() throws {
        let text = Self.text(bytes: 100_000)
        var packed = [CChar](repeating: 0, count: snappy_max_compressed_length(text.count))
        var count = packed.count
        let status = text.withUnsafeBytes {
            snappy_compress($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count, &packed, &count)
        }
        #expect(status == SNAPPY_OK)
        let bytes = ByteBuffer(bytes: packed[..<count].map { UInt8(bitPattern: $0) })
        #expect(try Codec.snappy.decompress(bytes, max: .mib(1)) == ByteBuffer(bytes: text))
        // A length that so few bytes can't stand for reserves nothing.
        let claim = ByteBuffer(bytes: [0xff, 0xff, 0xff, 0xff, 0x07, 0x00])
        let error = try #require(throws: RecordError.self) { try Codec.snappy.decompress(claim, max: .gib(4)) }
        #expect(error.code == .undecodable)
    }

    @Test func namesAreKafkas() {
        #expect(Codec.allCases.map(\.description) == ["none", "gzip", "snappy", "lz4", "zstd"])
        for codec in Codec.allCases { #expect(Codec(name: codec.description) == codec) }
        #expect(Codec(name: "brotli") == nil)
    }
}
