import Base
import NIOCore
import Synchronization
import SystemPackage

/// A place in a log: an offset, and where its batch begins.
struct LogPosition: Equatable, Sendable {
    var offset: Offset
    /// Base offset of the segment.
    var segment: Offset
    var position: Int64
}

/// The log of one partition: its segments, its producers, its leader epochs, and how far it is durable and visible.
///
/// All calls block and may come from any thread. Four offsets, ascending:
///
/// ```
/// logStartOffset ≤ … ≤ lastStableOffset ≤ highWatermark ≤ logEndOffset
///                              durableOffset ─────┘ at durability fsync
/// ```
///
/// - `logStartOffset`: the first that can be read;
/// - `highWatermark`: consumers read below it. It follows `durableOffset` at durability `fsync`, else `logEndOffset`;
/// - `durableOffset`: all below it survives a power cut;
/// - `logEndOffset`: the offset of the next record.
public final class PartitionLog: Sendable {
    struct State: Sendable {
        var config: LogConfig
        /// Ascending, never empty; the last one is written.
        var segments: [Segment]
        var logStart: Offset
        var end: LogPosition
        var durable: LogPosition
        var highWatermark: LogPosition
        /// False where only the offset of the high watermark is known.
        var highWatermarkIsPlaced = true
        var visibility = Visibility.followsLog
        var producers: ProducerState
        /// Transactions whose markers are not visible yet, in the order of the markers: until then they count as undecided.
        var deciding: [(first: Offset, last: Offset)] = []
        /// A transaction was aborted whose records may be in the log.
        var hasAborted = false
        var epochs: LeaderEpochCache
        /// Names were made or renamed since the folder was synced.
        var folderIsDirty = false
        /// Deleted segments whose files still have their names, oldest first.
        var condemned: [Segment] = []
        /// Files under their `.deleted` names, and when they go.
        var deleted: [(paths: [FilePath], after: Timestamp)] = []
        /// Up to where the log was compacted.
        var cleanedTo: Offset = .zero
        /// The active segment and its indexes stand in their files: nothing was appended or cut since a clean start read them.
        var isSettled = false
        var offlineReason: String?
        var isClosed = false
        var lastFlush = Timestamp.none
        /// What the last upkeep failed with.
        var complaint: String?
    }

    /// Who moves the high watermark.
    public enum Visibility: Sendable {
        /// It follows what is kept at the log's durability level: one replica.
        case followsLog
        /// Only `advanceHighWatermark` moves it: a leader that counts its replicas, or a follower.
        case advancedByCaller
    }

    public let partition: TopicPartition
    public let topicID: TopicID
    /// The partition's folder.
    public var path: FilePath { folder.path }
    /// The log directory that it stands in.
    public var directory: FilePath { shared.folder.path }
    let folder: Folder
    let shared: LogShared
    let durablePoint: DurablePoint
    let state: Mutex<State>
    /// Held while flushing or cutting, taken before `state`.
    let flushing = Mutex(())
    /// Held by retention, compaction and deletion, taken before `flushing`.
    let maintenance = Mutex(())
    private let watcher = Mutex<(@Sendable (PartitionLog) -> Void)?>(nil)

    init(
        _ partition: TopicPartition, topicID: TopicID, folder: Folder, shared: LogShared, durablePoint: DurablePoint,
        state: State
    ) {
        self.partition = partition
        self.topicID = topicID
        self.folder = folder
        self.shared = shared
        self.durablePoint = durablePoint
        self.state = Mutex(state)
    }

    /// The topic's settings; a change counts from the next append on.
    public var config: LogConfig {
        get { state.withLock { $0.config } }
        set {
            let advanced = state.withLock { state in
                state.config = newValue
                return Self.followLog(&state)
            }
            if advanced { announce() }
        }
    }

    public var logStartOffset: Offset { state.withLock { $0.logStart } }
    public var logEndOffset: Offset { state.withLock { $0.end.offset } }
    public var durableOffset: Offset { state.withLock { $0.durable.offset } }
    public var highWatermark: Offset { state.withLock { $0.highWatermark.offset } }
    /// Below it every transaction is decided, and its marker visible: the first offset of the oldest that is not, else the high watermark.
    public var lastStableOffset: Offset { state.withLock { $0.lastStable } }

    /// How far the log is kept at its durability level: an append may be acknowledged once this has reached its `nextOffset`.
    public var ackOffset: Offset {
        state.withLock { $0.config.durability == .fsync ? $0.durable.offset : $0.end.offset }
    }

    /// Bytes of all segments.
    public var byteCount: Int64 { state.withLock { $0.segments }.reduce(0) { $0 + $1.size } }

    public var segmentCount: Int { state.withLock { $0.segments.count } }

    /// Why nothing can be appended or read, or nil.
    public var offlineReason: String? { state.withLock { $0.offlineReason } ?? shared.health.reason }

    /// Called, on the thread that moved it and outside all locks, after the high watermark has advanced. It must not block.
    public func whenHighWatermarkAdvances(_ body: (@Sendable (PartitionLog) -> Void)?) {
        watcher.withLock { $0 = body }
    }

