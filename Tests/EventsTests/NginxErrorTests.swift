import Base
import Events
import Testing

@Suite struct NginxErrorTests {
    private func event(_ line: String, zone: Int = 0) throws -> Event {
        try NginxErrorLineParser(zone: zone).parse(line)
    }

    @Test func whatNginxSaysOfARequestBecomesFields() throws {
        let event = try event(
            #"2026/11/22 07:04:05 [error] 31#32: *42 open() "/srv/x" failed (2: No such file or directory), client: 203.0.113.7, server: example.com, request: "GET /x HTTP/1.1", upstream: "http://10.0.0.1:80/x", host: "example.com", referrer: "http://a/""#
        )
        #expect(event["time"] == .timestamp(Timestamp(milliseconds: 1_795_331_045_000)))
        #expect(event["level"] == .string("error") && event["pid"] == .int(31) && event["tid"] == .int(32))
        #expect(event["connection"] == .int(42))
        #expect(event["message"] == .string(#"open() "/srv/x" failed (2: No such file or directory)"#))
        #expect(event["client"] == .string("203.0.113.7") && event["server"] == .string("example.com"))
        #expect(event["request"] == .string("GET /x HTTP/1.1") && event["upstream"] == .string("http://10.0.0.1:80/x"))
        #expect(event["host"] == .string("example.com") && event["referrer"] == .string("http://a/"))
        #expect(event["subrequest"].isNull && event["login"].isNull)
    }

    @Test func aLineOfTheMasterHasAMessageAlone() throws {
        let event = try event("2026/11/22 07:04:05 [notice] 1#1: signal process started", zone: 3600)
        #expect(event["time"] == .timestamp(Timestamp(milliseconds: 1_795_327_445_000)))
        #expect(event["connection"].isNull && event["client"].isNull)
        #expect(event["message"] == .string("signal process started"))
    }

    @Test func aRequestMayHoldQuotesAndALineMayBeCutOff() throws {
        let start = "2026/11/22 07:04:05 [info] 1#1: *5 client sent invalid request, client: ::1, server: , request: "
        let quotes = try event(start + #""GET /"a" HTTP/1.0", host: "h""#)
        #expect(quotes["request"] == .string(#"GET /"a" HTTP/1.0"#) && quotes["host"] == .string("h"))
        #expect(quotes["server"] == .string("") && quotes["client"] == .string("::1"))
        let cut = try event(start + #""GET /aaaa"#)
        #expect(cut["request"] == .string("GET /aaaa"))
    }

    @Test func whatOnlyLooksLikeDetailsStaysInTheMessage() throws {
        let event = try event(#"2026/11/22 07:04:05 [warn] 1#1: a header, client: x and more, nothing: "y""#)
        #expect(event["message"] == .string(#"a header, client: x and more, nothing: "y""#) && event["client"].isNull)
    }

    @Test(arguments: [
        "", "no time [error] 1#1: x", "2026/13/22 07:04:05 [error] 1#1: x", "2026/11/22 07:04:05 [eror] 1#1: x",
        "2026/11/22 07:04:05 [error] x: y",
    ])
    func anotherShapeIsNone(line: String) { #expect(throws: ParseError.self) { try event(line) } }
}
