import Base
import Records

/// What the log knows of its idempotent producers (KIP-98): the last five batches of each, so that a batch that is sent again is
/// recognised and answered with the offset that it has.
///
/// Unlike Kafka's, this memory survives a restart whole: `<offset>.snapshot` keeps all five batches, and what was written after the
/// snapshot is read again from the batch headers. An entry expires by arrival on this broker, never by the time a record claims.
struct ProducerState: Sendable {
    static let batchesMax = 5

    struct Batch: Equatable, Sendable {
        var baseSequence: Int32
        var lastSequence: Int32
        var lastOffset: Int64
        var offsetDelta: Int32
        var timestamp: Int64

        var baseOffset: Int64 { lastOffset - Int64(offsetDelta) }
    }

    struct Producer: Equatable, Sendable {
        var epoch: Int16
        /// Oldest first, at most five.
        var batches: [Batch]
        /// When its last batch arrived, on this broker's clock.
        var arrived: Timestamp
        var coordinatorEpoch: Int32 = -1
        var transactionStart: Int64 = -1

        var lastSequence: Int32 { batches.last?.lastSequence ?? -1 }
    }

    enum Verdict: Equatable {
        case next
        case duplicate(Batch)
        case refused(AppendError)
    }

    private(set) var producers: [Int64: Producer] = [:]

    /// Judges a client's batch before it is written.
    func verdict(on batch: BatchHeader) -> Verdict {
        guard let producer = producers[batch.producerID.rawValue] else {
            // Never seen, or forgotten: any sequence is taken, as Kafka does; a producer that must be sure asks first.
            return .next
        }
        if batch.producerEpoch.rawValue < producer.epoch {
            return .refused(
                AppendError(
                    .invalidProducerEpoch,
                    "producer \(batch.producerID) has epoch \(producer.epoch), the batch says \(batch.producerEpoch)"))
        }
        if batch.producerEpoch.rawValue > producer.epoch {
            guard batch.baseSequence == 0 || producer.epoch < 0 else {
                return .refused(
                    AppendError(
                        .outOfOrderSequence,
                        "epoch \(batch.producerEpoch) of producer \(batch.producerID) begins with sequence "
                            + "\(batch.baseSequence), 0 expected"))
            }
            return .next
        }
        if let original = producer.batches.last(where: {
            $0.baseSequence == batch.baseSequence && $0.lastSequence == batch.lastSequence
        }) {
            return .duplicate(original)
        }
        guard let last = producer.batches.last else { return .next }
        let expected = BatchHeader.sequence(last.lastSequence, advancedBy: 1)
        guard batch.baseSequence == expected else {
            return .refused(
                AppendError(
                    .outOfOrderSequence,
                    "producer \(batch.producerID) sent sequence \(batch.baseSequence), \(expected) expected"))
        }
        return .next
    }

    /// Takes a batch that stands in the log. Used alike for an append and for a header read again after a start.
    mutating func take(_ batch: BatchHeader, arrived: Timestamp) {
        guard batch.producerID.rawValue >= 0, batch.baseSequence >= 0 || batch.isControl else { return }
        var producer =
            producers[batch.producerID.rawValue]
            ?? Producer(epoch: batch.producerEpoch.rawValue, batches: [], arrived: arrived)
        if batch.producerEpoch.rawValue != producer.epoch {
            // An older epoch in the log is history; the newer one stands.
            guard batch.producerEpoch.rawValue > producer.epoch else { return }
            producer.epoch = batch.producerEpoch.rawValue
            producer.batches = []
        }
        if !batch.isControl {
            producer.batches.append(
                Batch(
                    baseSequence: batch.baseSequence, lastSequence: batch.lastSequence,
                    lastOffset: batch.lastOffset.rawValue,
                    offsetDelta: batch.lastOffsetDelta, timestamp: batch.maxTimestamp.milliseconds))
            if producer.batches.count > Self.batchesMax { producer.batches.removeFirst() }
        }
        producer.arrived = arrived
        producers[batch.producerID.rawValue] = producer
    }

    /// Forgets producers of which nothing arrived since `limit`, and above `countMax` those that were silent longest.
    mutating func expire(notSeenSince limit: Timestamp, countMax: Int) {
        if producers.contains(where: { $0.value.arrived < limit }) {
            producers = producers.filter { $0.value.arrived >= limit }
        }
        guard producers.count > countMax else { return }
        // A sixteenth more than needed, so that a stream of new producers does not sort them at every batch.
        let kept = countMax - countMax / 16
        let youngest = producers.sorted { ($0.value.arrived, $0.key) > ($1.value.arrived, $1.key) }.prefix(kept)
        producers = Dictionary(uniqueKeysWithValues: youngest.map { ($0.key, $0.value) })
    }
}

/// `<offset>.snapshot`: the producer state as of that offset.
///
/// ```
/// | version i16 = 1 | crc u32 (CRC-32C of all that follows) | count i32 | entries …| extension |
/// entry:     | producerID i64 | epoch i16 | lastSequence i32 | lastOffset i64 | offsetDelta i32 | timestamp i64 |
///            | coordinatorEpoch i32 | transactionStart i64 |                                          46 bytes
/// extension: | "MRP1" | count i32 | producers … |
/// producer:  | producerID i64 | arrived i64 | batches u8 | batches … |
/// batch:     | baseSequence i32 | lastSequence i32 | lastOffset i64 | offsetDelta i32 | timestamp i64 |   28 bytes
/// ```
///
/// The entries are Kafka's own, one batch per producer; Kafka sums the whole file and reads no further than its entries, so it takes the
/// file as it is. The extension holds all five. A file without one (Kafka wrote it) gives one batch per producer.
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
        return ProducerState(producers: producers)
    }
}

/// A producer as DescribeProducers shows it (KIP-664).
public struct ProducerSummary: Sendable, Equatable {
    public var producerID: ProducerID
    public var epoch: ProducerEpoch
    public var lastSequence: Int32
    /// The last batch's largest record timestamp.
    public var lastTimestamp: Timestamp
    /// The last offset that it wrote, as far as is known.
    public var lastOffset: Offset
    public var coordinatorEpoch: Int32
    /// Where its open transaction began, or nil.
    public var transactionStart: Offset?
}
