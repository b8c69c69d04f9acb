/// What becomes of a record that a step can't do its work on.
public enum OnError: String, Sendable, CaseIterable {
    /// It goes on as it was before the step, with the reason in `_error`. Nothing is lost.
    case keep
    /// It is left out, and counted.
    case drop
    /// It goes to the topic of the pipeline's `dlq` instead of the sinks, as it came.
    case dlq
}

/// Why a step can't do its work on a record: what was expected and what was found.
struct StepError: Error, Equatable {
    var message: String

    init(_ message: String) { self.message = message }

    /// The beginning of a text that a record holds, for a message.
    static func excerpt(_ text: String) -> String {
        text.utf8.count <= 60 ? "'\(text)'" : "'\(text.prefix(60))…'"
    }
}

/// A record that a step failed on.
public struct StepFailure: Sendable, Equatable {
    /// The step's place among `steps`, from 1, and its name: `2 convert`.
    public var step: String
    public var reason: String
}
