/// Writes one message as a Swift struct, its own structs nested inside.
///
/// The code is plain on purpose: no closures, explicit types, one statement a field, so that the compiler is quick with it.
struct MessageEmitter {
    let message: Message
    let api: Schema.API?

    func emit(into out: inout SwiftText) {
        out.line("/// \(summary)")
        out.block("public struct \(message.name): \(protocolName)") { out in
            emitConstants(into: &out)
            out.line()
            emitBody(Struct(name: message.name, versions: message.versions, fields: message.fields), into: &out)
            for structure in message.structs {
                out.line()
                out.block("public struct \(structure.name): WireStruct") { emitBody(structure, into: &$0) }
            }
        }
    }

    private var summary: String {
        let versions = message.versions
        var text =
            versions.lower == versions.upper
            ? "Version \(versions.lower)" : "Versions \(versions.lower) to \(versions.upper)"
        if message.flexible.isEmpty {
            text += ", none flexible."
        } else {
            text += message.flexible == versions ? ", flexible." : ", flexible from \(message.flexible.lower)."
        }
        switch message.kind {
        case .request, .response:
            return "\(message.kind == .request ? "Request" : "Response") \(api?.key ?? 0). " + text
        case .data: return text
        case .recordKey, .recordValue: return "Record type \(message.recordType ?? 0) of an internal topic. " + text
        }
    }

    private var protocolName: String {
        switch message.kind {
        case .request: return "WireRequest"
        case .response: return "WireResponse"
        case .data: return "WireMessage"
        case .recordKey: return "CoordinatorKey"
        case .recordValue: return "CoordinatorValue"
        }
    }

    private func emitConstants(into out: inout SwiftText) {
        if let api, message.kind == .request { out.line("public typealias Response = \(api.name)Response") }
        out.line("public static let messageName: StaticString = \"\(message.name)\"")
        if let api, message.kind == .request || message.kind == .response {
            out.line("public static let apiKey: ApiKey = .\(SwiftNames.lowerFirst(api.name))")
        }
        if let type = message.recordType { out.line("public static let recordType: Int16 = \(type)") }
        out.line(
            "public static let versions: ClosedRange<Int16> = \(message.versions.lower)...\(message.versions.upper)")
        let flexible = SwiftNames.condition(message.flexible, within: message.versions) ?? "true"
        out.line("public static func isFlexible(_ version: Int16) -> Bool { \(flexible) }")
    }

    private func emitBody(_ structure: Struct, into out: inout SwiftText) {
        for field in structure.fields {
            if let note = note(on: field, in: structure) { out.line("/// \(note)") }
            let name = SwiftNames.member(field.name)
            out.line("public var \(name): \(SwiftNames.type(of: field)) = \(SwiftNames.defaultValue(of: field))")
        }
        out.line()
        out.line("public init() {}")
        emitMemberwise(structure, into: &out)
        out.line()
        emitDecode(structure, into: &out)
        out.line()
        emitEncode(structure, into: &out)
    }

    private func note(on field: Field, in structure: Struct) -> String? {
        var parts: [String] = []
        if !field.versions.covers(structure.versions) {
            let range = field.versions
            let text =
                range.upper >= structure.versions.upper ? "from \(range.lower)" : "\(range.lower) to \(range.upper)"
            parts.append("Versions \(text)\(field.isIgnorable ? ", dropped in others" : "").")
        }
        if field.isOptional && !field.nullable.covers(field.versions) {
            parts.append("May be null from \(field.nullable.lower).")
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    private func emitMemberwise(_ structure: Struct, into out: inout SwiftText) {
        if structure.fields.isEmpty { return }
        out.line()
        out.line("public init(")
        for (index, field) in structure.fields.enumerated() {
            let comma = index + 1 < structure.fields.count ? "," : ""
            let name = SwiftNames.member(field.name)
            out.line("    \(name): \(SwiftNames.type(of: field)) = \(SwiftNames.defaultValue(of: field))\(comma)")
        }
        out.block(")") { out in
            for field in structure.fields { out.line("self.\(field.name) = \(SwiftNames.member(field.name))") }
        }
    }

    // MARK: Shared by both directions

    func isMessage(_ structure: Struct) -> Bool { structure.name == message.name }

    func emitVersionCheck(into out: inout SwiftText) {
        out.line("guard Self.versions.contains(version) else {")
        out.line("    throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)")
        out.line("}")
    }

    /// `true`, `false`, or `flexible`, which is then a local constant.
    func flexibility(in versions: VersionRange) -> String {
        if message.flexible.intersection(versions).isEmpty { return "false" }
        return message.flexible.covers(versions) ? "true" : "flexible"
    }

    func emitFlexible(_ structure: Struct, into out: inout SwiftText) {
        let asks = structure.fields.contains { field in
            field.tag == nil && !field.isFixed && field.type.hasLength && flexibility(in: field.versions) == "flexible"
        }
        if asks {
            out.line("let flexible: Bool = version >= \(message.flexible.lower)")
        }
    }

    /// Runs `body` below the condition that the version is one of `range`.
    func when(
        _ range: VersionRange, in structure: Struct, _ out: inout SwiftText, tail: String = "",
        _ body: (inout SwiftText) -> Void
    ) {
        guard let condition = SwiftNames.condition(range, within: structure.versions) else { return body(&out) }
        out.block("if \(condition)", tail: tail, body)
    }
}
