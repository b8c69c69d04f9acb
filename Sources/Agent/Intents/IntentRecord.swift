import Base
import KafkaClient
import NIOCore
import Records

/// One record of the intent ring: what is read back whole or not at all. Big-endian; records begin at multiples of 8.
///
/// ```
///  0 | magic u32 = "MRIN"
///  4 | crc u32        CRC-32C of all that follows, up to `length`
///  8 | length u32     header and payload, without what fills it up to a multiple of 8
/// 12 | kind u8        0 filler (go on at the ring's next beginning), 1 dense seal, 2 acknowledgements, 3 rebase, 4 opening, 5 producer,
///    |                6 reopening, 7 seal, 8 replacements, 9 given up, 10 spread
/// 13 | zero u8 × 3
/// 16 | position u64   where it stands, counted since the log began: a record of an earlier lap has another
/// 24 | run u32        which start of the agent wrote it: what a torn tail left of an earlier run has another
/// 28 | zero u32
/// 32 | durable u64    everything below this position had been synced when it was written
/// 40 | payload
/// ```
///
/// Payloads (`text` is a u16 length and bytes, `partition` a text and an i32):
///
/// ```
/// seal            firstBatch u64; those that follow are numbered in steps of 2²⁴ (in a dense seal, which is only read, of one)
///                 batches u16   × | partition | producer id i64 | epoch i16 | base sequence i32 | records i32 | length u32 | the batch |
///                 streams u32   × | stream u64 | source text | position text |
///                 retired u32   × | stream u64 |
///                 counts u32    × | source text | hour i32 | lines u64 | bytes u64 |
/// acknowledgements u32          × | batch u64 | offset i64 |
/// rebase          partition | topic id u64 × 2 | producer id i64 | epoch i16 | floor i64 | batches u32 × | batch u64 |
/// opening         partition | topic id u64 × 2 | floor i64
/// producer        producer id i64 | epoch i16
/// reopening       batches u32   × | batch u64 |
/// given up        batch u64
/// spread          topic text | partitions i32
/// replacements    replaced u16  × | batch u64 | parts u16 × | batch u64 | partition | … the batch, as in a seal |
/// ```
enum IntentRecord {
    static let magic: UInt32 = 0x4d52_494e
    static let headerBytes = 40
    static let alignment = 8

    case filler
    case seal(SealRecord)
    case acknowledgements([(batch: BatchID, offset: Offset)])
    case rebase(PartitionRebase)
    case opening(PartitionOpening)
    case producer(ProducerIdentity)
    case reopening([BatchID])
    case replacements([Replacement])
    case givenUp(BatchID)
    case spread(TopicSpread)

    /// What stands for a batch that was sealed before.
    struct Replacement {
        var original: BatchID
        var parts: [(batch: SealedBatch, placeInRecord: Int)]
    }

    /// A seal as it is read back: the batches by their places.
    struct SealRecord {
        var batches: [(batch: SealedBatch, placeInRecord: Int)]
        var streams: [StreamCheckpoint]
        var retired: [StreamID]
        var counts: [SourceCount]
    }

    enum Kind: UInt8 {
        case filler, denseSeal, acknowledgements, rebase, opening, producer, reopening, seal, replacements, givenUp,
            spread
    }

    static func paddedBytes(_ length: Int) -> Int { (length + alignment - 1) & ~(alignment - 1) }

