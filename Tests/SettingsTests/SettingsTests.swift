import Base
import Settings
import SystemPackage
import Testing

private func parse(_ text: String) throws -> YAMLNode { try YAMLNode.parse(text, file: "agent.yaml") }

private func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch { return "\(error)" }
}

@Suite struct ReadingYAML {
    @Test func everyNodeKnowsItsPlace() throws {
        let node = try parse("broker: agg:9092\nsources:\n  - nginx: {}\n  - file:\n      path: /x\n")
        var root = try node.mapping()
        let sources = try root.required("sources").sequence()
        #expect(sources[1].place == Place(file: "agent.yaml", line: 4, column: 5))
    }

    @Test func sizesAndDurationsCarryTheirUnits() throws {
        var map = try parse("a: 64KiB\nb: 1.5s\nc: 7d\nd: 2GB\ne: 1_000\n").mapping()
        #expect(try map.bytes("a", default: .zero) == .kib(64))
        #expect(try map.duration("b", default: .zero) == .milliseconds(1500))
        #expect(try map.duration("c", default: .zero) == .seconds(7 * 86400))
        #expect(try map.bytes("d", default: .zero) == ByteCount(2_000_000_000))
        #expect(try map.int("e", default: 0) == 1000)
        try map.finish()
    }

    @Test func aDurationWithoutAUnitIsRefused() throws {
        var map = try parse("linger: 50").mapping()
        #expect(
            message { _ = try map.duration("linger", default: .zero) }
                == "agent.yaml:1:9: expected a duration with its unit, such as 50ms, 5s or 7d, found '50'")
    }

    @Test func anUnknownKeyNamesTheNearestKnownOne() throws {
        var map = try parse("topic: x\nborker: agg:9092\n").mapping()
        _ = try map.string("topic")
        _ = try map.string("broker")
        #expect(message { try map.finish() } == "agent.yaml:2:1: unknown key 'borker': did you mean 'broker'?")
    }

    @Test func aMissingKeyPointsAtItsTypo() throws {
        var map = try parse("borker: agg:9092").mapping()
        #expect(
            message { _ = try map.required("broker") }
                == "agent.yaml:1:1: unknown key 'borker': did you mean 'broker'?")
        #expect(message { _ = try map.required("sources") } == "agent.yaml:1:1: 'sources' is missing")
    }

    @Test func aKeyThatIsNearNothingListsWhatIsKnown() throws {
        var map = try parse("zzz: 1").mapping()
        _ = try map.string("broker")
        #expect(message { try map.finish() } == "agent.yaml:1:1: unknown key 'zzz'; known here: broker")
    }

    @Test func aKeyThatStandsTwiceIsAnError() {
        #expect(message { _ = try parse("a: 1\na: 2") } == "agent.yaml:2:1: key 'a' stands twice (first in line 1)")
    }

    @Test func aSyntaxErrorHasLineAndColumn() {
        #expect(message { _ = try parse("a:\n\t- b") }.hasPrefix("agent.yaml:2:1: "))
    }

    @Test func aQuotedWordIsNeverABoolean() throws {
        var map = try parse("a: \"true\"").mapping()
        #expect(message { _ = try map.bool("a", default: false) }.contains("expected true or false"))
    }

    @Test func aChoiceNamesItsValues() throws {
        enum Codec: String, CaseIterable { case none, gzip }
        var map = try parse("codec: gzpi").mapping()
        #expect(
            message { _ = try map.choice("codec", default: Codec.none) }
                == "agent.yaml:1:8: unknown value 'gzpi': did you mean 'gzip'?")
    }

    @Test func nestingHasALimit() {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(message { _ = try parse(deep) }.contains("too deep"))
    }

    @Test func anEmptyFileIsAnEmptyMapping() throws {
        #expect(try parse("# nothing\n").mapping().keys.isEmpty)
    }
}

@Suite struct Interpolating {
    private func fill(_ text: String, _ environment: [String: String] = [:]) throws -> String {
        let node = try Interpolation(environment: environment, fileSystem: PosixFileSystem()).fill(parse(text))
        var map = try node.mapping()
        return try map.string("a", default: "")
    }

    @Test func theEnvironmentIsFilledIn() throws {
        #expect(try fill("a: ${env:HOST}:9092", ["HOST": "agg"]) == "agg:9092")
        #expect(try fill("a: ${env:HOST:-localhost}:9092") == "localhost:9092")
    }

    @Test func aMissingVariableIsAnErrorThatSaysWhatToDo() {
        #expect(
            message { _ = try fill("a: ${env:HOST}") }
                == "agent.yaml:1:4: environment variable 'HOST' is not set; give a default with ${env:HOST:-…}")
    }

    @Test func aLogFormatKeepsItsDollars() throws {
        #expect(try fill("a: '$remote_addr ${status} $$5'") == "$remote_addr ${status} $5")
    }
}
