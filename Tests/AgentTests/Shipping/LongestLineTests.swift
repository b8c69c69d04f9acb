import Base
import Records
import TestKit
import Testing

@testable import Agent

/// With the settings nobody changed, no line makes a batch that a topic with Kafka's defaults refuses for its size: that would be held, and
/// its partition with it, until a person came.
@Suite struct LongestLines {
    /// `max.message.bytes` of a topic, unless it was set.
    static let messageBytesMax = 1_048_588

    @Test(arguments: [Codec.none, .gzip, .zstd, .lz4, .snappy])
    func aLongestLineThatDoesNotCompressFitsATopic(codec: Codec) throws {
        var random = SeededRandom(seed: 9)
        let length = SealSettings.lineBytesMax.bytes
        let line = (0..<length).map { _ in UInt8.random(in: 11...255, using: &random) }
        // The longest path there is, and labels of a few hundred bytes.
        let key = [UInt8](repeating: 0x2f, count: 4096 + 255)
        let headers = PreparedHeaders((0..<20).map { ("label\($0)", [UInt8](repeating: 0x61, count: 200)) })
        let settings = SealSettings()
        var builder = RecordBatchBuilder(codec: codec, capacity: settings.batchBytes)
        let taken = (line + [0x0a]).withUnsafeBytes { line in
            key.withUnsafeBytes {
                builder.appendLines(line, timestamp: Timestamp(milliseconds: 1), key: $0, headers: headers)
            }
        }
        #expect(taken.lines == 1)
        let batch = try builder.seal(producerID: ProducerID(1), epoch: ProducerEpoch(0), baseSequence: 0)
        #expect(batch.readableBytes <= Self.messageBytesMax, "\(codec): \(batch.readableBytes) bytes")
        #expect(batch.readableBytes > length * 9 / 10)
    }

    @Test func theSourcesTakeNoLongerOnes() {
        #expect(FileInputSettings(paths: ["/a"], topic: "t").lineBytesMax == SealSettings.lineBytesMax)
        #expect(JournalInputSettings().entryBytesMax == SealSettings.lineBytesMax)
    }
}
