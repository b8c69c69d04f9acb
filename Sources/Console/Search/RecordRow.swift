import Base
import Events
import NIOCore
import Records

/// A record as a list shows it: cut where it is long, never more than its text. The page makes controls visible.
struct RecordRow: Sendable {
    var partition: Int32
    var offset: Int64
    var time: Timestamp
    var key: String?
    var text: String
    var byteCount: Int
    var isCut: Bool
    var isTombstone: Bool

    init(_ record: Record, partition: Int32, shownBytesMax: ByteCount) {
        self.partition = partition
        offset = record.offset.rawValue
        time = record.timestamp
        key = record.key.map { Self.text($0, bytesMax: 256) }
        let value = record.value ?? ByteBuffer()
        byteCount = value.readableBytes
        isCut = byteCount > shownBytesMax.bytes
        isTombstone = record.value == nil
        text = Self.text(value, bytesMax: shownBytesMax.bytes)
    }

    /// The first bytes as text, not cut within a character; what is no UTF-8 stands as `\xHH`.
    static func text(_ buffer: ByteBuffer, bytesMax: Int) -> String {
        buffer.withUnsafeReadableBytes { bytes in
            guard bytes.count > bytesMax else { return TextRepair.string(bytes) }
            var end = bytesMax
            var steps = 0
            while end > 0, steps < 3, bytes[end] & 0xc0 == 0x80 {
                end -= 1
                steps += 1
            }
            return TextRepair.string(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        }
    }

    var fields: [Field] {
        [
            Field("partition", .int(Int64(partition))), Field("offset", .int(offset)),
            Field("time", .int(time.milliseconds)), Field("key", key.map { .string($0) } ?? .null),
            Field("text", .string(text)), Field("bytes", .int(Int64(byteCount))), Field("cut", .bool(isCut)),
            Field("tombstone", .bool(isTombstone)),
        ]
    }
}
