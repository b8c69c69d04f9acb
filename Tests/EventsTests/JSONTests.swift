import Base
import Events
import TestKit
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        (#"{"a":1,"b":[true,false,null],"c":{"d":"e"}}"#, #"{"a":1,"b":[true,false,null],"c":{"d":"e"}}"#),
        (" \t\r\n[ ] ", "[]"), ("{}", "{}"), ("-0", "0"), ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775808", "9.223372036854776e+18"),
        ("1.5e3", "1500.0"), ("0.1", "0.1"), ("1E-2", "0.01"),
        (#""\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\""#, #""é😀/\u0008\u000c\n\r\t\"\\""#),
        (#""\ud83d x""#, "\"\u{fffd} x\""), (#""\ud83dA""#, "\"\u{fffd}A\""), (#"{"a":1,"a":2}"#, #"{"a":2}"#),
        (#""\u0000""#, #""\u0000""#),
    ])
    func reads(text: String, written: String) throws {
        #expect(try JSON.parse(text).json == written)
    }

    /// The cases that JSONTestSuite (Seriot) calls `n_`: each must be refused.
    @Test(arguments: [
        "", " ", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "01", "-", "+1", ".5", "1.",
        "1e", "1e+",
        "nul", "True", "NaN", "Infinity", "\"", "\"\\x\"", "\"\\u12\"", "\"\u{1}\"", "\"\n\"", "[1]x", "1 1",
        "{\"a\":1 \"b\":2}",
        "[", "{", "]", "1e999", "-1e999", "'a'",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSON.parse(text) }
    }

    @Test func depthIsLimited() throws {
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSON.parse(deep(64))
        #expect(throws: JSONError(at: 64, "nested deeper than 64")) { try JSON.parse(deep(65)) }
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: #"{"a":"#, count: 1_000_000)) }
    }

    @Test func invalidUTF8StaysVisible() throws {
        let value = try JSON.parse(Array("\"a".utf8) + [0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80] + Array("é\"".utf8))
        #expect(value == .string(#"a\xFF\xC3(\xED\xA0\x80é"#))
        #expect(TextRepair.string([0xf0, 0x9f, 0x98]) == #"\xF0\x9F\x98"#)
        #expect(TextRepair.string([0xc0, 0x80, 0xf4, 0x90, 0x80, 0x80]) == #"\xC0\x80\xF4\x90\x80\x80"#)
    }

    @Test func manyNamesOfOneObjectStayCheap() throws {
        let members = (0..<50_000).map { "\"k\($0 % 25_000)\":\($0)" }.joined(separator: ",")
        guard case .object(let fields) = try JSON.parse("{\(members)}") else { Issue.record("no object"); return }
        #expect(fields.count == 25_000)
        #expect(fields[3] == Field("k3", .int(25_003)))
    }

    /// Whatever is cut or changed, the reader answers, and what it takes it can write and read again.
    @Test func damagedTextNeverTraps() throws {
        var random = SeededRandom(seed: 11)
        let text = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00y"],"b":{"c":null,"d":true},"e":"\\\""}"#.utf8)
        for _ in 0..<20_000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            damaged.removeLast(random.oneIn(3) ? Int.random(in: 0..<damaged.count, using: &random) : 0)
            guard let value = try? JSON.parse(damaged) else { continue }
            #expect(try JSON.parse(value.json) == value)
        }
    }

    @Test func parsersOfLines() throws {
        #expect(try JSONLineParser().parse(#"{"a":{"b":1}}"#)[FieldPath("a.b")!] == .int(1))
        #expect(throws: ParseError(at: 0, "a JSON object is wanted, this is a list")) {
            try JSONLineParser().parse("[1]")
        }
        let entry = try JournalLineParser().parse(
            #"{"MESSAGE":[104,105,255],"__REALTIME_TIMESTAMP":"1795330801250999","TAG":["a",[98,99]],"N":null}"#)
        #expect(entry["MESSAGE"] == .string(#"hi\xFF"#))
        #expect(entry["TAG"] == .list([.string("a"), .string("bc")]))
        #expect(try RawLineParser().parse([0x61, 0xff])["line"] == .string(#"a\xFF"#))
    }

    @Test func fieldPaths() {
        #expect(FieldPath("a.b")?.components == ["a", "b"])
        #expect(FieldPath("`a.b`.c")?.components == ["a.b", "c"])
        #expect(FieldPath("`a.b`.c")?.description == "`a.b`.c")
        for text in ["", ".", "a.", ".a", "a b", "`a", "``"] { #expect(FieldPath(text) == nil) }
    }
}
