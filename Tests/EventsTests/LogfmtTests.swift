import Events
import Testing

@Suite struct LogfmtTests {
    private func json(_ line: String) throws -> String { try LogfmtLineParser().parse(line).json }

    @Test func readsNamesAndValues() throws {
        #expect(
            try json(#"level=info msg="user \"bob\" logged in\n" took=12 debug user= path=/a=b?c"#)
                == #"{"level":"info","msg":"user \"bob\" logged in\n","took":12,"debug":true,"user":"","path":"/a=b?c"}"#
        )
        #expect(try json("  a=1\t b=2  ") == #"{"a":1,"b":2}"#)
        #expect(try json("a=1 a=2") == #"{"a":2}"#)
        #expect(try json(#"win="C:\dir" q="a\\b""#) == #"{"win":"C:\\dir","q":"a\\b"}"#)
    }

    @Test func onlyWholeNumbersAsTheyArePrintedAreNumbers() throws {
        #expect(
            try json(#"a=-5 b=007 c=+1 d=1.5 e="12" f=9223372036854775807 g=9223372036854775808 h=- i=-0"#)
                == #"{"a":-5,"b":"007","c":"+1","d":"1.5","e":"12","f":9223372036854775807,"g":"9223372036854775808","h":"-","i":"-0"}"#
        )
    }

    @Test func whatIsNoLogfmtIsSaidWithItsPlace() {
        for (line, position) in [
            ("", 0), ("   ", 0), ("a=1 =2", 4), (#"a="open"#, 2), (#"a="x"y"#, 5), (#""quoted""#, 0),
        ] {
            let error = #expect(throws: ParseError.self) { try json(line) }
            #expect(error?.position == position, "\(line)")
        }
    }

    @Test func bytesThatAreNoTextStandAsNginxWritesThem() throws {
        let line: [UInt8] = Array("a=".utf8) + [0xff] + Array(" b=\"".utf8) + [0xfe, 0x22]
        #expect(try LogfmtLineParser().parse(line).json == #"{"a":"\\xFF","b":"\\xFE"}"#)
    }
}