    /// Header fields that say whether the bytes at some place are a record of this log.
    struct Header {
        var crc: UInt32
        var length: Int
        var kind: UInt8
        var position: UInt64
        var run: UInt32
        var durable: UInt64

        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= headerBytes else { return nil }
            func load<T: FixedWidthInteger>(_ place: Int, _: T.Type) -> T {
                T(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: T.self))
            }
            guard load(0, UInt32.self) == magic else { return nil }
            crc = load(4, UInt32.self)
            length = Int(load(8, UInt32.self))
            kind = bytes[12]
            position = load(16, UInt64.self)
            run = load(24, UInt32.self)
            durable = load(32, UInt64.self)
            guard length >= headerBytes else { return nil }
        }
    }

    // MARK: - Writing

    /// Bytes of a payload that were summed before: a sealed batch brings the sum of most of itself.
    struct Summed {
        /// Indexes of the buffer.
        var range: Range<Int>
        var checksum: UInt32
    }

    /// Appends the record to the buffer, from the magic to the padding. `payload` returns what of its bytes need not be summed again.
    static func write(
        _ kind: Kind, position: UInt64, run: UInt32, durable: UInt64, into buffer: inout ByteBuffer,
        payload: (inout ByteBuffer) -> [Summed]
    ) {
        let start = buffer.writerIndex
        buffer.writeInteger(magic)
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(UInt32(kind.rawValue) << 24)
        buffer.writeInteger(position)
        buffer.writeInteger(run)
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(durable)
        let summed = payload(&buffer)
        let length = buffer.writerIndex - start
        buffer.setInteger(UInt32(length), at: start + 8)
        let sum = buffer.withUnsafeReadableBytes { bytes in
            // Indexes count from the buffer's memory on, this from its first readable byte.
            let first = buffer.readerIndex
            var sum: UInt32 = 0
            var place = start + 8 - first
            for part in summed {
                let begin = part.range.lowerBound - first
                sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[place..<begin]), continuing: sum)
                sum = CRC32C.joined(sum, part.checksum, secondByteCount: part.range.count)
                place = begin + part.range.count
            }
            let end = start + length - first
            return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[place..<end]), continuing: sum)
        }
        buffer.setInteger(sum, at: start + 4)
        buffer.writeRepeatingByte(0, count: paddedBytes(length) - length)
    }

    /// Writes a seal's payload; returns where each batch's bytes begin in the buffer.
    static func write(_ seal: Seal, firstBatch: UInt64, into buffer: inout ByteBuffer) -> [Int] {
        var places: [Int] = []
        buffer.writeInteger(firstBatch)
        buffer.writeInteger(UInt16(seal.batches.count))
        for batch in seal.batches { places.append(buffer.write(batch)) }
        buffer.writeInteger(UInt32(seal.streams.count))
        for stream in seal.streams { buffer.write(stream) }
        buffer.writeInteger(UInt32(seal.retired.count))
        for stream in seal.retired { buffer.writeInteger(stream.rawValue) }
        buffer.writeInteger(UInt32(seal.counts.count))
        for count in seal.counts { buffer.write(count) }
        return places
    }

    /// What the seal's batches were summed to when they were sealed.
    static func summed(_ seal: Seal, at places: [Int]) -> [Summed] {
        zip(seal.batches, places).compactMap { batch, place in
            let (bytes, start) = (batch.bytes, batch.bytes.readerIndex)
            guard bytes.readableBytes >= BatchLayout.headerBytes,
                let checksum: UInt32 = bytes.getInteger(at: start + BatchLayout.crc)
            else { return nil }
            return Summed(range: (place + BatchLayout.attributes)..<(place + bytes.readableBytes), checksum: checksum)
        }
    }

    /// Writes the payload; returns where the bytes of each part begin in the buffer.
    static func write(_ replacements: [BatchReplacement], into buffer: inout ByteBuffer) -> [[Int]] {
        buffer.writeInteger(UInt16(replacements.count))
        return replacements.map { replacement in
            buffer.writeInteger(replacement.original.rawValue)
            buffer.writeInteger(UInt16(replacement.parts.count))
            return replacement.parts.map { id, batch in
                buffer.writeInteger(id.rawValue)
                return buffer.write(batch)
            }
        }
    }

    static func write(_ rebase: PartitionRebase, into buffer: inout ByteBuffer) {
        buffer.write(rebase.partition)
        buffer.write(rebase.topicID)
        buffer.write(rebase.identity)
        buffer.writeInteger(rebase.floor.rawValue)
        buffer.write(rebase.batches)
    }

    static func write(_ opening: PartitionOpening, into buffer: inout ByteBuffer) {
        buffer.write(opening.partition)
        buffer.write(opening.topicID)
        buffer.writeInteger(opening.floor.rawValue)
    }

    static func write(_ acknowledgements: [(batch: BatchID, offset: Offset)], into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(acknowledgements.count))
        for (batch, offset) in acknowledgements {
            buffer.writeInteger(batch.rawValue)
            buffer.writeInteger(offset.rawValue)
        }
    }

    // MARK: - Reading

    /// Reads a record whose sum was checked. Nil where the payload isn't what its kind says.
    init?(kind: UInt8, record: ByteBuffer) {
        guard let kind = Kind(rawValue: kind) else { return nil }
        var bytes = record
        bytes.moveReaderIndex(forwardBy: Self.headerBytes)
        switch kind {
        case .filler: self = .filler
        case .seal, .denseSeal:
            guard let seal = SealRecord(&bytes, step: kind == .seal ? BatchID.step : 1) else { return nil }
            self = .seal(seal)
        case .acknowledgements:
            guard let count = bytes.readCount(bytesEach: 16) else { return nil }
            self = .acknowledgements(
                (0..<count).map { _ in (BatchID(bytes.readInteger()!), Offset(bytes.readInteger()!)) })
        case .rebase:
            guard let partition = bytes.readPartition(), let topicID = bytes.readTopicID(),
                let identity = bytes.readIdentity(), let floor: Int64 = bytes.readInteger(),
                let batches = bytes.readBatchIDs()
            else { return nil }
            self = .rebase(
                PartitionRebase(
                    partition: partition, topicID: topicID, identity: identity, floor: Offset(floor), batches: batches))
        case .opening:
            guard let partition = bytes.readPartition(), let topicID = bytes.readTopicID(),
                let floor: Int64 = bytes.readInteger()
            else { return nil }
            self = .opening(PartitionOpening(partition: partition, topicID: topicID, floor: Offset(floor)))
        case .producer:
            guard let identity = bytes.readIdentity() else { return nil }
            self = .producer(identity)
        case .reopening:
            guard let batches = bytes.readBatchIDs() else { return nil }
            self = .reopening(batches)
        case .replacements:
            guard let replacements = Self.readReplacements(&bytes) else { return nil }
            self = .replacements(replacements)
        case .givenUp:
            guard let id: UInt64 = bytes.readInteger() else { return nil }
            self = .givenUp(BatchID(id))
        case .spread:
            guard let spread = bytes.readPartition() else { return nil }
            self = .spread(TopicSpread(topic: spread.topic, partitionCount: spread.partition))
        }
    }
}

