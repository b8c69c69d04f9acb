import Base
import Foundation
import KafkaWire
import NIOCore
import Testing
import WireSchema

/// Bytes that Kafka's own Java client wrote; see `Fixtures/README.md`.
@Suite struct GoldenTests {
    struct Line: Sendable {
        var name: String
        var version: Int16
        var isFull: Bool
        var bytes: [UInt8]
        var json: String?
    }

    static let lines: [String: [Line]] = {
        guard
            let text = try? String(
                contentsOfFile: "\(Catalog.root)/Tests/KafkaWireTests/Fixtures/golden.txt", encoding: .utf8)
        else { fatalError("golden.txt is missing") }
        var lines: [Line] = []
        for row in text.split(separator: "\n") {
            let cells = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let bytes = stride(from: 0, to: cells[3].utf8.count, by: 2).compactMap { place in
                UInt8(cells[3].dropFirst(place).prefix(2), radix: 16)
            }
            guard let version = Int16(cells[1]) else { fatalError("\(row)") }
            lines.append(
                Line(
                    name: cells[0], version: version, isFull: cells[2] == "full", bytes: bytes,
                    json: cells.count > 4 ? cells[4] : nil))
        }
        return Dictionary(grouping: lines, by: \.name)
    }()

    /// The coordinator's records are not part of Kafka's client.
    static let names = Catalog.names.filter { Catalog.codec($0).message.recordType == nil }

    @Test(arguments: names)
    func agreesWithTheJavaClient(name: String) throws {
        func check<Content: WireMessage>(_: Content.Type) throws {
            let lines = try #require(Self.lines[name])
            #expect(Set(lines.map(\.version)) == Set(Content.versions))
            for line in lines {
                var reader = WireReader(ByteBuffer(bytes: line.bytes))
                let message = try Content(from: &reader, version: line.version)
                #expect(reader.isAtEnd, "\(name) v\(line.version)")
                let written = try message.encoded(version: line.version)
                #expect(Array(written.readableBytesView) == line.bytes, "\(name) v\(line.version) full: \(line.isFull)")
                guard let json = line.json else { continue }
                let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
                let codec = Catalog.codec(name)
                let value = try JSONValues(message: codec.message).value(object, codec.message.fields)
                let difference = value.difference(from: WireValue(reflecting: message))
                #expect(difference == nil, "\(name) v\(line.version)")
            }
        }
        try check(Catalog.type(name))
    }

    /// What clients send in good faith stays well below the memory that `WireReader` allows.
    @Test func honestMessagesNeedLittleMemory() throws {
        func worst<Content: WireMessage>(_: Content.Type, _ lines: [Line]) -> Int {
            var worst = 0
            for line in lines where line.isFull {
                let needed = (0...WireReader.heapBytesPerWireByte).first { factor in
                    var reader = WireReader(ByteBuffer(bytes: line.bytes), heapBytesMax: factor * line.bytes.count)
                    return (try? Content(from: &reader, version: line.version)) != nil
                }
                worst = max(worst, needed ?? .max)
            }
            return worst
        }
        for (name, lines) in Self.lines {
            let factor = worst(Catalog.type(name), lines)
            #expect(factor < WireReader.heapBytesPerWireByte, "\(name)")
        }
    }

    /// Bare messages hold defaults and nulls: what `init()` gives writes the same wherever no null stands.
    @Test func defaultsAreTheJavaClients() throws {
        func written<Content: WireMessage>(_: Content.Type, _ version: Int16) -> [UInt8]? {
            (try? Content().encoded(version: version)).map { Array($0.readableBytesView) }
        }
        var same = 0
        for name in Self.names {
            for line in Self.lines[name] ?? [] where !line.isFull {
                let fields = Catalog.codec(name).message.fields
                if fields.contains(where: { $0.nullable.contains(Int(line.version)) && $0.defaultValue != "null" }) {
                    continue
                }
                #expect(written(Catalog.type(name), line.version) == line.bytes, "\(name) v\(line.version)")
                same += 1
            }
        }
        #expect(same > 300)
    }
}

/// Reads what a JsonConverter wrote.
struct JSONValues {
    struct Unexpected: Error {
        var value: String
        var type: FieldType
    }

    let message: Message

    func value(_ object: Any, _ fields: [Field]) throws -> WireValue {
        guard let object = object as? [String: Any] else { throw Unexpected(value: "\(object)", type: .bool) }
        var values: [String: WireValue] = [:]
        for field in fields {
            // Tagged fields at their default are left out, and records are never in JSON.
            guard let value = object[field.name], !field.isRecords else { continue }
            values[field.name] = value is NSNull ? .null : try self.value(value, field.type)
        }
        return .structure(values)
    }

    private func value(_ object: Any, _ type: FieldType) throws -> WireValue {
        switch (type, object) {
        case (.bool, let value as Bool): return .bool(value)
        case (.int8, let value as NSNumber), (.int16, let value as NSNumber), (.uint16, let value as NSNumber),
            (.int32, let value as NSNumber), (.uint32, let value as NSNumber), (.int64, let value as NSNumber):
            return .int(value.int64Value)
        case (.float64, let value as NSNumber): return .double(bits: value.doubleValue.bitPattern)
        case (.string, let value as String): return .string(value)
        case (.uuid, let value as String):
            guard let id = KafkaUUID(value) else { throw Unexpected(value: value, type: type) }
            return .uuid(id)
        case (.bytes, let value as String):
            guard let data = Data(base64Encoded: value) else { throw Unexpected(value: value, type: type) }
            return .bytes(Array(data))
        case (.array(let element), let values as [Any]): return .array(try values.map { try value($0, element) })
        case (.structure(let name), _): return try value(object, message.structure(named: name)?.fields ?? [])
        default: throw Unexpected(value: "\(object)", type: type)
        }
    }
}

extension Field {
    fileprivate var isRecords: Bool { type == .records || type == .externalRecords }
}
