/// A part that is broken on purpose, so that it is seen that the simulation finds it.
enum Sabotage: String, CaseIterable, Sendable {
    /// The broker appends whatever comes, without a look at sequences.
    case noSequenceCheck
}
