import Base
import Events
import Testing

@Suite struct NginxTests {
    @Test func parsesCombinedLines() throws {
        let line =
            #"203.0.113.9 - frank [22/Nov/2026:07:00:01 +0000] "GET /a?b=c HTTP/1.1" 200 2326 "http://e.org/" "Mozilla/5.0 (X11)""#
        let event = try NginxLineParser.combined.parse(line)
        #expect(
            event.json
                == #"{"remote_addr":"203.0.113.9","remote_user":"frank","time_local":"2026-11-22T07:00:01.000Z","#
                + #""request":"GET /a?b=c HTTP/1.1","status":200,"body_bytes_sent":2326,"http_referer":"http://e.org/","#
                + #""http_user_agent":"Mozilla/5.0 (X11)"}"#)
    }

    @Test func anUnsetVariableIsNull() throws {
        let event = try NginxLineParser.combined.parse(
            #"2001:db8::1 - - [22/Nov/2026:07:00:01 +0000] "" 400 0 "-" "-""#)
        #expect(event["remote_user"] == .null)
        #expect(event["http_referer"] == .null)
        #expect(event["request"] == .string(""))
        #expect(event["status"] == .int(400))
    }

    /// Bytes as nginx 1.22 writes them for a request of `\x16\x03`, an é in Latin-1 and in UTF-8, a quote and a backslash.
    @Test func escapesAreTakenBack() throws {
        let event = try NginxLineParser.combined.parse(
            #"::1 - a\x22 [x\x5C [22/Nov/2026:07:00:01 +0000] "\x16\x03\x22" 400 157 "\xE9" "\xC3\xA9 \xF0\x9F\x98\x80""#
        )
        #expect(event["remote_user"] == .string(#"a" [x\"#))
        #expect(event["request"] == .string("\u{16}\u{3}\""))
        #expect(event["http_referer"] == .string(#"\xE9"#))
        #expect(event["http_user_agent"] == .string("é 😀"))
    }

    @Test func aValueMayHoldItsSeparator() throws {
        let parser = NginxLineParser(try LogFormat(#"$remote_user [$time_local] "$request" $status"#, escape: .none))
        let event = try parser.parse(#"x [22 [y] [22/Nov/2026:07:00:01 +0000] "GET /" 5 "q" 7 HTTP/1.1" 404"#)
        #expect(event["remote_user"] == .string("x [22 [y]"))
        #expect(event["request"] == .string(#"GET /" 5 "q" 7 HTTP/1.1"#))
        #expect(event["status"] == .int(404))
    }

    @Test func readsAPastedDirective() throws {
        let parser = NginxLineParser(
            try LogFormat(
                """
                log_format  main  escape=json '{"t":"$time_iso8601","a":"$remote_addr",'
                    '"ua":"$http_user_agent","rt":$request_time,"up":"$upstream_response_time",'
                    "\\"n\\":\\"${host}\\"}";
                """))
        #expect(parser.format.escape == .json)
        #expect(
            parser.fields?.map(\.name) == [
                "time_iso8601", "remote_addr", "http_user_agent", "request_time", "upstream_response_time", "host",
            ])
        let event = try parser.parse(
            #"{"t":"2026-11-22T07:00:01+00:00","a":"::1","ua":"q\"\\\u001B\n","rt":0.125,"up":"0.1, 0.2 : -","n":""}"#)
        #expect(event["time_iso8601"] == .timestamp(Timestamp(milliseconds: 1_795_330_801_000)))
        #expect(event["http_user_agent"] == .string("q\"\\\u{1b}\n"))
        #expect(event["request_time"] == .double(0.125))
        #expect(event["upstream_response_time"] == .string("0.1, 0.2 : -"))
        #expect(event["host"] == .string(""))
    }

    @Test func knownVariablesAreTyped() throws {
        let parser = NginxLineParser(
            try LogFormat("$msec $request_time $status $bytes_sent $pipe $gzip_ratio $connection_requests $status"))
        let event = try parser.parse("1795330801.250 0.003 009 12345678901 . 3.51 7 009")
        #expect(
            event.fields == [
                Field("msec", .double(1_795_330_801.25)), Field("request_time", .double(0.003)),
                Field("status", .int(9)),
                Field("bytes_sent", .int(12_345_678_901)), Field("pipe", .string(".")),
                Field("gzip_ratio", .double(3.51)),
                Field("connection_requests", .int(7)),
            ])
    }

    @Test(arguments: [
        "", "x", #"203.0.113.9 - frank [22/Nov/2026:07:00:01 +0000] "GET / HTTP/1.1" 2xx 2326 "-" "-""#,
        #"203.0.113.9 - frank [22/Nov/2026:07:00:01 +0000] "GET / HTTP/1.1" 200 2326 "-" "-"#,
        #"203.0.113.9 - frank [22/Foo/2026:07:00:01 +0000] "GET / HTTP/1.1" 200 2326 "-" "-""#,
        #"203.0.113.9 - frank [22/Nov/2026:07:00:01 +0000] "GET / HTTP/1.1" 200 2326 "-" "-" more"#,
    ])
    func otherLinesAreErrors(line: String) {
        #expect(throws: ParseError.self) { try NginxLineParser.combined.parse(line) }
    }

    @Test func errorsSayWhatWasWanted() {
        let error = #expect(throws: ParseError.self) {
            try NginxLineParser.combined.parse(#"::1 - - [22/Nov/2026:07:00:01 +0000] "GET / HTTP/1.1" abc 1 "-" "-""#)
        }
        #expect(error?.description == "$status is no int (byte 54)")
    }

    /// A line made to send the parser back and forth ends in an error, soon.
    @Test func ambiguityIsLimited() throws {
        let parser = NginxLineParser(try LogFormat("$a $b $c $d $e $f $g $h $status", escape: .none))
        let line = String(repeating: "x ", count: 20_000) + "y"
        #expect(throws: ParseError.self) { try parser.parse(line) }
    }

    @Test(arguments: [
        ("$remote_addr$status", 13, "nothing stands between $remote_addr and $status"),
        ("plain", 1, "names no variable"),
        ("$remote_addr ${status", 14, "no closing brace"), ("a $ b", 3, "variable's name is wanted"),
        ("log_format main escape=jsn '$a'", 17, "did you mean 'json'?"), ("log_format main '$a", 17, "never closed"),
        ("log_format '$a';", 1, "log_format NAME 'FORMAT'; is wanted"),
    ])
    func formatsThatCannotBeCompiled(format: String, column: Int, message: String) {
        let error = #expect(throws: LogFormatError.self) { try LogFormat(format) }
        #expect(error?.column == column)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
}
