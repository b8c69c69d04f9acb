/// Why a pipeline can't go on, and what a person can do.
public struct PipelineError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ message: String) { description = message }
}
