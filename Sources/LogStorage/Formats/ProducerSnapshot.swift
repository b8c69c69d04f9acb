import Base
import Records

/// `<offset>.snapshot`: the producer state as of that offset.
///
/// ```
/// | version i16 = 1 | crc u32 (CRC-32C of all that follows) | count i32 | entries …| extension |
/// entry:     | producerID i64 | epoch i16 | lastSequence i32 | lastOffset i64 | offsetDelta i32 | timestamp i64 |
///            | coordinatorEpoch i32 | transactionStart i64 |                                          46 bytes
/// extension: | "MRP1" | count i32 | producers … | holes i32 | (from i64, to i64) … | missing i32 | (producerID i64, after i32) … |
///            | indexes i32 | (segment i64, entries i32, crc u32) … |
/// producer:  | producerID i64 | arrived i64 | batches u8 | batches … |
/// batch:     | baseSequence i32 | lastSequence i32 | lastOffset i64 | offsetDelta i32 | timestamp i64 |   28 bytes
/// ```
///
/// The entries are Kafka's own, one batch per producer; Kafka sums the whole file and reads no further than its entries, so it takes the
/// file as it is. The extension holds all five, the holes, after which sequence something is missing of a producer, and the sums of the
/// segments' `.txnindex` files (files of older versions end earlier). A file without one (Kafka wrote it) gives one batch per producer.
struct ProducerSnapshot {
    static let suffix = ".snapshot"
    static let entryBytes = 46
    private static let version: Int16 = 1
    private static let mark: UInt32 = 0x4d52_5031

    static func bytes(_ state: ProducerState) -> [UInt8] {
        let producers = state.producers.sorted { $0.key < $1.key }
        var body = BigEndianWriter()
        body.write(Int32(producers.count))
        for (id, producer) in producers {
            body.write(id)
            body.write(producer.epoch)
            body.write(producer.batches.last?.lastSequence ?? -1)
            body.write(producer.batches.last?.lastOffset ?? -1)
            body.write(producer.batches.last?.offsetDelta ?? 0)
            body.write(producer.batches.last?.timestamp ?? -1)
            body.write(producer.coordinatorEpoch)
            body.write(producer.transactionStart)
        }
        body.write(mark)
        body.write(Int32(producers.count))
        for (id, producer) in producers {
            body.write(id)
            body.write(producer.arrived.milliseconds)
            body.write(UInt8(producer.batches.count))
            for batch in producer.batches {
                body.write(batch.baseSequence)
                body.write(batch.lastSequence)
                body.write(batch.lastOffset)
                body.write(batch.offsetDelta)
                body.write(batch.timestamp)
            }
        }
        body.write(Int32(state.holes.count))
        for hole in state.holes {
            body.write(hole.lowerBound)
            body.write(hole.upperBound)
        }
        let missing = producers.compactMap { id, producer in producer.missingAfter.map { (id, $0) } }
        body.write(Int32(missing.count))
        for (id, after) in missing {
            body.write(id)
            body.write(after)
        }
        if let sums = state.abortedSums {
            body.write(Int32(sums.count))
            for (base, sum) in sums.sorted(by: { $0.key < $1.key }) {
                body.write(base)
                body.write(sum.count)
                body.write(sum.crc)
            }
        }
        var file = BigEndianWriter()
        file.write(version)
        file.write(CRC32C.checksum(body.bytes))
        return file.bytes + body.bytes
    }

    /// The state in the bytes, or nil where they are damaged.
    static func state(_ bytes: [UInt8]) -> ProducerState? {
        var reader = BigEndianReader(bytes)
        guard reader.read() == version, let crc: UInt32 = reader.read(), crc == CRC32C.checksum(bytes.dropFirst(6)),
            let count: Int32 = reader.read(), count >= 0, Int(count) * entryBytes <= reader.remaining
        else { return nil }
        var producers: [Int64: ProducerState.Producer] = [:]
        for _ in 0..<count {
            guard let id: Int64 = reader.read(), let epoch: Int16 = reader.read(), let last: Int32 = reader.read(),
                let offset: Int64 = reader.read(), let delta: Int32 = reader.read(), let time: Int64 = reader.read(),
                let coordinator: Int32 = reader.read(), let start: Int64 = reader.read()
            else { return nil }
            let batch = ProducerState.Batch(
                baseSequence: last < 0 ? -1 : Int32((Int64(last) - Int64(delta)) & Int64(Int32.max)),
                lastSequence: last, lastOffset: offset,
                offsetDelta: delta, timestamp: time)
            producers[id] = ProducerState.Producer(
                epoch: epoch, batches: last < 0 ? [] : [batch], arrived: Timestamp(milliseconds: time),
                coordinatorEpoch: coordinator, transactionStart: start)
        }
        guard reader.read() == mark else { return ProducerState(producers: producers) }
        guard let extended: Int32 = reader.read(), extended == count else { return nil }
        for _ in 0..<extended {
            guard let id: Int64 = reader.read(), let arrived: Int64 = reader.read(), let count: UInt8 = reader.read(),
                producers[id] != nil, count <= ProducerState.batchesMax
            else { return nil }
            producers[id]!.arrived = Timestamp(milliseconds: arrived)
            producers[id]!.batches = []
            for _ in 0..<count {
                guard let base: Int32 = reader.read(), let last: Int32 = reader.read(),
                    let offset: Int64 = reader.read(), let delta: Int32 = reader.read(),
                    let time: Int64 = reader.read()
                else { return nil }
                producers[id]!.batches.append(
                    ProducerState.Batch(
                        baseSequence: base, lastSequence: last, lastOffset: offset, offsetDelta: delta, timestamp: time)
                )
            }
        }
        guard let holes = holes(&reader), readMissing(&reader, into: &producers) else { return nil }
        if reader.remaining == 0 { return ProducerState(producers: producers, holes: holes) }
        guard let sums = sums(&reader) else { return nil }
        return ProducerState(producers: producers, holes: holes, abortedSums: sums)
    }

    private static func sums(_ reader: inout BigEndianReader) -> [Int64: AbortedSum]? {
        guard let count: Int32 = reader.read(), count >= 0, Int(count) * 16 <= reader.remaining else { return nil }
        var sums: [Int64: AbortedSum] = [:]
        for _ in 0..<count {
            guard let base: Int64 = reader.read(), let count: Int32 = reader.read(), count > 0,
                let crc: UInt32 = reader.read()
            else { return nil }
            sums[base] = AbortedSum(count: count, crc: crc)
        }
        return sums
    }

    private static func readMissing(
        _ reader: inout BigEndianReader, into producers: inout [Int64: ProducerState.Producer]
    ) -> Bool {
        if reader.remaining == 0 { return true }
        guard let count: Int32 = reader.read(), count >= 0, Int(count) <= producers.count else { return false }
        for _ in 0..<count {
            guard let id: Int64 = reader.read(), let after: Int32 = reader.read(), after >= -1, producers[id] != nil
            else { return false }
            producers[id]!.missingAfter = after
        }
        return true
    }

    private static func holes(_ reader: inout BigEndianReader) -> [Range<Int64>]? {
        if reader.remaining == 0 { return [] }
        guard let count: Int32 = reader.read(), count >= 0, count <= ProducerState.holesMax else { return nil }
        var holes: [Range<Int64>] = []
        for _ in 0..<count {
            guard let from: Int64 = reader.read(), let to: Int64 = reader.read(), from < to else { return nil }
            holes.append(from..<to)
        }
        return holes
    }
}
