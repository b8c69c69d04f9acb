/// Why an export can't go on: what was found, where, and what a person can do.
public struct ExportError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// Another owner took the partition over; nothing was lost, it goes on from the chain's end.
        case fenced
        /// The store refused or failed; trying again with a new attempt is safe.
        case store
        /// A call failed so that its effect is unknown; reading back decides.
        case unanswered
        /// The partition's next offset was deleted before it was exported. Never skipped: an operator records the gap.
        case offsetOutOfRange
        /// The chain ends beyond the log: the topic lost records that were exported, or it is another topic.
        case aheadOfLog
        /// The chain or its files are not what they must be.
        case damaged
        /// Another pipeline writes this table from the same topic.
        case conflict
        /// The export was stopped, by its owner or an earlier error.
        case stopped
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// True where a new attempt may succeed without a person's help.
    public var isRetriable: Bool {
        switch code {
        case .fenced, .store, .unanswered: true
        case .offsetOutOfRange, .aheadOfLog, .damaged, .conflict, .stopped: false
        }
    }

    public var description: String { message }
}
