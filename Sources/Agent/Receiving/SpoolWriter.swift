import Base
import Synchronization
import Telemetry

#if canImport(Glibc)
    import Glibc
#endif

/// Writes a receiver's messages to its spool and syncs it, on a thread of its own: a Unix socket holds ten messages by default (`net.unix.max_dgram_qlen`), and nginx drops
/// what finds no room, so whoever reads sockets must not wait for a disk.
///
/// What waits here is bounded: at `waitingBytesMax` the receiver reads no more.
final class SpoolWriter: Sendable {
    /// Frames, and what they are counted as once they are written.
    struct Batch {
        var frames: [UInt8] = []
        var messages = 0
        var messageBytes = 0
    }

    private struct State {
        var waiting = Batch()
        var isWriting = 0
        var isFailing = false
        var isStopping = false
    }

    static let waitingBytesMax = 4 << 20
    private static let retryDelay = Duration.seconds(1)

    private let spool: Spool
    private let source: SourceKey
    private let messages: CounterHandle
    private let bytes: CounterHandle
    private let state = Mutex(State())
    private let wake = WakePipe()
    private let ended = WakePipe()

    init(_ spool: Spool, source: SourceKey, metrics: MetricRegistry) {
        self.spool = spool
        self.source = source
        messages = metrics.counter(AgentMetrics.messagesReceived, source.text)
        bytes = metrics.counter(AgentMetrics.bytesReceived, source.text)
    }

    /// To be called once.
    func start() {
        LoopThread.start { [self] in
            run()
            ended.signal()
        }
    }

    /// Writes and syncs what waits, unless the disk refuses. To be called once, after `start`.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        ended.wait()
    }

    /// Hands over frames that were built; `batch` is empty afterwards.
    func put(_ batch: inout Batch) {
        guard !batch.frames.isEmpty else { return }
        let isFirst = state.withLock { state in
            let isFirst = state.waiting.frames.isEmpty
            if isFirst { swap(&state.waiting, &batch) } else { state.waiting.frames += batch.frames }
            if !isFirst {
                state.waiting.messages += batch.messages
                state.waiting.messageBytes += batch.messageBytes
            }
            return isFirst
        }
        batch.frames.removeAll(keepingCapacity: batch.frames.capacity <= 512 << 10)
        (batch.messages, batch.messageBytes) = (0, 0)
        if isFirst { wake.signal() }
    }

    /// Bytes that aren't written yet.
    var waitingBytes: Int { state.withLock { $0.waiting.frames.count + $0.isWriting } }

    /// The disk refused what was tried last.
    var isFailing: Bool { state.withLock { $0.isFailing } }

    // MARK: - The thread

    private func run() {
        let time = SystemTime()
        var batch = Batch()
        var (retryAt, syncAt) = (Instant.zero, Instant.distantFuture)
        while true {
            wake.quiet()
            let now = time.now
            let isStopping = state.withLock { state in
                if batch.frames.isEmpty { swap(&batch, &state.waiting) }
                state.isWriting = batch.frames.count
                return state.isStopping
            }
            if !batch.frames.isEmpty, isStopping || retryAt <= now {
                if write(&batch) {
                    if syncAt == .distantFuture { syncAt = now + spool.settings.syncInterval }
                    continue
                }
                if isStopping { return }
                retryAt = time.now + Self.retryDelay
            }
            if isStopping || syncAt <= now {
                sync()
                syncAt = .distantFuture
            }
            if isStopping { return }
            let until = batch.frames.isEmpty ? syncAt : min(syncAt, retryAt)
            wake.wait(until == .distantFuture ? nil : until - time.now)
        }
    }

    private func write(_ batch: inout Batch) -> Bool {
        do throws(FileError) {
            try spool.append(batch.frames)
            messages.increment(by: batch.messages)
            bytes.increment(by: batch.messageBytes)
            batch = Batch()
            works()
            return true
        } catch {
            fails("the spool can't be written: \(error)")
            return false
        }
    }

    private func sync() {
        do throws(FileError) { try spool.sync() } catch {
            spool.report(
                .gap(source, detail: "the spool can't be synced, a power cut may take what came last: \(error)"))
        }
    }

    private func fails(_ text: String) {
        let isNew = state.withLock { state in
            defer { state.isFailing = true }
            return !state.isFailing
        }
        if isNew { spool.report(.trouble(source: "the spool of \(source)", detail: text)) }
    }

    private func works() {
        let wasFailing = state.withLock { state in
            defer { (state.isFailing, state.isWriting) = (false, 0) }
            return state.isFailing
        }
        if wasFailing { spool.report(.recovered(source: "the spool of \(source)")) }
    }
}
