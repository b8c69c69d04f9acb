import Base
import Records

// Which transactions are undecided, and which were aborted (KIP-98).
//
// A transaction is undecided from its first batch until its marker is below the high watermark. `read_committed` readers see up to the first such
// offset; of what they see, the aborted transactions tell them which records to leave out.

extension PartitionLog.State {
    /// See `PartitionLog.lastStableOffset`.
    var lastStable: Offset {
        var stable = highWatermark.offset
        if let first = producers.firstOpen { stable = min(stable, Offset(first)) }
        for transaction in deciding { stable = min(stable, transaction.first) }
        return max(stable, min(logStart, highWatermark.offset))
    }

    /// Forgets transactions whose markers have become visible.
    mutating func forgetVisible() {
        while let first = deciding.first, first.last < highWatermark.offset { deciding.removeFirst() }
    }

    /// Takes a batch that was added to the last segment.
    mutating func note(_ batch: BatchHeader, marker: TransactionMarker?, arrived: Timestamp) {
        guard let completed = producers.take(batch, marker: marker, arrived: arrived, isNew: true) else { return }
        deciding.append((Offset(completed.firstOffset), Offset(completed.lastOffset)))
        guard let entry = completed.abortedEntry else { return }
        segments[segments.count - 1].added(entry)
        hasAborted = true
    }

    /// The producers with the sums of the segments' `.txnindex` files, for a snapshot.
    var summedProducers: ProducerState {
        var producers = producers
        producers.abortedSums = hasAborted ? Self.abortedSums(segments) : [:]
        return producers
    }

    static func abortedSums(_ segments: [Segment]) -> [Int64: AbortedSum] {
        var sums: [Int64: AbortedSum] = [:]
        for segment in segments {
            let sum = segment.abortedSum
            if sum.count > 0 { sums[segment.baseOffset.rawValue] = sum }
        }
        return sums
    }
}

extension Segment {
    /// See `AbortedIndex.collect`.
    func collectAborted(
        from start: Offset, to end: Offset, into found: inout [AbortedTransaction]
    ) throws(FileError) -> Bool {
        try state.withLock { state throws(FileError) in
            try state.aborted.collect(from: start, to: end, into: &found, fileSystem)
        }
    }
}
