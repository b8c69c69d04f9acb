import Base
import Events
import NIOCore
import Records
import Testing

@testable import Exports

@Suite struct TextFormatTests {
    private let columns: [TableSchema.Column] = [
        .field("s", .string), .field("b", .bool), .field("d", .double), .field("day", .date), .field("at", .timestamp),
    ]

    private func csv(_ events: [Event], codec: Codec = .none) -> [UInt8] {
        FormatFixture.file(TableFormat(.csv, codec: codec, schema: TableSchema(fields: columns)), events)
    }

    @Test func csvQuotesWhatItMustAndTellsNullFromNothing() {
        let events = [
            Event([Field("s", .string("plain")), Field("b", .bool(true)), Field("d", .double(0.5))]),
            Event([Field("s", .string(#"a "b", c"#)), Field("at", .string("1969-12-31T23:59:59.999999Z"))]),
            Event([Field("s", .string("")), Field("day", .string("2026-11-22"))]),
            Event([Field("s", .string("two\nlines")), Field("new", .int(1))]), Event([]),
        ]
        let time = "2026-11-22T07:00:01.000000Z"
        #expect(
            String(decoding: csv(events), as: UTF8.self) == """
                s,b,d,day,at,_extra,kafka_topic,kafka_partition,kafka_offset,kafka_timestamp
                plain,true,0.5,,,,topic,3,0,\(time)
                "a ""b"", c",,,,1969-12-31T23:59:59.999999Z,,topic,3,1,\(time)
                "",,,2026-11-22,,,topic,3,2,\(time)
                "two\nlines",,,,,"{""new"":1}",topic,3,3,\(time)
                ,,,,,,topic,3,4,\(time)

                """)
    }

    @Test func copyTextEscapesWhatItMust() {
        let encoder = CopyTextEncoder(TableSchema(fields: columns), chain: FormatFixture.chain)
        let events = [
            Event([Field("s", .string("a\tb\\c\nd\re\0é")), Field("b", .bool(false)), Field("d", .double(-0.5))]),
            Event([Field("s", .string("")), Field("day", .string("2026-11-22")), Field("new", .string(#"\N"#))]),
            Event([Field("at", .string("1969-12-31T23:59:59.999999Z"))]),
        ]
        var bytes: [UInt8] = []
        var row = Row()
        for (offset, event) in events.enumerated() {
            row.fill(event)
            encoder.append(
                row, offset: Offset(Int64(offset)), timestamp: Timestamp(milliseconds: 1_795_330_801_000), to: &bytes)
        }
        let time = "2026-11-22T07:00:01.000000Z"
        let lines = [
            #"a\tb\\c\nd\re\\x00é"# + "\tfalse\t-0.5\t\\N\t\\N\t\\N\ttopic\t3\t0\t\(time)",
            "\t\\N\t\\N\t2026-11-22\t\\N\t" + #"{"new":"\\\\N"}"# + "\ttopic\t3\t1\t\(time)",
            "\\N\t\\N\t\\N\t\\N\t1969-12-31T23:59:59.999999Z\t\\N\ttopic\t3\t2\t\(time)",
        ]
        #expect(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init) == lines)
    }

    @Test(arguments: [Codec.gzip, .zstd])
    func textIsCompressedBlockByBlock(codec: Codec) throws {
        let events = (0..<9000).map { Event([Field("s", .string("row \($0) " + String(repeating: "z", count: 90)))]) }
        let plain = csv(events)
        #expect(plain.count > 1_000_000)
        let decompressed = try codec.decompress(ByteBuffer(bytes: csv(events, codec: codec)), max: .mib(16))
        #expect(Array(decompressed.readableBytesView) == plain)
        let lines = FormatFixture.file(TableFormat(.jsonl, codec: codec), events)
        let text = try codec.decompress(ByteBuffer(bytes: lines), max: .mib(16))
        #expect(text.readableBytesView.split(separator: 0x0a).count == 9000)
    }

    @Test func aFieldNamedLikeAColumnOfTheTableStaysApart() throws {
        var kafka = KafkaColumns()
        kafka.offset = "o"
        let file = FormatFixture.file(
            TableFormat(.jsonl, codec: Codec.none, kafka: kafka),
            [Event([Field("dt", .int(1)), Field("o", .int(2)), Field("kafka_offset", .int(3))])])
        #expect(
            String(decoding: file, as: UTF8.self)
                == #"{"dt_":1,"o_":2,"kafka_offset":3,"kafka_topic":"topic","kafka_partition":3,"o":0,"#
                + #""kafka_timestamp":"2026-11-22T07:00:01.000Z"}"# + "\n")
    }

    @Test func avroNumbersAreZigzagAndNullsAreAByte() {
        var bytes: [UInt8] = []
        for number: Int64 in [0, -1, 1, -64, 64, .max, .min] { AvroBinary.append(number, to: &bytes) }
        var wanted: [UInt8] = [0, 1, 2, 0x7f, 0x80, 0x01]
        wanted += [0xfe] + Array(repeating: 0xff, count: 8) + [0x01]
        wanted += Array(repeating: 0xff, count: 9) + [0x01]
        #expect(bytes == wanted)
        bytes = []
        AvroBinary.append(.null, .string, to: &bytes)
        AvroBinary.append(.bool(true), .bool, to: &bytes)
        #expect(bytes == [0, 2, 1])
    }

    @Test func anAvroFileTellsItsSchema() {
        let file = FormatFixture.file(
            TableFormat(.avro, codec: Codec.none, schema: TableSchema(fields: columns)), [Event([])])
        let text = String(decoding: file, as: UTF8.self)
        #expect(text.hasPrefix("Obj\u{1}"))
        #expect(text.contains(#""name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros"}]"#))
    }
}
