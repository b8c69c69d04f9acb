import Base
import KafkaWire
import NIOCore
import WireSchema

/// A message's values without its type, so that three sources can be compared: the reference codec, the generated structs
/// (through a mirror), and the JSON of Kafka's Java client.
enum WireValue: Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    /// By its bits, for a NaN equals nothing.
    case double(bits: UInt64)
    case string(String)
    case bytes([UInt8])
    case uuid(KafkaUUID)
    case array([WireValue])
    case structure([String: WireValue])

    /// What a generated struct, or a field of one, holds.
    init(reflecting value: Any) {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            self = mirror.children.first.map { WireValue(reflecting: $0.value) } ?? .null
            return
        }
        switch value {
        case let value as Bool: self = .bool(value)
        case let value as any FixedWidthInteger: self = .int(Int64(value))
        case let value as ErrorCode: self = .int(Int64(value.rawValue))
        case let value as Double: self = .double(bits: value.bitPattern)
        case let value as String: self = .string(value)
        case let value as ByteBuffer: self = .bytes(Array(value.readableBytesView))
        case let value as WireRecords: self = .bytes(Array(value.bytes?.readableBytesView ?? .init()))
        case let value as KafkaUUID: self = .uuid(value)
        case let value as [Any]: self = .array(value.map { WireValue(reflecting: $0) })
        default:
            var fields: [String: WireValue] = [:]
            for child in mirror.children { fields[child.label ?? "?"] = WireValue(reflecting: child.value) }
            self = .structure(fields)
        }
    }

    /// Where this and `other` differ, fields that only `other` has left aside; nil where they agree.
    func difference(from other: WireValue, path: String = "") -> String? {
        switch (self, other) {
        case (.structure(let mine), .structure(let theirs)):
            for (name, value) in mine.sorted(by: { $0.key < $1.key }) {
                guard let theirs = theirs[name] else { return "\(path).\(name) is missing" }
                if let difference = value.difference(from: theirs, path: "\(path).\(name)") { return difference }
            }
            return nil
        case (.array(let mine), .array(let theirs)):
            if mine.count != theirs.count { return "\(path) has \(theirs.count) elements, expected \(mine.count)" }
            for (index, (left, right)) in zip(mine, theirs).enumerated() {
                if let difference = left.difference(from: right, path: "\(path)[\(index)]") { return difference }
            }
            return nil
        default:
            return self == other ? nil : "\(path) is \(other), expected \(self)"
        }
    }
}

/// The schemas of this package, by message.
enum Catalog {
    static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    static let schemas: [String: Message] = {
        do {
            let files = try Folder.files(below: Generator.inputFolder, root: root)
            let messages = try Generator.schemas(from: files).flatMap(\.messages)
            return Dictionary(uniqueKeysWithValues: messages.map { ($0.name, $0) })
        } catch {
            fatalError("schemas: \(error)")
        }
    }()

    static let types: [String: any WireMessage.Type] = Dictionary(
        uniqueKeysWithValues: allMessages.map { ("\($0.messageName)", $0) })

    static let names: [String] = types.keys.sorted()

    static func codec(_ name: String) -> ReferenceCodec {
        guard let message = schemas[name] else { fatalError("no schema of \(name)") }
        return ReferenceCodec(message: message)
    }

    static func type(_ name: String) -> any WireMessage.Type {
        guard let type = types[name] else { fatalError("no message \(name)") }
        return type
    }
}
