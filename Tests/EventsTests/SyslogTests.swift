import Base
import Events
import Testing

@Suite struct SyslogTests {
    private static let received = Timestamp(milliseconds: 1_795_331_045_000)  // 2026-11-22T07:04:05Z

    private func event(
        _ line: String, format: SyslogLineParser.Format = .auto, zone: Int = 0, received: Timestamp = received
    ) throws -> Event {
        var row = Row()
        let parser = SyslogLineParser(format: format, zone: zone)
        let result: Result<Event, ParseError> = Array(line.utf8).withUnsafeBytes { bytes in
            do throws(ParseError) {
                try parser.parse(bytes, received: received, into: &row)
                return .success(row.event)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func time(_ text: String) throws -> Value { .timestamp(try #require(TimeText.iso8601(text))) }

    @Test func theExamplesOfRFC5424() throws {
        let first = try event(
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8"
        )
        #expect(first["timestamp"] == (try time("2003-10-11T22:14:15.003Z")))
        #expect(first["facility"] == .string("auth") && first["severity"] == .string("crit"))
        #expect(first["severity_number"] == .int(2) && first["hostname"] == .string("mymachine.example.com"))
        #expect(first["app_name"] == .string("su") && first["proc_id"].isNull && first["msg_id"] == .string("ID47"))
        #expect(first["message"] == .string("'su root' failed for lonvick on /dev/pts/8"))
        let third = try event(
            #"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appl\"ication\]" eventID="1011"][examplePriority@32473 class="high"]"#
        )
        #expect(third["message"].isNull && third["facility"] == .string("local4"))
        #expect(
            third["structured_data"].json
                == #"{"exampleSDID@32473":{"iut":"3","eventSource":"Appl\"ication]","eventID":"1011"},"examplePriority@32473":{"class":"high"}}"#
        )
        #expect(try event("<0>1 - - - - - -")["timestamp"].isNull)
    }

    @Test func theOldFormatHasAYearNearToWhenItWasRead() throws {
        let event = try event("<34>Nov 22 07:04:05 web1 su[77]: 'su root' failed")
        #expect(event["timestamp"] == (try time("2026-11-22T07:04:05Z")))
        #expect(event["facility"] == .string("auth") && event["hostname"] == .string("web1"))
        #expect(event["app_name"] == .string("su") && event["proc_id"] == .string("77"))
        #expect(event["message"] == .string("'su root' failed"))
    }

    @Test(arguments: [
        ("Dec 31 23:59:59", "2027-01-01T00:00:10Z", "2026-12-31T23:59:59Z"),
        ("Jan  1 00:00:01", "2026-12-31T23:59:50Z", "2027-01-01T00:00:01Z"),
        ("Feb 29 12:00:00", "2028-03-01T00:00:00Z", "2028-02-29T12:00:00Z"),
    ])
    func theYearTurnsWithTheReader(text: String, read: String, wanted: String) throws {
        let received = try #require(TimeText.iso8601(read))
        #expect(try event("\(text) h a: m", received: received)["timestamp"] == (try time(wanted)))
    }

    @Test func filesHaveNoPriorityAndSometimesAWholeTime() throws {
        let new = try event("2026-11-22T08:04:05.123456+01:00 web1 CRON[9]: (root) CMD (true)")
        #expect(new["timestamp"] == (try time("2026-11-22T07:04:05.123Z")) && new["severity"].isNull)
        #expect(new["app_name"] == .string("CRON") && new["message"] == .string("(root) CMD (true)"))
        let bare = try event("Nov 22 08:04:05 web1 no tag in this message", zone: 3600)
        #expect(bare["timestamp"] == (try time("2026-11-22T07:04:05Z")) && bare["app_name"].isNull)
        #expect(bare["message"] == .string("no tag in this message"))
    }

    @Test(arguments: [
        ("<192>1 - - - - - -", SyslogLineParser.Format.auto), ("<34>Nov 22 07:04:05 h a: m", .rfc5424),
        ("<34>1 yesterday h a - - -", .auto), ("<34>1 - h a p m [id", .auto), ("<34>1 - h a p m [id a=\"x]", .auto),
        ("<34>1 - h", .auto), ("Feb 30 07:04:05 h a: m", .auto), ("", .auto),
    ])
    func anotherShapeIsNone(line: String, format: SyslogLineParser.Format) {
        #expect(throws: ParseError.self) { try event(line, format: format) }
    }

    @Test func withoutKnowingWhenItWasReadTheOldFormatHasNoTime() {
        #expect(throws: ParseError.self) { try event("Nov 22 07:04:05 h a: m", received: .none) }
    }
}
