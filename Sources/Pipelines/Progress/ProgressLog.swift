import Base
import Records

/// How far something of one partition is written.
struct Progress: Equatable {
    /// Everything below needs no reading any more.
    var offset: Offset
    /// What the writer needs besides to go on there; its own words.
    var note = ""
}

/// Where records that come of one partition are written together with how far they are written, both or neither.
protocol ProgressLog: AnyObject {
    /// Fences whoever wrote here before. Returns up to where theirs are written; nil where there never were any.
    func takeOver() async throws -> Progress?
    func write(_ records: [NewRecord], _ progress: Progress, leaderEpoch: LeaderEpoch) async throws
}
