import Base
import Foundation
import Testing

@testable import Agent

/// A message's parts as text.
private struct Parts: Equatable {
    var form: SyslogMessage.Form
    var priority: Int
    var timestamp: String?
    var host: String?
    var app: String?
    var process: String?
    var messageID: String?
    var structured: String?
    var message: String
}

private func parse(_ text: String) -> Parts { parse(Array(text.utf8)) }

private func parse(_ bytes: [UInt8]) -> Parts {
    bytes.withUnsafeBytes { bytes in
        let parsed = SyslogMessage(bytes)
        func text(_ range: Range<Int>?) -> String? { range.map { String(decoding: bytes[$0], as: UTF8.self) } }
        return Parts(
            form: parsed.form, priority: parsed.facility * 8 + parsed.severity, timestamp: text(parsed.timestamp),
            host: text(parsed.host), app: text(parsed.app), process: text(parsed.process),
            messageID: text(parsed.messageID), structured: text(parsed.structured), message: text(parsed.message)!)
    }
}

private func json(_ text: String, _ settings: SyslogSettings = SyslogSettings(), sender: [UInt8] = []) throws
    -> [String: Any]
{
    let value = record(Array(text.utf8), settings, sender: sender)
    return try #require(try JSONSerialization.jsonObject(with: Data(value)) as? [String: Any])
}

private func record(_ message: [UInt8], _ settings: SyslogSettings, sender: [UInt8] = []) -> [UInt8] {
    let format = SyslogFormat(settings: settings, host: "web")
    var value: [UInt8] = []
    message.withUnsafeBytes { message in
        sender.withUnsafeBytes { sender in
            _ = format.append(
                SpoolFormat.Frame(
                    received: Timestamp(milliseconds: 1_700_000_000_123), sender: sender, message: message, byteCount: 0
                ),
                to: &value)
        }
    }
    return value
}

