import Base
import Events
import Exports

/// What one sink does with one partition, from its assignment to its end. Used by one task at a time.
protocol PartitionSink: AnyObject {
    /// This try at the partition, where the sink keeps a chain; what fences it is found there.
    var attempt: AttemptID? { get }

    /// Takes the partition over. Returns the offset to read from; nil where the pipeline's `start` decides.
    /// - Parameter committed: where the group left off, nil where it never was.
    func start(committed: Offset?) async throws -> Offset?

    /// Records below this offset were delivered before and are not given again.
    var position: Offset { get }

    /// Of the record before `position`; `.none` where that isn't known.
    var leaderEpoch: LeaderEpoch { get }

    /// A row of a record at or above `position`.
    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp)

    /// True where `flush` should be called before more rows are appended.
    var wantsFlush: Bool { get }
    func flush() async throws

    /// Why the sink takes no more just now; nil where it does. The partition is not read on meanwhile, `tick` goes on being called.
    var blockedBy: String? { get }

    /// Everything below `to` was appended or filtered out: so many records, by what they came from.
    func advance(to: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws

    /// Called a few times a second, with or without traffic.
    func tick() async throws

    /// Up to where the sink will never ask again: what the group may commit. Nil before anything is safe.
    var committed: (offset: Offset, leaderEpoch: LeaderEpoch)? { get }

    /// Makes safe what was appended, and ends.
    func stop() async throws

    /// Ends without making anything safe: the partition is somebody else's.
    func abandon() async

    /// The offset to read is gone from the log; throws what a person has to do.
    func offsetOutOfRange() async throws
}

extension PartitionSink {
    var attempt: AttemptID? { nil }
    var blockedBy: String? { nil }
}
