import Base
import CMillrace
import TestKit
import Testing

@Suite struct CRC32CTests {
    /// RFC 3720 §B.4.
    @Test func theStandardsVectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum(Array(UInt8(0)..<32)) == 0x46dd_794e)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test func hardwareAndTableAgree() {
        var random = SeededRandom(seed: 32)
        let bytes = (0..<30_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        // Beyond 300, the steps at which the hardware sum changes its stride, and what lies around them.
        let lengths = Array(0...300) + [767, 768, 769, 775, 776, 960, 6143, 6144, 6145, 6912, 12_288, 20_000, 29_000]
        bytes.withUnsafeBytes { bytes in
            for alignment in 0..<16 {
                for length in lengths {
                    let start = bytes.baseAddress! + alignment
                    let seed = UInt32(truncatingIfNeeded: random.next())
                    #expect(millrace_crc32c(seed, start, length) == millrace_crc32c_portable(seed, start, length))
                }
            }
        }
    }

    @Test func sumsContinue() {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = CRC32C.checksum(bytes)
        for cut in [0, 1, 7, 200, 4999, 5000] {
            let first = CRC32C.checksum(Array(bytes[..<cut]))
            #expect(bytes[cut...].withUnsafeBytes { CRC32C.checksum($0, continuing: first) } == whole)
        }
    }
}
