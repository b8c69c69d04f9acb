import Base
import KafkaClient

/// Up to when everything that the sources had written was acknowledged; what completeness of an hour is judged by.
///
///     marking → reading (until each stream was read to where it ended at the mark) → handing over → sealing → acknowledging → the mark is the watermark
///
/// One mark is on its way at a time, so it lags by a status interval or two. What nobody has seen yet (a file that no notification and no scan told of, an
/// entry on its way through the journal) is not covered: whoever uses the watermark allows for some lateness.
struct Watermark {
    private enum State: Equatable {
        case idle
        case reading(Timestamp, ends: [StreamID: Int64])
        /// Everything was read; a block may not be in a batch yet.
        case handing(Timestamp)
        /// Everything is in batches that were open at `since`, or sealed.
        case sealing(Timestamp, since: Instant)
        /// Everything is in batches before this one.
        case acknowledging(Timestamp, before: BatchID)
    }

    /// Where the agent's work is between its inputs and the broker.
    struct Progress {
        /// A block was read and isn't in a batch to its end.
        var holdsBlock: Bool
        /// Since when the oldest batch is open; nil where none is.
        var oldestOpen: Instant?
        /// The oldest batch that isn't acknowledged; nil where none is.
        var oldestPending: BatchID?
        /// The next batch will have this number.
        var nextBatch: BatchID
    }

    private var state = State.idle
    /// Nil until the first mark was acknowledged.
    private(set) var value: Timestamp?

    /// True where `turned` has to be told of progress.
    var isWaitingForBatches: Bool {
        switch state {
        case .idle, .reading: false
        case .handing, .sealing, .acknowledging: true
        }
    }

    /// The streams were looked at. To be called now and then, between turns.
    /// - Parameter isBehind: an input can't tell yet what waits to be read.
    mutating func observed(_ streams: [StreamStatus], isBehind: Bool, wallTime: Timestamp) {
        if isBehind { return state = .idle }
        if case .idle = state {
            let ends = streams.map { ($0.stream, $0.offset + ($0.unread ?? 0)) }
            state = .reading(wallTime, ends: Dictionary(ends) { max($0, $1) })
        }
        guard case .reading(let mark, let ends) = state else { return }
        // A stream that is gone was read to its end.
        let isRead = streams.allSatisfy { stream in ends[stream.stream].map { stream.offset >= $0 } ?? true }
        if isRead { state = .handing(mark) }
    }

    mutating func turned(_ progress: Progress, now: Instant) {
        if case .handing(let mark) = state, !progress.holdsBlock { state = .sealing(mark, since: now) }
        if case .sealing(let mark, let since) = state, progress.oldestOpen.map({ $0 > since }) ?? true {
            state = .acknowledging(mark, before: progress.nextBatch)
        }
        if case .acknowledging(let mark, let before) = state, progress.oldestPending.map({ $0 >= before }) ?? true {
            value = max(value ?? mark, mark)
            state = .idle
        }
    }
}
