import Base
import KafkaConnection
import Telemetry

/// Brings what a fetch is to send into memory, on threads of its own, where it is not there yet.
///
/// `sendfile` of bytes that are not in the page cache waits for the disk on the event loop, and with it every connection of that loop: one consumer that
/// catches up would slow all others down. So such answers wait for these threads instead; those from memory never come here.
final class ReadAhead: Sendable {
    private static let chunkBytes = 256 << 10

    private let lanes: [DiskLane]
    private let coldFetches: CounterHandle
    private let coldBytes: CounterHandle

    init(threads: Int, jobsMax: Int, telemetry: Telemetry) {
        lanes = (0..<max(1, threads)).map { _ in DiskLane(jobsMax: jobsMax) }
        coldFetches = telemetry.metrics.counter(BrokerMetrics.coldFetches)
        coldBytes = telemetry.metrics.counter(BrokerMetrics.coldBytes)
    }

    /// Calls `then` once the files' bytes are in memory: at once and here where they are, else later on another thread. Where too much waits to be read,
    /// at once too: late, but never forgotten.
    func prepare(_ files: [[FileSlice]], for connection: ServerConnection, then: @escaping @Sendable () -> Void) {
        let slices = files.flatMap { $0 }
        let cold = slices.filter { !PageCache.holds($0.file, position: $0.position, byteCount: $0.byteCount) }
        guard !cold.isEmpty else { return then() }
        coldFetches.increment()
        coldBytes.increment(by: cold.reduce(0) { $0 + $1.byteCount })
        let isQueued = lane(of: connection).submit {
            for slice in cold { Self.read(slice) }
            then()
        }
        if !isQueued { then() }
    }

    /// What can't be read here can't be sent either; the sending says so.
    private static func read(_ slice: FileSlice) {
        withUnsafeTemporaryAllocation(byteCount: chunkBytes, alignment: 16) { chunk in
            var done = 0
            while done < slice.byteCount {
                let wanted = UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(chunkBytes, slice.byteCount - done)])
                guard let count = try? slice.file.read(into: wanted, at: slice.position + Int64(done)), count > 0 else {
                    return
                }
                done += count
            }
        }
    }

    private func lane(of connection: ServerConnection) -> DiskLane {
        lanes[abs(ObjectIdentifier(connection).hashValue % lanes.count)]
    }

    func shutDown() async { for lane in lanes { await lane.shutDown() } }
}

/// For connections under TLS, whose bytes are copied: cold pieces are read here.
extension ReadAhead: FileReads {
    func submit(byteCount: Int, for connection: ServerConnection, _ job: @escaping @Sendable () -> Void) -> Bool {
        coldFetches.increment()
        coldBytes.increment(by: byteCount)
        return lane(of: connection).submit(job)
    }
}
