import Base
import Events

/// A system that takes rows in batches: how one partition's rows reach it. Used by one task at a time.
protocol DeliveryTarget: AnyObject {
    /// Takes the partition over. Returns where to read from, as the target itself knows it or as the group has committed it; nil where the
    /// pipeline's `start` decides.
    func takeOver(committed: Offset?) async throws -> Offset?

    /// True where the target remembers how far it was taken.
    var keepsPosition: Bool { get }

    /// Adds a row in the target's form.
    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch)

    /// Delivers the rows, and where the target keeps positions, that everything below `position` is done, both or neither. What was delivered
    /// may be taken out of the batch before an error is thrown. A batch without rows tells a target that keeps positions how far things are.
    /// - Throws: `DeliveryFailure`, or what a new attempt at the partition may mend or not, as the sink of an export does.
    /// - Returns: how many rows were refused and left out (`on_error: drop`).
    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int

    /// What an operator does where records are gone before they were delivered.
    var resetAdvice: String { get }
}

/// Why rows were not taken.
struct DeliveryFailure: Error, CustomStringConvertible {
    enum Kind: Equatable {
        /// The same rows may be taken in a while.
        case passing
        /// This attempt at the partition is over: another owner has it, or whether the rows were taken isn't known.
        case over
        /// They will never be taken: a person has to look.
        case refused
    }

    let kind: Kind
    let description: String
    /// As the target asked for it.
    let pause: Duration?

    init(_ kind: Kind, _ description: String, pause: Duration? = nil) {
        self.kind = kind
        self.description = description
        self.pause = pause
    }
}
