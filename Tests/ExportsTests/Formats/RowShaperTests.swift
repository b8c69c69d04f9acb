import Base
import Events
import Testing

@testable import Exports

@Suite struct RowShaperTests {
    private static let columns: [TableSchema.Column] = [
        .field("i", .int32), .field("l", .int64), .field("d", .double), .field("s", .string), .field("b", .bool),
        .field("day", .date), .field("at", .timestamp),
        .init("ms", .timestamp, .field(FieldPath(["ms"]), .ms)),
        .init("method", .string, .field(FieldPath(["http", "method"]), nil)),
    ]

    /// The shaped row as text, a column each: `i=1 s=x`.
    private func shaped(_ json: String, timestamp: Timestamp = .none) throws -> String {
        let shaper = RowShaper(TableSchema(fields: Self.columns), chain: FormatFixture.chain)
        var row = Row()
        var text = ""
        let line = Array(json.utf8)
        try line.withUnsafeBytes { bytes in
            // Twice: the second time everything is known already.
            for _ in 0..<2 {
                try JSONLineParser().parse(bytes, into: &row)
                let cells = shaper.shape(row, offset: Offset(7), timestamp: timestamp)
                text = zip(shaper.schema.columns, cells).filter { !$1.isNull && !$0.name.hasPrefix("kafka_") }
                    .map { "\($0.name)=\($1.value.json)" }.joined(separator: " ")
            }
        }
        return text
    }

    @Test(arguments: [
        (#"{"i":5,"l":-5,"d":0.5,"s":"x","b":true}"#, #"i=5 l=-5 d=0.5 s="x" b=true"#),
        (#"{"i":"5","l":"-5","d":"0.5","s":7,"b":"false"}"#, #"i=5 l=-5 d=0.5 s="7" b=false"#),
        (#"{"l":5.0,"d":5}"#, "l=5 d=5.0"), (#"{"i":null,"x":null}"#, ""),
        (#"{"i":2147483648}"#, #"_extra="{\"i\":2147483648}""#),
        (#"{"l":5.5,"d":9007199254740993,"b":1}"#, #"_extra="{\"l\":5.5,\"d\":9007199254740993,\"b\":1}""#),
        (#"{"s":{"a":[1]},"new":[true]}"#, #"s="{\"a\":[1]}" _extra="{\"new\":[true]}""#),
        (#"{"day":"1969-12-31","at":"1969-12-31T23:59:59.999999Z"}"#, "day=-1 at=-1"),
        (#"{"day":"2026-11-31","at":"noon"}"#, #"_extra="{\"day\":\"2026-11-31\",\"at\":\"noon\"}""#),
        (#"{"ms":1795330801000,"at":5}"#, #"ms=1795330801000000 _extra="{\"at\":5}""#),
        (#"{"http":{"method":"GET","x":1}}"#, #"method="GET" _extra="{\"http\":{\"method\":\"GET\",\"x\":1}}""#),
        (#"{"s":"first","s":"last"}"#, #"s="last""#),
    ])
    func whatFitsIsTakenAndTheRestIsKept(json: String, wanted: String) throws {
        #expect(try shaped(json) == wanted)
    }

    @Test func whereTheRecordCameFromIsAlwaysThere() throws {
        let shaper = RowShaper(TableSchema(fields: []), chain: FormatFixture.chain)
        let row = Row()
        let cells = shaper.shape(row, offset: Offset(7), timestamp: Timestamp(milliseconds: 3))
        #expect(cells.map(\.value) == [.null, .string("topic"), .int(3), .int(7), .int(3000)])
        #expect(shaper.shape(row, offset: Offset(8), timestamp: .none).last?.isNull == true)
    }

    @Test func derivedNamesAreTakenByEveryEngine() {
        let columns = TableSchema.derived(
            from: [("status", .int), ("dt", .string), ("Status", .int), ("1", .string), ("a-b", .list)],
            kafka: KafkaColumns(), layout: TableLayout())
        #expect(columns.map(\.name) == ["status", "dt_", "Status_", "_1", "a_b"])
        #expect(columns.map(\.type) == [.int64, .string, .int64, .string, .string])
        #expect(TableSchema(fields: columns).problem(with: TableLayout()) == nil)
        #expect(TableSchema(fields: [.field("Dt", .bool)]).problem(with: TableLayout())?.contains("'dt'") == true)
        #expect(TableSchema(fields: [.field("a b", .bool)]).problem(with: TableLayout()) != nil)
    }
}