extension IntentRecord {
    private static func readReplacements(_ bytes: inout ByteBuffer) -> [Replacement]? {
        guard let count: UInt16 = bytes.readInteger() else { return nil }
        var all: [Replacement] = []
        for _ in 0..<count {
            guard let original: UInt64 = bytes.readInteger(), let partCount: UInt16 = bytes.readInteger() else {
                return nil
            }
            var replacement = Replacement(original: BatchID(original), parts: [])
            for _ in 0..<partCount {
                guard let id: UInt64 = bytes.readInteger(), let part = bytes.readBatch(BatchID(id)) else { return nil }
                replacement.parts.append(part)
            }
            all.append(replacement)
        }
        return all
    }
}

extension IntentRecord.SealRecord {
    init?(_ bytes: inout ByteBuffer, step: UInt64) {
        batches = []
        streams = []
        retired = []
        counts = []
        guard let firstBatch: UInt64 = bytes.readInteger(), let batchCount: UInt16 = bytes.readInteger() else {
            return nil
        }
        for index in 0..<UInt64(batchCount) {
            let (id, isTooHigh) = firstBatch.addingReportingOverflow(index * step)
            guard !isTooHigh, let batch = bytes.readBatch(BatchID(id)) else { return nil }
            batches.append(batch)
        }
        guard let streamCount = bytes.readCount(bytesEach: 12) else { return nil }
        for _ in 0..<streamCount {
            guard let stream = bytes.readStream() else { return nil }
            streams.append(stream)
        }
        guard let retiredCount = bytes.readCount(bytesEach: 8) else { return nil }
        for _ in 0..<retiredCount { retired.append(StreamID(bytes.readInteger()!)) }
        guard let countCount = bytes.readCount(bytesEach: 22) else { return nil }
        for _ in 0..<countCount {
            guard let count = bytes.readSourceCount() else { return nil }
            counts.append(count)
        }
    }
}
