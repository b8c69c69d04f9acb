import Base
import KafkaConnection
import Synchronization

/// Reads partitions from given places on, without a group: nothing is committed, nobody shares.
///
///     let reader = PartitionReader(cluster: cluster, partitions: [partition: .latest])
///     try await reader.run { data in … }
public final class PartitionReader: Sendable {
    private let fetcher: PartitionFetcher
    private let queue: BoundedQueue<PartitionFetcher.Parcel>
    private static let numbers = Atomic<UInt64>(0)

    /// - Parameter partitions: `.committed` means the same as `.earliest` here.
    public init(
        cluster: KafkaCluster, partitions: [TopicPartition: StartPosition], settings: FetchSettings = FetchSettings()
    ) {
        let queue = BoundedQueue<PartitionFetcher.Parcel>(bytesMax: settings.queueBytesMax)
        self.queue = queue
        let number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
        fetcher = PartitionFetcher(cluster: cluster, settings: settings, lane: Lane("read-\(number)")) {
            parcel, bytes in
            await queue.append(parcel, bytes: bytes)
        }
        fetcher.start(partitions.mapValues { FetchPlan.Position($0, committed: .query(.earliest)) })
    }

    /// What comes next of any of the partitions, in offset order for each; waits for it. Nil once the reader was closed. One caller at a time.
    ///
    /// - Throws: `OFFSET_OUT_OF_RANGE` and what else a broker refuses as `.brokerError`, and `.corruptRecords`. The partition is then left alone;
    ///   call again for the others, or `seek`.
    public func next() async throws(ClientError) -> FetchedPartition? {
        while let parcel = await queue.next() {
            guard fetcher.isCurrent(parcel) else { continue }
            switch parcel.arrival {
            case .data(let data): return data
            case .failed(_, let error): throw error
            case .outOfRange(let problem):
                throw ClientError(
                    .brokerError,
                    "offset \(problem.offset) of \(problem.partition) is out of range: the partition has "
                        + "\(problem.logStartOffset) to \(problem.highWatermark)",
                    kafkaError: .offsetOutOfRange)
            }
        }
        return nil
    }

    /// Goes on elsewhere.
    public func seek(_ partition: TopicPartition, to position: StartPosition) {
        fetcher.start([partition: FetchPlan.Position(position, committed: .query(.earliest))])
    }

    /// Fetches until `close()` or until the task is cancelled. Runs beside the task that calls `next`.
    public func run() async {
        await fetcher.run()
        queue.close()
    }

    /// Fetches and hands on until the handler answers false, throws, or the task is cancelled.
    public func run(_ handle: (FetchedPartition) async throws -> Bool) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.run() }
            defer { close() }
            while !Task.isCancelled, let data = try await next() {
                guard try await handle(data) else { break }
            }
        }
    }

    public func close() {
        fetcher.finish()
        queue.close()
    }
}

extension FetchPlan.Position {
    init(_ start: StartPosition, committed: FetchPlan.Position) {
        switch start {
        case .committed: self = committed
        case .offset(let offset, let epoch): self = .offset(offset, after: epoch)
        case .earliest: self = .query(.earliest)
        case .latest: self = .query(.latest)
        }
    }
}
