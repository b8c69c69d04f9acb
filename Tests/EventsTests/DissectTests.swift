import Events
import Testing

@Suite struct DissectTests {
    private func json(_ pattern: String, _ line: String) throws -> String {
        try DissectLineParser(pattern).parse(line).json
    }

    @Test func fieldsLieBetweenTheFixedTexts() throws {
        #expect(
            try json(#"%{client} - [%{when}] "%{request}" %{}"#, #"192.0.2.1 - [today] "GET / HTTP/1.1" 200 5"#)
                == #"{"client":"192.0.2.1","when":"today","request":"GET / HTTP/1.1"}"#)
        #expect(try json("<%{a}> %{?skipped} %{b}", "<1> x the rest of it") == #"{"a":"1","b":"the rest of it"}"#)
        #expect(try json("%{a}: %{b}", "k: ") == #"{"a":"k","b":""}"#)
    }

    @Test func paddingAndAppending() throws {
        #expect(try json("%{level->} %{message}", "WARN     disk full") == #"{"level":"WARN","message":"disk full"}"#)
        #expect(try json("%{day} %{+day} %{+day} %{rest}", "Nov 22 2026 x y") == #"{"day":"Nov 22 2026","rest":"x y"}"#)
    }

    @Test(arguments: [("x - y", "%{a}, "), ("a, b", "%{a}, %{b};"), ("no", "[%{a}]")])
    func anotherShapeIsNone(line: String, pattern: String) {
        #expect(throws: ParseError.self) { try json(pattern, line) }
    }

    @Test func whatFollowsThePatternIsAnotherShape() {
        let error = #expect(throws: ParseError.self) { try json("[%{a}]", "[x] more") }
        #expect(error?.position == 3)
    }

    @Test(arguments: [
        ("%{a}%{b}", "nothing stands between %{a} and the field after it"), ("%{a", "not closed"), ("text", "no field"),
        ("%{a} %{a}", "stands twice"), ("%{+a} %{b}", "has no %{a} before it"),
    ])
    func aPatternThatCannotWorkIsSaid(pattern: String, wanted: String) {
        let problem = #expect(throws: DissectLineParser.Problem.self) { try DissectLineParser(pattern) }
        #expect(problem?.description.contains(wanted) == true, "\(problem?.description ?? "")")
    }
}
