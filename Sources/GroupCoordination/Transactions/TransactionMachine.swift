import Base
import KafkaWire

/// One transactional id: events in, decisions out. No I/O, no clock (KIP-98, KIP-360, KIP-890).
///
/// ```
/// Empty ──▶ Ongoing ──▶ PrepareCommit ──▶ CompleteCommit ─┐
///   ▲          └──────▶ PrepareAbort  ──▶ CompleteAbort ──┤ (from here on to Ongoing again)
///   └── InitProducerId, epoch + 1 ◀────────────────────────┘
/// ```
///
/// Invariants: one change at a time is on its way to the log, and nothing is believed, answered or written elsewhere before it is there; a
/// decided transaction is never decided otherwise; markers are written only once the decision is durable, and the next transaction
/// begins only once they all are; an epoch never goes back for a producer id.
public struct TransactionMachine: Sendable {
    public enum Decision: Sendable, Equatable {
        /// Nothing changes.
        case refuse(ErrorCode)
        /// Nothing changes: it is so already.
        case answer(TransactionEntry)
        /// Write the entry, then call `written`. The request is answered when it is in the log, with `error` where that is not `.none`.
        case write(TransactionEntry, error: ErrorCode = .none)
    }

    /// The largest epoch that a producer gets; one more is kept for fencing it.
    static let epochMax = Int16.max - 1

    /// As of the last change that is in the log; nil for an id that has none yet.
    public private(set) var entry: TransactionEntry?
    /// What is on its way to the log.
    public private(set) var pending: TransactionEntry?
    /// Its tombstone is on its way to the log.
    public private(set) var isExpiring = false

    public init(restoring entry: TransactionEntry? = nil) { self.entry = entry }

    // MARK: The log

    /// The change that was on its way is in the log.
    public mutating func written() {
        entry = pending ?? entry
        pending = nil
    }

    /// It is not; all is as before.
    public mutating func notWritten() {
        pending = nil
        isExpiring = false
    }

    private mutating func write(_ next: TransactionEntry, error: ErrorCode = .none) -> Decision {
        pending = next
        return .write(next, error: error)
    }

    // MARK: InitProducerId

    /// - Parameters:
    ///   - expected: the producer's own id and epoch, where it goes on after an error (KIP-360).
    ///   - newID: one that was never given before.
    public mutating func initReceived(
        timeout: Duration, expected: (id: ProducerID, epoch: ProducerEpoch)?, newID: ProducerID, now: Timestamp
    ) -> Decision {
        guard pending == nil else { return .refuse(.concurrentTransactions) }
        guard let entry else {
            let fresh = TransactionEntry(
                producerID: newID, epoch: ProducerEpoch(0), timeout: timeout, status: .empty, updatedAt: now)
            return write(fresh)
        }
        if let expected, expected.id != entry.producerID {
            let isUsedUp = expected.id == entry.previousID && expected.epoch.rawValue >= Self.epochMax
            guard isUsedUp else { return .refuse(.producerFenced) }
        }
        if let expected, expected.id == entry.producerID, expected.epoch != entry.epoch,
            expected.epoch != entry.lastEpoch
        {
            return .refuse(.producerFenced)
        }
        switch entry.status {
        case .prepareCommit, .prepareAbort, .dead, .prepareEpochFence: return .refuse(.concurrentTransactions)
        case .ongoing: return write(abortFencing(entry, now: now), error: .concurrentTransactions)
        case .empty, .completeCommit, .completeAbort: break
        }
        var next = entry
        next.status = .empty
        next.partitions = []
        next.startedAt = .none
        next.timeout = timeout
        next.updatedAt = now
        if let expected, expected.id == entry.producerID, expected.epoch != entry.epoch {
            // Asked again, the answer was lost: it stands.
            return write(next)
        }
        if let expected, expected.id == entry.previousID, expected.id != entry.producerID { return write(next) }
        if entry.epoch.rawValue >= Self.epochMax {
            next.previousID = entry.producerID
            next.producerID = newID
            next.epoch = ProducerEpoch(0)
            next.lastEpoch = .none
        } else {
            next.lastEpoch = expected == nil ? .none : entry.epoch
            next.epoch = ProducerEpoch(entry.epoch.rawValue + 1)
        }
        return write(next)
    }

    // MARK: Adding partitions

    /// Why the producer may not write now, or `.none`.
    private func refusal(_ id: ProducerID, _ epoch: ProducerEpoch) -> ErrorCode {
        guard let entry, entry.producerID == id else { return .invalidProducerIdMapping }
        if entry.epoch != epoch { return .producerFenced }
        if pending != nil || entry.status.isPreparing { return .concurrentTransactions }
        return entry.status == .dead || entry.status == .prepareEpochFence ? .invalidProducerIdMapping : .none
    }

    public mutating func partitionsAdded(
        _ partitions: Set<TopicPartition>, id: ProducerID, epoch: ProducerEpoch, clientVersion: Int16, now: Timestamp
    ) -> Decision {
        let refused = refusal(id, epoch)
        guard refused == .none, let entry else { return .refuse(refused) }
        if entry.status == .ongoing, partitions.isSubset(of: entry.partitions) { return .answer(entry) }
        var next = entry
        if entry.status != .ongoing {
            next.startedAt = now
            next.partitions = []
        }
        next.status = .ongoing
        next.partitions.formUnion(partitions)
        next.updatedAt = now
        next.clientVersion = clientVersion
        return write(next)
    }

    /// Whether the producer's open transaction covers the partition, so that it may write there: `.none`, or why not.
    public func verified(_ partition: TopicPartition, id: ProducerID, epoch: ProducerEpoch) -> ErrorCode {
        guard let entry, entry.producerID == id else { return .invalidProducerIdMapping }
        if entry.epoch != epoch { return .producerFenced }
        if entry.status.isPreparing || pending.map({ $0.status.isPreparing }) ?? false {
            return .concurrentTransactions
        }
        return entry.status == .ongoing && entry.partitions.contains(partition) ? .none : .invalidTxnState
    }