    /// Says who moves the high watermark. The default is `.followsLog`.
    public func setVisibility(_ visibility: Visibility) {
        let advanced = state.withLock { state in
            state.visibility = visibility
            return Self.followLog(&state)
        }
        if advanced { announce() }
    }

    /// Moves the high watermark up to `offset`, at most to the log's end; never back.
    public func advanceHighWatermark(to offset: Offset) {
        let advanced = state.withLock { state in
            let target = min(offset, state.end.offset)
            guard target > state.highWatermark.offset else { return false }
            state.highWatermarkIsPlaced = target == state.end.offset
            state.highWatermark = state.highWatermarkIsPlaced ? state.end : state.highWatermark
            state.highWatermark.offset = target
            state.forgetVisible()
            return true
        }
        if advanced { announce() }
    }

    /// Moves the high watermark where the durability level lets it. True where it advanced.
    static func followLog(_ state: inout State) -> Bool {
        defer { state.forgetVisible() }
        guard state.visibility == .followsLog else { return false }
        let target = state.config.durability == .fsync ? state.durable : state.end
        guard target.offset >= state.highWatermark.offset else { return false }
        let advanced = target.offset > state.highWatermark.offset
        state.highWatermark = target
        state.highWatermarkIsPlaced = true
        return advanced
    }

    func announce() { watcher.withLock { $0 }?(self) }

    // MARK: - Leader epochs and producers

    /// The epoch of the newest batch, or nil in a log that never had one.
    public var latestEpoch: LeaderEpoch? { state.withLock { $0.epochs.latest } }

    /// The largest epoch at or below `epoch` that this log knows, and the offset at which it ended (KIP-101, KIP-279). Nil where it knows none.
    public func endOffset(for epoch: LeaderEpoch) -> (epoch: LeaderEpoch, endOffset: Offset)? {
        state.withLock { $0.epochs.endOffset(for: epoch, logEnd: $0.end.offset) }
    }

    /// The leader epoch of the record at an offset.
    public func epoch(at offset: Offset) -> LeaderEpoch? { state.withLock { $0.epochs.epoch(at: offset) } }

    /// The producers that the log remembers, by id. Where recovery found some of a producer's batches damaged, its last sequence is the one
    /// before them until it sent them again.
    public func producers() -> [ProducerSummary] {
        let known = state.withLock { $0.producers }
        return known.producers.compactMap { id, producer in
            guard let lastSequence = known.settledSequence(of: producer) else { return nil }
            return ProducerSummary(
                producerID: ProducerID(id), epoch: ProducerEpoch(producer.epoch), lastSequence: lastSequence,
                lastTimestamp: Timestamp(milliseconds: producer.batches.last?.timestamp ?? -1),
                lastOffset: Offset(producer.batches.last?.lastOffset ?? -1),
                coordinatorEpoch: producer.coordinatorEpoch,
                transactionStart: producer.transactionStart < 0 ? nil : Offset(producer.transactionStart))
        }
        .sorted { $0.producerID < $1.producerID }
    }

    // MARK: - Durability

    /// Makes all that was appended before the call durable and gives the offset below which it is. One `fdatasync` serves every append that
    /// came before it began: callers that waited for a running flush and find their records durable return at once.
    ///
    /// A flush that failed takes the whole log directory offline and is never tried again: the pages may be gone.
    public func flush() throws(FileError) -> Offset {
        let wanted = logEndOffset
        let (durable, advanced) = try flushing.withLock { _ throws(FileError) in
            let already = state.withLock { $0.folderIsDirty ? nil : $0.durable.offset }
            if let already, already >= wanted { return (already, false) }
            return try syncAll()
        }
        if advanced { announce() }
        return durable
    }

    /// Syncs every segment past the durable offset, and the folder. Called with `flushing` held.
    private func syncAll() throws(FileError) -> (Offset, advanced: Bool) {
        if let reason = offlineReason { throw FileError(.inputOutput, .sync, path, detail: "offline: \(reason)") }
        let work = state.withLock { state -> (ArraySlice<Segment>, LogPosition, Bool)? in
            if state.isClosed { return nil }
            let first = state.segments.lastIndex { $0.baseOffset <= state.durable.segment } ?? 0
            defer { state.folderIsDirty = false }
            return (state.segments[first...], state.end, state.folderIsDirty)
        }
        // Closed, and its folder perhaps deleted: no flaw of the disk.
        guard let (segments, end, folderIsDirty) = work else {
            throw FileError(.closed, .sync, path, detail: "the log was closed")
        }
        do throws(FileError) {
            for segment in segments { try segment.sync() }
            if folderIsDirty { try shared.fileSystem.syncDirectory(path) }
        } catch {
            shared.health.fail("a flush of \(partition) failed: \(error)")
            throw error
        }
        let advanced = state.withLock { state in
            state.durable = end
            state.lastFlush = shared.time.wallTime
            return Self.followLog(&state)
        }
        durablePoint.raise(to: end.offset)
        return (end.offset, advanced)
    }

    /// Takes the log out of service; its files stay.
    func close() { state.withLock { $0.isClosed = true } }
}
