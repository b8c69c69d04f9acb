// To the journal engineer: delete this file when AgentSettings+Sources.swift, AgentInputs and JournalReaderCommand land.
import ArgumentParser

public struct JournalReaderCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(commandName: "journal-reader", shouldDisplay: false);
    public init() {}
}
