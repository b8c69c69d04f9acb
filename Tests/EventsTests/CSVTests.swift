import Events
import Testing

@Suite struct CSVTests {
    private func json(_ line: String, delimiter: Character = ",") throws -> String {
        try CSVLineParser(columns: ["a", "b", "c"], delimiter: try #require(delimiter.asciiValue)).parse(line).json
    }

    @Test func fieldsAreNamedByTheirPlace() throws {
        #expect(try json("1,two,3.5") == #"{"a":"1","b":"two","c":"3.5"}"#)
        #expect(try json(#""x, y","say ""hi""",z"#) == #"{"a":"x, y","b":"say \"hi\"","c":"z"}"#)
        #expect(try json("a\tb c\t", delimiter: "\t") == #"{"a":"a","b":"b c","c":null}"#)
        #expect(try json("1,2,3\r") == #"{"a":"1","b":"2","c":"3"}"#)
    }

    @Test func nothingIsNullAndQuotesAroundNothingAreEmptyText() throws {
        #expect(try json(#",,"#) == #"{"a":null,"b":null,"c":null}"#)
        #expect(try json(#""",,"""#) == #"{"a":"","b":null,"c":""}"#)
        #expect(try json("\"two\nlines\",x,y") == #"{"a":"two\nlines","b":"x","c":"y"}"#)
    }

    @Test(arguments: [
        ("1,2", 3), ("", 0), ("1,2,3,4", 6), (#"1,"2,3"#, 2), (#""a"b,2,3"#, 3),
    ])
    func anotherShapeIsSaidWithItsPlace(line: String, position: Int) {
        let error = #expect(throws: ParseError.self) { try json(line) }
        #expect(error?.position == position, "\(error.map { "\($0)" } ?? "")")
    }

    @Test func bytesThatAreNoTextStandAsNginxWritesThem() throws {
        let line: [UInt8] = [0xff, 0x2c, 0x22, 0xfe, 0x22, 0x22, 0x22, 0x2c]
        #expect(
            try CSVLineParser(columns: ["a", "b", "c"]).parse(line).json == #"{"a":"\\xFF","b":"\\xFE\"","c":null}"#)
    }
}
