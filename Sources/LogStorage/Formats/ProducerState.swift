import Base
import Records

/// What the log knows of its idempotent producers (KIP-98): the last five batches of each, so that a batch that is sent again is
/// recognised and answered with the offset that it has.
///
/// Unlike Kafka's, this memory survives a restart whole: `<offset>.snapshot` keeps all five batches, and what was written after the
/// snapshot is read again from the batch headers. An entry expires by arrival on this broker, never by the time a record claims.
///
/// Where recovery found a batch damaged and kept those behind it, the producer's sequence has a gap; the batch is taken when it is sent again.
struct ProducerState: Sendable {
    static let batchesMax = 5
    static let holesMax = 64

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
        /// By sequence, at most five.
        var batches: [Batch]
        /// When its last batch arrived, on this broker's clock.
        var arrived: Timestamp
        var coordinatorEpoch: Int32 = -1
        var transactionStart: Int64 = -1
        /// The last sequence before what recovery found missing (−1 where that is its first batch), or nil; until it was sent again, or the
        /// producer went on without it.
        var missingAfter: Int32?

        var lastSequence: Int32 { batches.last?.lastSequence ?? -1 }
    }

    enum Verdict: Equatable {
        case next
        case duplicate(Batch)
        case refused(AppendError)
    }

    private(set) var producers: [Int64: Producer] = [:]
    /// Offsets whose records recovery found damaged, in the log's order; of more than `holesMax` the newest.
    private(set) var holes: [Range<Int64>] = []

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
        guard batch.baseSequence == expected || gap(for: batch, in: producer.batches) != nil else {
            return .refused(
                AppendError(
                    .outOfOrderSequence,
                    "producer \(batch.producerID) sent sequence \(batch.baseSequence), \(expected) expected"))
        }
        return .next
    }

    /// Takes a batch that stands in the log. Used alike for an append (`isNew`) and for a header read again after a start.
    mutating func take(_ batch: BatchHeader, arrived: Timestamp, isNew: Bool = false) {
        if batch.recordCount == 0, !batch.isIdempotent {
            return lose([batch.baseOffset.rawValue..<batch.nextOffset.rawValue])
        }
        guard batch.producerID.rawValue >= 0, batch.baseSequence >= 0 || batch.isControl else { return }
        var producer =
            producers[batch.producerID.rawValue]
            ?? Producer(epoch: batch.producerEpoch.rawValue, batches: [], arrived: arrived)
        if batch.producerEpoch.rawValue != producer.epoch {
            // An older epoch in the log is history; the newer one stands.
            guard batch.producerEpoch.rawValue > producer.epoch else { return }
            producer.epoch = batch.producerEpoch.rawValue
            producer.batches = []
            producer.missingAfter = nil
        }
        if !batch.isControl {
            let place = place(for: batch, in: &producer, isNew: isNew)
            producer.batches.insert(
                Batch(
                    baseSequence: batch.baseSequence, lastSequence: batch.lastSequence,
                    lastOffset: batch.lastOffset.rawValue,
                    offsetDelta: batch.lastOffsetDelta, timestamp: batch.maxTimestamp.milliseconds),
                at: place)
            if producer.batches.count > Self.batchesMax { producer.batches.removeFirst() }
        }
        producer.arrived = arrived
        producers[batch.producerID.rawValue] = producer
    }

    /// Notes that the records at these offsets are gone, and forgets the batches that stood there.
    mutating func lose(_ offsets: [Range<Int64>]) {
        for (id, producer) in producers {
            let isLost = { (batch: Batch) in offsets.contains { $0.contains(batch.baseOffset) } }
            if producer.batches.contains(where: isLost) { producers[id]!.batches.removeAll(where: isLost) }
        }
        let new = offsets.filter { !holes.contains($0) }
        holes = Array((holes + new).sorted { $0.lowerBound < $1.lowerBound }.suffix(Self.holesMax))
    }

    /// Where a batch that stands in the log belongs among those of its producer.
    private func place(for batch: BatchHeader, in producer: inout Producer, isNew: Bool) -> Int {
        guard let last = producer.batches.last else {
            // Holes before its first batch that could have held all sequences from 0 on.
            let lost = lost(between: -1, and: batch.baseOffset.rawValue)
            if !isNew, batch.baseSequence > 0, Int64(batch.baseSequence) <= lost { producer.missingAfter = -1 }
            return 0
        }
        let due = BatchHeader.sequence(last.lastSequence, advancedBy: 1)
        if batch.baseSequence == due {
            if isNew { producer.missingAfter = nil }
        } else if let place = gap(for: batch, in: producer.batches) {
            let before = place > 0 ? producer.batches[place - 1].lastSequence : -1
            if before == producer.missingAfter { producer.missingAfter = nil }
            return place
        } else if producer.missingAfter == nil,
            Self.distance(from: due, to: batch.baseSequence)
                <= lost(between: last.lastOffset, and: batch.baseOffset.rawValue)
        {
            producer.missingAfter = last.lastSequence
        }
        return producer.batches.count
    }

    /// How many offsets holes took behind one offset and before another.
    private func lost(between from: Int64, and to: Int64) -> Int64 {
        holes.reduce(0) { $1.lowerBound > from && $1.upperBound <= to ? $0 + Int64($1.count) : $0 }
    }

    /// Where a batch belongs among those of its producer, if it is one that a hole took: all that is missing between its neighbours must
    /// have been lost in holes that lie between them. Nil for every other batch.
    private func gap(for batch: BatchHeader, in batches: [Batch]) -> Int? {
        if holes.isEmpty { return nil }
        let count = Int64(batch.lastOffsetDelta) + 1
        for (place, behind) in batches.enumerated() {
            // Of the neighbours before it those that were sent again stand behind the hole.
            let from = batches[..<place].map(\.lastOffset).filter { $0 < behind.baseOffset }.max() ?? -1
            let lost = lost(between: from, and: behind.baseOffset)
            let left = Self.distance(from: batch.baseSequence, to: behind.baseSequence)
            guard count <= left, left <= lost else { continue }
            if place > 0 {
                let due = BatchHeader.sequence(batches[place - 1].lastSequence, advancedBy: 1)
                let missing = Self.distance(from: due, to: behind.baseSequence)
                if missing <= lost, left <= missing { return place }
            } else if batches.count < Self.batchesMax {
                return place
            }
        }
        return nil
    }

    /// The last sequence up to which nothing of the producer is known to be missing: what it is told when it asks, so that it sends again from
    /// there on. Nil where its first batches may be what is missing: it is then told that nobody knows it, and looks into the log itself.
    func settledSequence(of producer: Producer) -> Int32? {
        let batches = producer.batches
        if let missingAfter = producer.missingAfter { return missingAfter }
        guard !holes.isEmpty, let first = batches.first else { return producer.lastSequence }
        for (before, behind) in zip(batches, batches.dropFirst()) {
            let due = BatchHeader.sequence(before.lastSequence, advancedBy: 1)
            if due != behind.baseSequence { return before.lastSequence }
        }
        let isWhole = first.baseSequence == 0 || batches.count == Self.batchesMax
        return isWhole || !holes.contains { $0.upperBound <= first.baseOffset } ? producer.lastSequence : nil
    }

    /// How many places `sequence` must go to reach `other`: sequences wrap.
    private static func distance(from sequence: Int32, to other: Int32) -> Int64 {
        (Int64(other) - Int64(sequence)) & Int64(Int32.max)
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
/// extension: | "MRP1" | count i32 | producers … | holes i32 | (from i64, to i64) … | missing i32 | (producerID i64, after i32) … |
/// producer:  | producerID i64 | arrived i64 | batches u8 | batches … |
/// batch:     | baseSequence i32 | lastSequence i32 | lastOffset i64 | offsetDelta i32 | timestamp i64 |   28 bytes
/// ```
///
/// The entries are Kafka's own, one batch per producer; Kafka sums the whole file and reads no further than its entries, so it takes the
/// file as it is. The extension holds all five, the holes, and after which sequence something is missing of a producer (files of older versions
/// end earlier). A file without one (Kafka wrote it) gives one batch per producer.
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
        return ProducerState(producers: producers, holes: holes)
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
