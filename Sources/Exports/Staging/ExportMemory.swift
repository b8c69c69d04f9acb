public import Base
import Synchronization

/// The memory that rows of all open files of one export may take, over all of its partitions. A partition that holds its share of a
/// budget that is exceeded makes memory free, at the price of smaller row groups.
public final class ExportMemory: Sendable {
    public let bytesMax: ByteCount
    private let used = Mutex<(bytes: Int, stages: Int)>((0, 0))

    public init(bytesMax: ByteCount) { self.bytesMax = bytesMax }

    /// What waits in memory now, over all partitions.
    public var byteCount: ByteCount { used.withLock { ByteCount($0.bytes) } }

    func stageOpened() { used.withLock { $0.stages += 1 } }

    func stageClosed(holding bytes: Int) {
        used.withLock {
            $0.stages -= 1
            $0.bytes -= bytes
        }
    }

    /// A stage holds `now` after `before`. Returns how much of it should become free.
    func changed(from before: Int, to now: Int) -> Int {
        used.withLock {
            $0.bytes += now - before
            let share = bytesMax.bytes / max(1, $0.stages)
            guard $0.bytes > bytesMax.bytes, now >= share else { return 0 }
            return min(now, max($0.bytes - bytesMax.bytes, now - share))
        }
    }
}
