import NIOPosix
import Synchronization

/// One thread for blocking disk work, which does its jobs in the order they came.
///
/// At most `jobsMax` jobs wait. A caller that can be told to come back uses `submit` and heeds its answer; the broker's own rare
/// administrative work uses `run`, and is bounded by the requests that ask for it.
public final class DiskLane: Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let waiting = Atomic<Int>(0)
    public let jobsMax: Int

    public init(jobsMax: Int = 4096) {
        self.jobsMax = jobsMax
        pool.start()
    }

    /// Jobs that wait or run.
    public var jobCount: Int { waiting.load(ordering: .relaxed) }

    /// No job waits or runs, and what earlier jobs did is seen here.
    public var isIdle: Bool { waiting.load(ordering: .acquiring) == 0 }

    /// Queues the job; false, and nothing happens, where the lane is full.
    public func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        guard waiting.add(1, ordering: .relaxed).newValue <= jobsMax else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        enqueue(job)
        return true
    }

    /// Runs the job on the lane and gives back what it returned.
    public func run<Value: Sendable>(_ job: @escaping @Sendable () -> Value) async -> Value {
        waiting.add(1, ordering: .relaxed)
        return await withCheckedContinuation { continuation in
            enqueue { continuation.resume(returning: job()) }
        }
    }

    /// Queues a job that only shows that the lane lives; it doesn't count, so that a full lane is asked too.
    func probe(_ job: @escaping @Sendable () -> Void) { pool.submit { _ in job() } }

    private func enqueue(_ job: @escaping @Sendable () -> Void) {
        pool.submit { _ in
            // After the shutdown too, then on the caller's thread: what it works on is closed and says so.
            job()
            self.waiting.subtract(1, ordering: .releasing)
        }
    }

    /// Does what is queued, then ends the thread.
    public func shutDown() async {
        await run {}
        try? await pool.shutdownGracefully()
    }
}
