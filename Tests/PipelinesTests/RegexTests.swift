import Base
import Events
import Settings
import Testing

@testable import Pipelines

@Suite struct RegexTests {
    private func parser(_ pattern: String, matchLimit: Int = Regex.matchLimit) throws -> RegexLineParser {
        try RegexLineParser(try Regex(pattern, matchLimit: matchLimit), matchLimit: matchLimit)
    }

    @Test func namedGroupsBecomeFields() throws {
        let parser = try parser(#"^(?<client>\S+) (\d+) (?:(?<took>[0-9.]+)|-)$"#)
        #expect(parser.fields?.map(\.name) == ["client", "took"])
        #expect(try parser.parse("192.0.2.1 200 0.25").json == #"{"client":"192.0.2.1","took":"0.25"}"#)
        #expect(try parser.parse("192.0.2.1 200 -").json == #"{"client":"192.0.2.1","took":null}"#)
        #expect(throws: ParseError.self) { try parser.parse("192.0.2.1") }
    }

    @Test func textIsUTF8AndOtherBytesMatchNothing() throws {
        #expect(try parser("(?<word>\\p{Lu}\\w*)").parse("die Mühle").json == #"{"word":"M"}"#)
        #expect(try parser("(*UCP)(?<word>\\p{Lu}\\w+)").parse("die Mühle").json == #"{"word":"Mühle"}"#)
        #expect(try parser("^(?<a>\\w+)").parse([0x61, 0x62, 0xff, 0x63]).json == #"{"a":"ab"}"#)
    }

    @Test func aPatternThatGrowsWithTheLineGivesUp() throws {
        let parser = try parser("^(?<all>(a+)+)$", matchLimit: 1000)
        #expect(try parser.parse("aaaa").json == #"{"all":"aaaa"}"#)
        let error = #expect(throws: ParseError.self) { try parser.parse(String(repeating: "a", count: 64) + "b") }
        #expect(error?.message.contains("match_limit") == true)
    }

    @Test(arguments: [
        ("regex: '(?<a>x'", "regular expression, byte 6: missing closing parenthesis"),
        ("regex: 'x'", "a named group"), ("regex: {patern: x}", "did you mean 'pattern'?"),
        ("dissect: '%{a}%{b}'", "nothing stands between"), ("csv: {columns: []}", "at least one column"),
        ("csv: {columns: [a, a]}", "two columns are called 'a'"),
        ("csv: {columns: [a], delimiter: ab}", "one character"),
        ("syslog: {format: rfc5425}", "did you mean 'rfc5424'?"), ("nginx_error: {zone: CET}", "an offset from UTC"),
        ("nginx_eror: {}", "did you mean 'nginx_error'?"),
    ])
    func mistakesInParsersAreSaidWithTheirPlace(text: String, wanted: String) {
        let error = #expect(throws: SettingsError.self) {
            try PipelineSettings(
                yaml: try YAMLNode.parse(
                    "pipeline: p\nfrom: {topics: [t]}\nto: [{file: {path: /x}}]\nsteps:\n  - parse: {\(text)}",
                    file: "p.yaml"))
        }
        #expect(error?.line == 5 && "\(error.map { "\($0)" } ?? "")".contains(wanted), "\(error.map { "\($0)" } ?? "")")
    }
}
