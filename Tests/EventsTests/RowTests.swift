import Base
import Events
import Testing

@Suite struct RowTests {
    private func events(_ lines: [String], _ parser: any LineParser = JSONLineParser()) throws -> [String] {
        var row = Row()
        return try lines.map { line in
            try Array(line.utf8).withUnsafeBytes { bytes in
                try parser.parse(bytes, into: &row)
                #expect(Event(row.event.fields) == row.event)
                var written: [UInt8] = []
                JSONWriter.append(row, to: &written)
                #expect(String(decoding: written, as: UTF8.self) == row.event.json)
                return row.event.json
            }
        }
    }

    @Test func oneRowServesRecordsOfManyShapes() throws {
        let lines = [
            #"{"a":1,"b":"x"}"#, #"{"a":2,"b":"y"}"#, #"{"b":"z","a":3}"#, "{}", #"{"c":[1,{"d":null}],"a":-0.5}"#,
            #"{"a":1,"b":2,"a":3}"#, #"{"a":"é😀","\u0062":"\n"}"#, #"{"a":1,"b":"x"}"#,
        ]
        let wanted = [
            lines[0], lines[1], lines[2], "{}", lines[4], #"{"a":3,"b":2}"#, #"{"a":"é😀","b":"\n"}"#, lines[7],
        ]
        #expect(try events(lines) == wanted)
    }

    @Test func evenNewNamesWithoutEndCostNoMemoryWithoutEnd() throws {
        var row = Row()
        for number in 0..<10_000 {
            try Array(#"{"name\#(number)":\#(number),"last":true}"#.utf8).withUnsafeBytes { bytes in
                try JSONLineParser().parse(bytes, into: &row)
                #expect(row["name\(number)"] == .int(Int64(number)) && row["last"] == .bool(true))
            }
        }
        #expect(row.layout.count <= RowLayout.namesMax + 1)
    }

    @Test func aRowLooksFieldsUpAsAnEventDoes() throws {
        let line = Array(#"{"status":503,"http":{"method":"GET"},"at":"2026-11-22T07:00:00Z"}"#.utf8)
        var row = Row()
        try line.withUnsafeBytes { bytes in
            try JSONLineParser().parse(bytes, into: &row)
            for text in [
                "status >= 500", "http.method == 'GET'", "exists(http.none)", "missing != 1", "at > '2026'",
                "status in [200, 503] and http.method startsWith 'G'",
            ] {
                let expression = try Expression(text)
                #expect(
                    expression.matches(row, recordHash: 1) == expression.matches(row.event, recordHash: 1), "\(text)")
            }
            #expect(try Expression("status >= 500").matches(row, recordHash: 1))
        }
    }

    @Test func escapedTextIsWrittenAsItWasWhereverTheEscapeStands() throws {
        for length in 0..<20 {
            for character in ["\\\"", "\\\\", "\\u0001", "!", "é", "~"] {
                let padding = String(repeating: "a", count: length)
                let line = #"{"k":"\#(padding)\#(character)\#(padding)"}"#
                #expect(try events([line]) == [line])
            }
        }
    }

    @Test func microsecondsAreReadWhole() {
        func read(_ text: String) -> Int64? { Array(text.utf8).withUnsafeBytes { TimeText.iso8601Microseconds($0) } }
        #expect(read("1970-01-01T00:00:00.000001Z") == 1)
        #expect(read("1969-12-31T23:59:59.9999999Z") == -1)
        #expect(read("1970-01-01T01:00:00.5+01:00") == 500_000)
        #expect(TimeText.iso8601("1969-12-31T23:59:59.9995Z") == Timestamp(milliseconds: -1))
    }
}
