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

    /// A transaction of which the marker has come.
    struct Completed: Equatable, Sendable {
        var producerID: Int64
        var firstOffset: Int64
        /// Of the marker.
        var lastOffset: Int64
        var commits: Bool
        /// Where the log is stable now that this one is decided.
        var lastStableOffset: Int64

        var abortedEntry: AbortedEntry? {
            if commits { return nil }
            return AbortedEntry(
                producerID: producerID, firstOffset: firstOffset, lastOffset: lastOffset,
                lastStableOffset: lastStableOffset)
        }
    }

    private(set) var producers: [Int64: Producer] = [:]
    /// The open transactions, by the offset at which each began.
    private(set) var open: [(start: Int64, producerID: Int64)] = []
    /// What the `.txnindex` files hold, by segment, as of the snapshot that this state was read from or is written to; nil where that is not known.
    var abortedSums: [Int64: AbortedSum]?
    /// Offsets whose records recovery found damaged, in the log's order; of more than `holesMax` the newest.
    private(set) var holes: [Range<Int64>] = []

    init() {}

    init(producers: [Int64: Producer], holes: [Range<Int64>] = [], abortedSums: [Int64: AbortedSum]? = nil) {
        self.producers = producers
        self.holes = holes
        self.abortedSums = abortedSums
        open = producers.compactMap { $1.transactionStart < 0 ? nil : ($1.transactionStart, $0) }
            .sorted { $0.start < $1.start }
    }

    /// Where the oldest open transaction began, or nil.
    var firstOpen: Int64? { open.first?.start }

    /// Judges a marker of this broker's transaction coordinator before it is written.
    func verdict(on marker: TransactionMarker, _ batch: BatchHeader) -> Verdict {
        guard let producer = producers[batch.producerID.rawValue] else { return .next }
        if batch.producerEpoch.rawValue < producer.epoch {
            return .refused(
                AppendError(
                    .invalidProducerEpoch,
                    "producer \(batch.producerID) has epoch \(producer.epoch), the marker says \(batch.producerEpoch)"))
        }
        if marker.coordinatorEpoch < producer.coordinatorEpoch {
            return .refused(
                AppendError(
                    .coordinatorFenced,
                    "a coordinator of epoch \(producer.coordinatorEpoch) wrote for producer \(batch.producerID), this one "
                        + "has \(marker.coordinatorEpoch)"))
        }
        return .next
    }

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
        if producer.transactionStart >= 0, !batch.isTransactional {
            return .refused(
                AppendError(
                    .invalidTxnState,
                    "producer \(batch.producerID) has a transaction open since offset \(producer.transactionStart), the "
                        + "batch is of none"))
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

    /// Takes a batch that stands in the log, with the marker that it holds. Used alike for an append (`isNew`) and for a header read again
    /// after a start. Gives the transaction that the marker ended.
    @discardableResult
    mutating func take(
        _ batch: BatchHeader, marker: TransactionMarker? = nil, arrived: Timestamp, isNew: Bool = false
    ) -> Completed? {
        if batch.recordCount == 0, !batch.isIdempotent {
            lose([batch.baseOffset.rawValue..<batch.nextOffset.rawValue])
            return nil
        }
        // A group coordinator writes into transactions without sequences.
        let counts = batch.isControl ? marker != nil : batch.baseSequence >= 0 || batch.isTransactional
        guard batch.producerID.rawValue >= 0, counts else { return nil }
        var producer =
            producers[batch.producerID.rawValue]
            ?? Producer(epoch: batch.producerEpoch.rawValue, batches: [], arrived: arrived)
        if batch.producerEpoch.rawValue != producer.epoch {
            // An older epoch in the log is history; the newer one stands.
            guard batch.producerEpoch.rawValue > producer.epoch else { return nil }
            producer.epoch = batch.producerEpoch.rawValue
            producer.batches = []
            producer.missingAfter = nil
        }
        if batch.baseSequence >= 0, !batch.isControl {
            let place = place(for: batch, in: &producer, isNew: isNew)
            producer.batches.insert(
                Batch(
                    baseSequence: batch.baseSequence, lastSequence: batch.lastSequence,
                    lastOffset: batch.lastOffset.rawValue,
                    offsetDelta: batch.lastOffsetDelta, timestamp: batch.maxTimestamp.milliseconds),
                at: place)
            if producer.batches.count > Self.batchesMax { producer.batches.removeFirst() }
        }
        if !batch.isControl {
            // Without records it stands for what compaction removed: of a transaction that was decided.
            if batch.isTransactional, producer.transactionStart < 0, batch.recordCount > 0 {
                producer.transactionStart = batch.baseOffset.rawValue
                let place = open.lastIndex { $0.start < producer.transactionStart }.map { $0 + 1 } ?? 0
                open.insert((producer.transactionStart, batch.producerID.rawValue), at: place)
            }
        }
        var completed: Completed?
        if let marker {
            producer.coordinatorEpoch = max(producer.coordinatorEpoch, marker.coordinatorEpoch)
            if producer.transactionStart >= 0 {
                open.removeAll { $0.producerID == batch.producerID.rawValue }
                completed = Completed(
                    producerID: batch.producerID.rawValue, firstOffset: producer.transactionStart,
                    lastOffset: batch.lastOffset.rawValue, commits: marker.commits,
                    lastStableOffset: firstOpen ?? batch.nextOffset.rawValue)
                producer.transactionStart = -1
            }
        }
        producer.arrived = arrived
        producers[batch.producerID.rawValue] = producer
        return completed
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

    /// Forgets producers of which nothing arrived since `limit`, and above `countMax` those that were silent longest; none that has a transaction open.
    mutating func expire(notSeenSince limit: Timestamp, countMax: Int) {
        if producers.contains(where: { $0.value.arrived < limit && $0.value.transactionStart < 0 }) {
            producers = producers.filter { $0.value.arrived >= limit || $0.value.transactionStart >= 0 }
        }
        guard producers.count > countMax else { return }
        // A sixteenth more than needed, so that a stream of new producers does not sort them at every batch.
        let kept = countMax - countMax / 16
        let youngest = producers.sorted { ($0.value.arrived, $0.key) > ($1.value.arrived, $1.key) }.prefix(kept)
        let busy = open.compactMap { open in producers[open.producerID].map { (open.producerID, $0) } }
        producers = Dictionary(youngest.map { ($0.key, $0.value) } + busy) { first, _ in first }
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
