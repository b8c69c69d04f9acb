import Base
import LogStorage
import Synchronization

/// Reads the logs again on a thread of its own, whose reads wait for everybody else's.
final class Scrubbing: Sendable {
    private let scrubber: LogScrubber
    private let lane = DiskLane()
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ scrubber: LogScrubber) { self.scrubber = scrubber }

    func start() {
        let task = Task { [scrubber, lane] in
            await lane.run { ThreadPriority.readWhenIdle() }
            while !Task.isCancelled {
                let pause = await lane.run { scrubber.step() }
                try? await Task.sleep(for: pause)
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Returns when nothing is read any more.
    func stop() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
        await lane.shutDown()
    }
}
