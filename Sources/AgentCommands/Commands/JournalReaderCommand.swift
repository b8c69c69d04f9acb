import Agent
import ArgumentParser

/// What the agent starts to read a journal; not for people.
public struct JournalReaderCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "journal-reader", abstract: "Read a journal for the agent.", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    public init() {}

    public func run() throws { throw ExitCode(JournalReader.run(arguments: arguments)) }
}
