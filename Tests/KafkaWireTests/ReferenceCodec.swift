import Base
import TestKit
import WireSchema

/// A second codec, slow and written apart from the generated one: it walks the schema and knows nothing of Swift's structs.
struct ReferenceCodec {
    let message: Message

    // MARK: Random values

    func random(version: Int, using random: inout SeededRandom) -> WireValue {
        structure(message.fields, version, &random)
    }

    private func structure(_ fields: [Field], _ version: Int, _ random: inout SeededRandom) -> WireValue {
        var values: [String: WireValue] = [:]
        for field in fields where field.versions.contains(version) {
            values[field.name] = value(field, version, &random)
        }
        return .structure(values)
    }

    private func value(_ field: Field, _ version: Int, _ random: inout SeededRandom) -> WireValue {
        if field.nullable.contains(version), random.oneIn(4) { return .null }
        if field.tag != nil, random.oneIn(3) { return defaultValue(field, version) }
        return value(field.type, version, &random)
    }

    private func value(_ type: FieldType, _ version: Int, _ random: inout SeededRandom) -> WireValue {
        switch type {
        case .bool: return .bool(random.oneIn(2))
        case .int8: return .int(Int64(Int8.random(in: .min ... .max, using: &random)))
        case .int16: return .int(Int64(Int16.random(in: .min ... .max, using: &random)))
        case .uint16: return .int(Int64(UInt16.random(in: .min ... .max, using: &random)))
        case .int32: return .int(Int64(Int32.random(in: .min ... .max, using: &random)))
        case .uint32: return .int(Int64(UInt32.random(in: .min ... .max, using: &random)))
        case .int64: return .int(Int64.random(in: .min ... .max, using: &random))
        case .float64: return .double(bits: random.next())
        case .uuid: return .uuid(KafkaUUID(high: random.next(), low: random.next()))
        case .string: return .string(text(&random))
        case .bytes, .records, .externalRecords:
            return .bytes((0..<length(&random)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case .structure(let name): return structure(fields(of: name), version, &random)
        case .array(let element):
            return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in value(element, version, &random) })
        }
    }

    private func text(_ random: inout SeededRandom) -> String {
        let letters: [Character] = ["a", "b", "Z", "-", "0", "é", "水", "😀"]
        return String((0..<length(&random)).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    }

    /// Mostly short; now and then beyond what one byte of a varint holds.
    private func length(_ random: inout SeededRandom) -> Int {
        Int.random(in: 0...(random.oneIn(12) ? 300 : 12), using: &random)
    }

    // MARK: Defaults

    private func defaultValue(_ field: Field, _ version: Int) -> WireValue {
        if field.defaultValue == "null" { return .null }
        switch field.type {
        case .bool: return .bool(field.defaultValue == "true")
        case .int8, .int16, .uint16, .int32, .uint32, .int64: return .int(Int64(field.defaultValue ?? "0") ?? 0)
        case .float64: return .double(bits: 0)
        case .uuid: return .uuid(.zero)
        case .string: return .string("")
        case .bytes: return .bytes([])
        case .records, .externalRecords: return .null
        case .array: return .array([])
        case .structure(let name):
            var values: [String: WireValue] = [:]
            for field in fields(of: name) where field.versions.contains(version) {
                values[field.name] = defaultValue(field, version)
            }
            return .structure(values)
        }
    }

    private func fields(of name: String) -> [Field] { message.structure(named: name)?.fields ?? [] }

    // MARK: Bytes

    /// - Parameter unknownTags: puts a tagged field that nobody knows into every tagged section.
    func encode(_ value: WireValue, version: Int, unknownTags: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        write(message.fields, value, version, unknownTags, &bytes)
        return bytes
    }

    private func write(
        _ fields: [Field], _ value: WireValue, _ version: Int, _ unknownTags: Bool, _ bytes: inout [UInt8]
    ) {
        guard case .structure(let values) = value else { fatalError("\(value) is no structure") }
        var tagged: [(tag: Int, bytes: [UInt8])] = unknownTags ? [(1000, [1, 2, 3])] : []
        for field in fields where field.versions.contains(version) {
            guard let value = values[field.name] else { fatalError("\(field.name) is missing") }
            guard let tag = field.tag else {
                write(field, value, version, unknownTags, &bytes)
                continue
            }
            if value == defaultValue(field, version) { continue }
            var content: [UInt8] = []
            write(field, value, version, unknownTags, &content)
            tagged.append((tag, content))
        }
        guard message.flexible.contains(version) else { return }
        varint(tagged.count, &bytes)
        for (tag, content) in tagged.sorted(by: { $0.tag < $1.tag }) {
            varint(tag, &bytes)
            varint(content.count, &bytes)
            bytes += content
        }
    }

    private func write(
        _ field: Field, _ value: WireValue, _ version: Int, _ unknownTags: Bool, _ bytes: inout [UInt8]
    ) {
        let flexible = message.flexible.contains(version) && !field.isFixed
        if case .structure = field.type, field.nullable.contains(version) {
            bytes.append(value == .null ? 0xff : 1)
            if value == .null { return }
        }
        write(field.type, value, version, flexible, unknownTags, &bytes)
    }

    private func write(
        _ type: FieldType, _ value: WireValue, _ version: Int, _ flexible: Bool, _ unknownTags: Bool,
        _ bytes: inout [UInt8]
    ) {
        switch (type, value) {
        case (.bool, .bool(let value)): bytes.append(value ? 1 : 0)
        case (.int8, .int(let value)): number(value, 1, &bytes)
        case (.int16, .int(let value)), (.uint16, .int(let value)): number(value, 2, &bytes)
        case (.int32, .int(let value)), (.uint32, .int(let value)): number(value, 4, &bytes)
        case (.int64, .int(let value)): number(value, 8, &bytes)
        case (.float64, .double(let bits)): number(Int64(bitPattern: bits), 8, &bytes)
        case (.uuid, .uuid(let value)):
            number(Int64(bitPattern: value.high), 8, &bytes)
            number(Int64(bitPattern: value.low), 8, &bytes)
        case (.string, .string(let text)):
            length(text.utf8.count, width: 2, flexible, &bytes)
            bytes += Array(text.utf8)
        case (.string, .null): length(-1, width: 2, flexible, &bytes)
        case (.bytes, .bytes(let content)), (.records, .bytes(let content)), (.externalRecords, .bytes(let content)):
            length(content.count, width: 4, flexible, &bytes)
            bytes += content
        case (_, .null): length(-1, width: 4, flexible, &bytes)
        case (.array(let element), .array(let values)):
            length(values.count, width: 4, flexible, &bytes)
            for value in values { write(element, value, version, flexible, unknownTags, &bytes) }
        case (.structure(let name), .structure): write(fields(of: name), value, version, unknownTags, &bytes)
        default: fatalError("\(value) is no \(type)")
        }
    }

    private func length(_ length: Int, width: Int, _ flexible: Bool, _ bytes: inout [UInt8]) {
        if flexible { varint(length + 1, &bytes) } else { number(Int64(length), width, &bytes) }
    }

    private func number(_ value: Int64, _ width: Int, _ bytes: inout [UInt8]) {
        for place in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(8 * place))) }
    }

    private func varint(_ value: Int, _ bytes: inout [UInt8]) {
        var rest = value
        while rest > 127 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