    // MARK: EndTxn

    /// - Parameters:
    ///   - raisesEpoch: from EndTxn v5 on (KIP-890): the next transaction has the next epoch, so that nothing late can get into it.
    ///   - newID: for a producer whose epochs are used up.
    public mutating func endReceived(
        commits: Bool, id: ProducerID, epoch: ProducerEpoch, raisesEpoch: Bool, newID: ProducerID, now: Timestamp
    ) -> Decision {
        guard let entry else { return .refuse(.invalidProducerIdMapping) }
        let done: TransactionStatus = commits ? .completeCommit : .completeAbort
        let doing: TransactionStatus = commits ? .prepareCommit : .prepareAbort
        if raisesEpoch, isAnswered(entry, id: id, epoch: epoch) {
            // The answer to the end that raised the epoch was lost.
            if pending != nil || entry.status == doing { return .refuse(.concurrentTransactions) }
            return entry.status == done ? .answer(entry) : .refuse(.producerFenced)
        }
        guard entry.producerID == id else { return .refuse(.invalidProducerIdMapping) }
        guard entry.epoch == epoch else { return .refuse(.producerFenced) }
        guard pending == nil else { return .refuse(.concurrentTransactions) }
        switch entry.status {
        case .ongoing:
            return write(prepared(entry, commits: commits, raisesEpoch: raisesEpoch, newID: newID, now: now))
        case .completeCommit, .completeAbort, .empty:
            if raisesEpoch {
                // Nothing was written. An abort still raises the epoch, for the client can't tell.
                guard !commits else { return .refuse(.invalidTxnState) }
                return write(prepared(entry, commits: false, raisesEpoch: true, newID: newID, now: now))
            }
            return entry.status == done ? .answer(entry) : .refuse(.invalidTxnState)
        case .prepareCommit, .prepareAbort:
            return .refuse(entry.status == doing ? .concurrentTransactions : .invalidTxnState)
        case .dead, .prepareEpochFence: return .refuse(.invalidProducerIdMapping)
        }
    }

    /// The epoch before the one that stands, or the last one of the id before: the producer has not heard of the new one.
    private func isAnswered(_ entry: TransactionEntry, id: ProducerID, epoch: ProducerEpoch) -> Bool {
        guard entry.clientVersion >= 2 else { return false }
        if id == entry.producerID { return entry.epoch.rawValue > 0 && epoch.rawValue == entry.epoch.rawValue - 1 }
        return id == entry.previousID && entry.epoch.rawValue == 0 && epoch.rawValue >= Self.epochMax
    }

    private func prepared(
        _ entry: TransactionEntry, commits: Bool, raisesEpoch: Bool, newID: ProducerID, now: Timestamp
    ) -> TransactionEntry {
        var next = entry
        if entry.status != .ongoing {
            next.partitions = []
            next.startedAt = now
        }
        next.status = commits ? .prepareCommit : .prepareAbort
        next.updatedAt = now
        next.clientVersion = raisesEpoch ? 2 : 0
        if raisesEpoch {
            if entry.epoch.rawValue >= Self.epochMax { next.nextID = newID }
            next.lastEpoch = entry.epoch
            next.epoch = ProducerEpoch(entry.epoch.rawValue + 1)
        }
        return next
    }

    /// Aborts and fences: the producer that comes late has an old epoch.
    private func abortFencing(_ entry: TransactionEntry, now: Timestamp) -> TransactionEntry {
        var next = entry
        next.status = .prepareAbort
        next.updatedAt = now
        next.lastEpoch = .none
        if entry.epoch.rawValue < Int16.max { next.epoch = ProducerEpoch(entry.epoch.rawValue + 1) }
        return next
    }

    /// What the producer goes on with after an end that raised its epoch.
    public static func identity(after entry: TransactionEntry) -> (id: ProducerID, epoch: ProducerEpoch) {
        entry.nextID == .none ? (entry.producerID, entry.epoch) : (entry.nextID, ProducerEpoch(0))
    }

    /// Every marker of the decided transaction is in its partition.
    public mutating func markersWritten(now: Timestamp) -> Decision {
        guard let entry, entry.status.isPreparing, pending == nil else { return .refuse(.concurrentTransactions) }
        var next = entry
        next.status = entry.status == .prepareCommit ? .completeCommit : .completeAbort
        next.partitions = []
        next.updatedAt = now
        if entry.nextID != .none {
            next.previousID = entry.producerID
            (next.producerID, next.epoch) = Self.identity(after: entry)
            next.nextID = .none
            next.lastEpoch = .none
        }
        return write(next)
    }

    // MARK: Time

    /// Aborts a transaction that was open longer than its producer asked for.
    public mutating func timeoutDue(now: Timestamp) -> Decision? {
        guard let entry, pending == nil, entry.status == .ongoing, entry.startedAt + entry.timeout < now else {
            return nil
        }
        return write(abortFencing(entry, now: now))
    }

    /// True where nothing came for `expiration`: write a tombstone, then `written` and forget it.
    public mutating func expires(after expiration: Duration, now: Timestamp) -> Bool {
        guard let entry, pending == nil, !isExpiring, entry.updatedAt + expiration <= now else { return false }
        switch entry.status {
        case .empty, .completeCommit, .completeAbort: break
        case .ongoing, .prepareCommit, .prepareAbort, .dead, .prepareEpochFence: return false
        }
        isExpiring = true
        pending = entry
        pending?.status = .dead
        return true
    }
}
