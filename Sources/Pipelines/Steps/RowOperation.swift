import Events
import Settings

/// A step after the parser that changes a record's fields, by their top-level names. A field that isn't there is no error.
public enum RowOperation: Sendable {
    case remove([String])
    case keep([String])
    /// In pairs, from and to. A field that has the new name already gives way.
    case rename([(from: String, to: String)])
    case redact([String], Redaction)

    func apply(to event: inout Event) {
        switch self {
        case .remove(let names): for name in names { event.remove(name) }
        case .keep(let names):
            let kept = Set(names)
            event = Event(event.fields.filter { kept.contains($0.name) })
        case .rename(let pairs):
            for (from, to) in pairs where event.fields.contains(where: { $0.name == from }) {
                event.remove(to)
                event = Event(event.fields.map { $0.name == from ? Field(to, $0.value) : $0 })
            }
        case .redact(let names, let redaction):
            for name in names where !event[name].isNull { event[name] = redaction.redact(event[name]) }
        }
    }

    /// What the fields are called afterwards.
    func names(after fields: [(name: String, type: ValueType)]) -> [(name: String, type: ValueType)] {
        switch self {
        case .remove(let names): return fields.filter { !names.contains($0.name) }
        case .keep(let names): return fields.filter { names.contains($0.name) }
        case .redact: return fields
        case .rename(let pairs):
            var fields = fields
            for (from, to) in pairs {
                guard let place = fields.firstIndex(where: { $0.name == from }) else { continue }
                let type = fields[place].type
                fields[place] = (to, type)
                fields = fields.enumerated().filter { $0.offset == place || $0.element.name != to }.map(\.element)
            }
            return fields
        }
    }
}

/// How what a text tells of a person is taken out of it.
public enum Redaction: String, Sendable, CaseIterable {
    /// `***`, whatever stood there.
    case mask
    /// An address's host part is zeroed: 203.0.113.7 becomes 203.0.113.0 (24 bits are kept), 2001:db8:1:2::7 becomes 2001:db8:1:: (48 bits). What is no
    /// address becomes null: it might be one in a notation that isn't known here.
    case truncateIP = "truncate_ip"

    /// - Parameter value: any but null, which tells nothing.
    func redact(_ value: Value) -> Value {
        switch (self, value) {
        case (.mask, _): .string("***")
        case (.truncateIP, .string(let text)): Self.truncated(text).map { .string($0) } ?? .null
        case (.truncateIP, _): .null
        }
    }

    private static func truncated(_ text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, !text.contains(":") {
            let bytes = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
            return bytes.count == 4 ? "\(bytes[0]).\(bytes[1]).\(bytes[2]).0" : nil
        }
        guard let groups = groups(ofIPv6: text) else { return nil }
        // One that carries an IPv4 address (::ffff:203.0.113.7) has nothing in its first 48 bits.
        let kept = groups.prefix(3).map { String($0, radix: 16) }
        if groups.prefix(3).allSatisfy({ $0 == 0 }) { return "::" }
        return kept.joined(separator: ":") + "::"
    }

    /// The eight groups; the zone of a link-local address is left out.
    private static func groups(ofIPv6 text: String) -> [UInt16]? {
        var text = text.prefix { $0 != "%" }
        guard text.contains(":"), text.utf8.count <= 45 else { return nil }
        var tail: [UInt16] = []
        if text.contains(".") {
            guard let colon = text.lastIndex(of: ":") else { return nil }
            let bytes = text[text.index(after: colon)...].split(separator: ".", omittingEmptySubsequences: false)
                .compactMap { UInt8($0) }
            guard bytes.count == 4 else { return nil }
            tail = [UInt16(bytes[0]) << 8 | UInt16(bytes[1]), UInt16(bytes[2]) << 8 | UInt16(bytes[3])]
            // The colon of `::` belongs to the gap.
            text = text[...colon]
            if !text.hasSuffix("::") { text = text.dropLast() }
        }
        let halves = String(text).split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        var read: [[UInt16]] = []
        for half in halves {
            let parts = half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
            let groups = parts.compactMap { 1...4 ~= $0.count ? UInt16($0, radix: 16) : nil }
            guard groups.count == parts.count else { return nil }
            read.append(groups)
        }
        let count = read.reduce(tail.count) { $0 + $1.count }
        if halves.count == 1 { return count == 8 ? read[0] + tail : nil }
        guard count < 8 else { return nil }
        return read[0] + Array(repeating: 0, count: 8 - count) + read[1] + tail
    }
}

extension RowOperation {
    /// Reads `remove`, `keep`, `rename` or `redact`; nil where the step is none of them.
    init?(_ mapping: inout SettingsMapping) throws(SettingsError) {
        let remove = mapping.node("remove")
        let keep = mapping.node("keep")
        let rename = mapping.node("rename")
        let redact = mapping.node("redact")
        switch (remove, keep, rename, redact) {
        case (nil, nil, nil, nil): return nil
        case (let names?, nil, nil, nil): self = .remove(try Self.names(names))
        case (nil, let names?, nil, nil): self = .keep(try Self.names(names))
        case (nil, nil, let pairs?, nil):
            var members = try pairs.mapping()
            var read: [(from: String, to: String)] = []
            for from in members.chosenNames() { read.append((from, try members.required(from).string())) }
            try members.finish()
            self = .rename(read)
        case (nil, nil, nil, let details?):
            var members = try details.mapping()
            let names = try Self.names(try members.required("fields"))
            let method = try members.required("method").choice(Redaction.self)
            try members.finish()
            self = .redact(names, method)
        default: throw SettingsError("one step stands in each entry of 'steps'", at: mapping.place)
        }
    }

    private static func names(_ node: YAMLNode) throws(SettingsError) -> [String] {
        let names = try node.strings()
        guard !names.isEmpty else { throw node.expected("at least one field") }
        return names
    }
}
