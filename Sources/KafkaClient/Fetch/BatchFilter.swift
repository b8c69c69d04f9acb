import Base
import KafkaWire
import Records

/// Tells the batches that a reader is to see from those it is not: control batches, and with `readCommitted` those of aborted transactions (KIP-98).
///
/// The broker names, for the range it sends, each aborted transaction's producer and first offset; the transaction ends at its abort marker.
struct BatchFilter {
    private var aborted: ArraySlice<(producer: ProducerID, firstOffset: Offset)>
    private var aborting: Set<ProducerID> = []

    /// - Parameter aborted: none where the reader wants uncommitted records too.
    init(aborted: [FetchResponse.AbortedTransaction]) {
        self.aborted =
            aborted.map { (ProducerID($0.producerId), Offset($0.firstOffset)) }
            .sorted { $0.1 < $1.1 }[...]
    }

    /// Whether the batch has records for the reader. Batches come in offset order.
    mutating func accepts(_ batch: RecordBatch) throws(RecordError) -> Bool {
        while let next = aborted.first, next.firstOffset <= batch.lastOffset {
            aborting.insert(next.producer)
            aborted = aborted.dropFirst()
        }
        if batch.isControl {
            if aborting.contains(batch.producerID), try Self.isAbortMarker(batch) { aborting.remove(batch.producerID) }
            return false
        }
        return !(batch.isTransactional && aborting.contains(batch.producerID))
    }

    /// The key of a control record is | version i16 | type i16: 0 abort, 1 commit |.
    private static func isAbortMarker(_ batch: RecordBatch) throws(RecordError) -> Bool {
        var records = try batch.records(decompressedMax: .mib(1))
        guard let key = try records.next()?.key else { return false }
        return key.getInteger(at: key.readerIndex + 2, as: Int16.self) == 0
    }
}

/// What of a partition's fetched bytes is for the reader, and where it goes on.
struct BatchReading {
    var batches: [RecordBatch] = []
    var nextOffset: Offset
    /// Of the last batch; `.none` where there is none.
    var lastEpoch = LeaderEpoch.none

    /// Cuts the bytes into batches; a batch that is cut short at the end is left for the next fetch.
    ///
    /// - Throws: a batch that fails its CRC or is none.
    init(
        _ data: FetchResponse.PartitionData, from start: Offset, isolation: IsolationLevel, checksCRC: Bool
    ) throws(RecordError) {
        nextOffset = start
        guard let bytes = data.records?.bytes, bytes.readableBytes > 0 else { return }
        let aborted: [FetchResponse.AbortedTransaction] =
            switch isolation {
            case .readCommitted: data.abortedTransactions ?? []
            case .readUncommitted: []
            }
        var filter = BatchFilter(aborted: aborted)
        var cursor = RecordBatchCursor(bytes)
        while let batch = try cursor.next() {
            // Before the filter, for it believes the batch.
            if checksCRC { try batch.checkCRC() }
            let isWanted = try filter.accepts(batch)
            guard batch.lastOffset >= start else { continue }
            if isWanted { batches.append(batch) }
            nextOffset = batch.nextOffset
            lastEpoch = batch.partitionLeaderEpoch
        }
    }
}
