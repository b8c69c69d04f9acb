import MillraceCLI
import Testing

@testable import AgentCommands

@Suite struct CommandEntryTests {
    @Test(arguments: [
        (["tpics"], "millrace: unknown command 'tpics': did you mean 'topics'?"),
        (["groups", "rset", "g"], "millrace groups: unknown command 'rset': did you mean 'reset'?"),
        (["config", "schemas", "agent"], "millrace config: unknown command 'schemas': did you mean 'schema'?"),
    ])
    func aMistypedCommandIsAnsweredWithTheNearest(words: [String], said: String) {
        #expect(CommandEntry.unknownCommand(in: Millrace.self, words) == said)
    }

    @Test func whereNoneIsNearAllAreNamedButThoseOfMachines() throws {
        let said = try #require(CommandEntry.unknownCommand(in: MillraceAgent.self, ["frobnicate"]))
        #expect(said.contains("known here: ") && said.contains("install") && said.contains("run"))
        #expect(!said.contains("journal-reader"))
    }

    @Test(arguments: [
        [], ["topics"], ["groups", "describe", "g"], ["--help"], ["help", "tpics"], ["tail", "nginx.access"],
        ["--version"],
        ["config", "validate", "agent", "tpics"], ["topics", "--output", "json"], ["broker", "-c", "list"],
    ])
    func whatIsACommandOrAnArgumentIsLeftAlone(words: [String]) {
        #expect(CommandEntry.unknownCommand(in: Millrace.self, words) == nil)
    }
}
