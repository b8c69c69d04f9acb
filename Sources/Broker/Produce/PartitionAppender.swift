import Base
import LogStorage
import NIOCore
import Synchronization
import Telemetry

/// Appends to partitions: one hop to the partition's lane, and an answer once the bytes are as safe as the topic asks.
///
/// Whoever writes goes through here, clients and coordinators alike, so that waiting fetches hear of everything that becomes readable.
final class PartitionAppender: Sendable {
    struct Item: Sendable {
        var partition: Partition
        var batches: ByteBuffer
        /// Asked on the thread that writes, right before it does: why the batches may not be written any more, or nil. What it reads must be changed
        /// before whatever it guards against is queued behind this append.
        var refusal: (@Sendable () -> AppendError?)?
    }

    enum Failure: Error, Sendable {
        case refused(AppendError)
        /// The topic was deleted before its turn came: nothing was written.
        case deleted
        /// Too much waits for the disk: nothing was written, and the sender may try again.
        case turnedAway
        /// Written, but not known to be on the disk, and never to be known.
        case notDurable(FileError)
    }

    typealias Outcome = Result<AppendResult, Failure>

    private let flusher: any Flusher
    private let fetches: WaitingFetches
    private let time: any TimeSource
    private let telemetry: Telemetry
    private let waitingBytes = Atomic<Int>(0)
    private let waitingBytesMax: Int
    private let appendedBytes: CounterHandle
    private let loopAppends: CounterHandle
    private let laneAppends: CounterHandle
    private let loopWrites = LoopWriteGate()

    init(
        flusher: any Flusher, fetches: WaitingFetches, time: any TimeSource, telemetry: Telemetry,
        waitingBytesMax: ByteCount
    ) {
        self.flusher = flusher
        self.fetches = fetches
        self.time = time
        self.telemetry = telemetry
        self.waitingBytesMax = waitingBytesMax.bytes
        appendedBytes = telemetry.metrics.counter(BrokerMetrics.appendedBytes)
        loopAppends = telemetry.metrics.counter(BrokerMetrics.appends, "loop")
        laneAppends = telemetry.metrics.counter(BrokerMetrics.appends, "lane")
    }

    /// Appends each item, all of which share a lane. `then` is called once for each, with its index, on the lane's or a flushing thread;
    /// at once and here where the items are turned away, and where the caller may write itself and nothing speaks against it.
    ///
    /// - Parameter mayWriteHere: the caller holds no lock, and what comes next on its thread can wait for a copy into the page cache.
    func append(
        _ items: [Item], origin: AppendOrigin, mayWriteHere: Bool = false,
        then: @escaping @Sendable (Int, Outcome) -> Void
    ) {
        let bytes = items.reduce(0) { $0 + $1.batches.readableBytes }
        if mayWriteHere, appendHere(items, bytes: bytes, origin: origin, then: then) { return }
        let waiting = waitingBytes.add(bytes, ordering: .relaxed).newValue
        // One batch is always let in, however large.
        let isQueued =
            (waiting <= waitingBytesMax || waiting == bytes)
            && items[0].partition.lane.submit {
                for (index, item) in items.enumerated() {
                    let itemBytes = item.batches.readableBytes
                    self.appendNow(item, origin: origin) {
                        // Only now: until it is answered, a request keeps its bytes.
                        self.waitingBytes.subtract(itemBytes, ordering: .relaxed)
                        then(index, $0)
                    }
                }
            }
        if isQueued { return laneAppends.increment(by: items.count) }
        waitingBytes.subtract(bytes, ordering: .relaxed)
        for (index, item) in items.enumerated() {
            telemetry.emit(AppendTurnedAway(partition: item.partition.id))
            then(index, .failure(.turnedAway))
        }
    }

    /// Writes on this thread; false, and nothing happened, where the lane has to.
    private func appendHere(
        _ items: [Item], bytes: Int, origin: AppendOrigin, then: @escaping @Sendable (Int, Outcome) -> Void
    ) -> Bool {
        let begin = time.now
        // What waits in the lane came earlier.
        guard loopWrites.isOpen(for: bytes, now: begin), items[0].partition.lane.isIdle,
            items.allSatisfy({ $0.partition.log.appendsArePrompt && $0.refusal == nil })
        else { return false }
        for (index, item) in items.enumerated() { appendNow(item, origin: origin) { then(index, $0) } }
        loopAppends.increment(by: items.count)
        let end = time.now
        if loopWrites.wrote(from: begin, until: end) { telemetry.emit(LoopWritesPaused(took: end - begin)) }
        return true
    }

    private func appendNow(_ item: Item, origin: AppendOrigin, then: @escaping @Sendable (Outcome) -> Void) {
        let partition = item.partition
        let byteCount = item.batches.readableBytes
        guard !partition.isDeleted else { return then(.failure(.deleted)) }
        if let refusal = item.refusal?() { return then(.failure(.refused(refusal))) }
        let result: AppendResult
        do throws(AppendError) {
            result = try partition.log.append(
                item.batches, leaderEpoch: partition.leaderEpoch, origin: origin, now: time.wallTime)
        } catch {
            if error.code == .offline || error.code == .noSpace {
                telemetry.emit(AppendFailed(partition: partition.id, reason: error.message))
            }
            return then(.failure(.refused(error)))
        }
        if !result.isDuplicate { appendedBytes.increment(by: byteCount) }
        guard partition.log.ackOffset < result.nextOffset else {
            if !result.isDuplicate { fetches.advanced(partition, bytes: byteCount) }
            return then(.success(result))
        }
        flusher.requestFlush(partition.log) { [fetches] outcome in
            switch outcome {
            case .success:
                fetches.advanced(partition, bytes: byteCount)
                then(.success(result))
            case .failure(let error): then(.failure(.notDurable(error)))
            }
        }
    }
}