@Suite struct SyslogMessageTests {
    /// RFC 5424 §6.5, examples 1 to 4.
    @Test func theExamplesOfRFC5424() {
        #expect(
            parse(
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{FEFF}'su root' failed for lonvick on /dev/pts/8"
            )
                == Parts(
                    form: .rfc5424, priority: 34, timestamp: "2003-10-11T22:14:15.003Z", host: "mymachine.example.com",
                    app: "su", messageID: "ID47", message: "'su root' failed for lonvick on /dev/pts/8"))
        #expect(
            parse("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.")
                == Parts(
                    form: .rfc5424, priority: 165, timestamp: "2003-08-24T05:14:15.000003-07:00", host: "192.0.2.1",
                    app: "myproc", process: "8710", message: "%% It's time to make the do-nuts."))
        let element = "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]"
        let prefix = "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
        #expect(parse("\(prefix)\(element) \u{FEFF}An application event log entry...").structured == element)
        let two = element + "[examplePriority@32473 class=\"high\"]"
        let bare = parse(prefix + two)
        #expect(bare.structured == two && bare.message.isEmpty && bare.app == "evntslog")
    }

    /// RFC 3164 §5.4, examples 1 to 4, with what is made of them.
    @Test func theExamplesOfRFC3164() {
        #expect(
            parse("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8")
                == Parts(
                    form: .rfc3164, priority: 34, timestamp: "Oct 11 22:14:15", host: "mymachine", app: "su",
                    message: "'su root' failed for lonvick on /dev/pts/8"))
        #expect(
            parse("Use the BFG!") == Parts(form: .none, priority: 13, message: "Use the BFG!"))
        let third = parse(
            "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.  %%  Ingredients: Mix=OK, Jelly=OK # Devices: Mixer=OK, Jelly_Injector=OK, Frier=OK # Transport: Conveyer1=OK, Conveyer2=OK # %%"
        )
        #expect(third.timestamp == "Aug 24 05:34:00" && third.host == "CST")
        #expect(third.message.hasPrefix("1987 mymachine myproc[10]: %% It's time"))
        #expect(
            parse("<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!")
                == Parts(
                    form: .rfc3164, priority: 0,
                    message: "1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!")
        )
    }

    @Test func whatProgramsReallySend() {
        #expect(
            parse("<190>Nov  7 06:00:00 web nginx: 10.0.0.1 - - \"GET / HTTP/1.1\" 200")
                == Parts(
                    form: .rfc3164, priority: 190, timestamp: "Nov  7 06:00:00", host: "web", app: "nginx",
                    message: "10.0.0.1 - - \"GET / HTTP/1.1\" 200"))
        // nginx with nohostname, and the C library's syslog(3).
        #expect(
            parse("<13>Nov 27 06:00:00 cron[42]: started")
                == Parts(
                    form: .rfc3164, priority: 13, timestamp: "Nov 27 06:00:00", app: "cron", process: "42",
                    message: "started"))
        // rsyslog's RSYSLOG_ForwardFormat.
        #expect(
            parse("<30>2026-11-27T06:00:00.123456+00:00 web systemd[1]: Started x.")
                == Parts(
                    form: .rfc3164, priority: 30, timestamp: "2026-11-27T06:00:00.123456+00:00", host: "web",
                    app: "systemd", process: "1", message: "Started x."))
        #expect(parse("<13>app: no date") == Parts(form: .rfc3164, priority: 13, app: "app", message: "no date"))
        #expect(parse("<13>Nov 27 06:00:00 web no tag here").message == "no tag here")
    }

    @Test func whatIsNotUnderstoodIsMessage() {
        #expect(parse("<192>x") == Parts(form: .none, priority: 13, message: "<192>x"))
        #expect(parse("<>x").message == "<>x")
        #expect(parse("<1234>x").message == "<1234>x")
        #expect(parse("<13") == Parts(form: .none, priority: 13, message: "<13"))
        #expect(parse("").message.isEmpty)
        #expect(parse("<13>1 not a date host app - - - hello").message == "1 not a date host app - - - hello")
        #expect(parse("<13>1 - - - - - [a b=\"unclosed] hello").message == "1 - - - - - [a b=\"unclosed] hello")
        #expect(parse("<13>1 - - - - - [a b=\"quote \\\" bracket \\] end\"] m").message == "m")
        for seed in 0..<2000 {
            var random = SystemRandomNumberGenerator()
            let alphabet = Array("<>[]\"\\=: 1-aO\u{FEFF}".utf8) + [0, 0xFF]
            let noise =
                Array("<13>1 ".utf8.prefix(seed % 7))
                + (0..<(seed % 40)).map { _ in alphabet.randomElement(using: &random)! }
            _ = parse(noise)
            #expect(throws: Never.self, "\(noise)") {
                _ = try JSONSerialization.jsonObject(with: Data(record(noise, SyslogSettings())))
            }
        }
    }

    @Test func aRecordIsAnObjectOfWhatIsSaid() throws {
        let text =
            "<165>1 2003-10-11T22:14:15.003Z m evntslog 7 ID47 [a@1 iut=\"3\" path=\"c:\\x \\\"y\\\" \\] \\\\\"][b] two\nlines"
        let object = try json(text, sender: [10, 0, 0, 7])
        #expect(object["received"] as? String == "2023-11-14T22:13:20.123Z")
        #expect(object["sender"] as? String == "10.0.0.7")
        #expect(object["facility"] as? String == "local4" && object["severity"] as? String == "notice")
        #expect(object["host"] as? String == "m" && object["app"] as? String == "evntslog")
        #expect(object["process"] as? String == "7" && object["message_id"] as? String == "ID47")
        #expect(object["message"] as? String == "two\nlines")
        let structured = try #require(object["structured"] as? [String: [String: String]])
        #expect(structured == ["a@1": ["iut": "3", "path": "c:\\x \"y\" ] \\"], "b": [:]])
        let plain = try json("hello")
        #expect(Set(plain.keys) == ["received", "facility", "severity", "message"])
    }

    @Test func valuesAndKeys() {
        var settings = SyslogSettings()
        let message = Array("<13>Nov 27 06:00:00 web nginx: the line".utf8)
        settings.value = .message
        #expect(record(message, settings) == Array("the line".utf8))
        settings.value = .raw
        #expect(record(message, settings) == message)
        settings.sendersMax = 2
        settings.labels = [("team", "shop")]
        let format = SyslogFormat(settings: settings, host: "web")
        func key(_ sender: [UInt8]) -> String { sender.withUnsafeBytes { format.origin(of: $0).source.text } }
        #expect(key([]) == "web/syslog")
        #expect(key([10, 0, 0, 1]) == "web/syslog/10.0.0.1")
        #expect(key([UInt8](repeating: 0, count: 15) + [1]) == "web/syslog/::1")
        #expect(key([10, 0, 0, 3]) == "web/syslog", "no more keys than are allowed")
        #expect(key([10, 0, 0, 1]) == "web/syslog/10.0.0.1")
        let headers = [UInt8]().withUnsafeBytes { format.origin(of: $0).headers }
        #expect(headers.map(\.name) == ["format", "team"] && headers.map(\.value) == ["syslog", "shop"])
    }

    @Test func bytesThatAreNotTextAreMended() throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(record([0x61, 0xFF, 0x62, 0x00], SyslogSettings())))
                as? [String: Any])
        #expect(object["message"] as? String == "a\\xFFb\u{0}")
    }
}
