import Base
import Synchronization
import SystemPackage

/// A partition's folder, and what is known of it before it is read.
struct FoundPartition: Sendable {
    var partition: TopicPartition
    var topicID: TopicID
    var path: FilePath
    var config: LogConfig
    var start: LogStart
}

/// Opens the partitions of a directory, several at a time: a segment's check is bound by one core. Those with the most to read come
/// first, so that no lane is left with a long one at the end.
final class RecoveryLanes: Sendable {
    private struct State: Sendable {
        var waiting: ArraySlice<FoundPartition>
        var failure: FileError?
    }

    private let state: Mutex<State>
    private let laneCount: Int
    private let progress: RecoveryProgress

    init(_ found: [FoundPartition], _ shared: LogShared) {
        laneCount = max(1, min(shared.settings.recoveryThreads, found.count))
        // After a clean end nothing is read, and nothing needs to be known of how much.
        let bytes = found.map { found in
            found.start.isClean && !found.start.checksAll
                ? 0 : LogRecovery.bytesToRead(Folder(found.path), found.start, shared.fileSystem)
        }
        progress = RecoveryProgress(partitions: found.count, bytes: bytes.reduce(0, +), shared: shared)
        let order = found.indices.sorted { (bytes[$1], $0) < (bytes[$0], $1) }
        state = Mutex(State(waiting: order.map { found[$0] }[...]))
    }

    /// Returns when all are open, or one failed: then no further one is begun.
    ///
    /// - Throws: what `open` threw first.
    func run(
        _ open: @escaping @Sendable (FoundPartition, RecoveryProgress) throws(FileError) -> Void
    ) throws(FileError) {
        let ended = ThreadSemaphore()
        for _ in 1..<laneCount {
            startThread {
                self.runLane(open)
                ended.signal()
            }
        }
        runLane(open)
        for _ in 1..<laneCount { ended.wait() }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func runLane(_ open: (FoundPartition, RecoveryProgress) throws(FileError) -> Void) {
        while let found = state.withLock({ $0.failure == nil ? $0.waiting.popFirst() : nil }) {
            do throws(FileError) {
                try open(found, progress)
                progress.opened()
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }
}
