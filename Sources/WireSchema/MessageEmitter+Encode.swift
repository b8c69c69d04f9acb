extension MessageEmitter {
    func emitEncode(_ structure: Struct, into out: inout SwiftText) {
        out.block("public func encode(into writer: inout WireWriter, version: Int16) throws(WireError)") { out in
            if isMessage(structure) { emitVersionCheck(into: &out) }
            emitFlexible(structure, into: &out)
            for field in structure.fields where field.tag == nil { emitWrite(field, in: structure, into: &out) }
            for field in structure.fields where field.tag != nil { emitRefusal(of: field, in: structure, into: &out) }
            when(message.flexible, in: structure, &out) { emitTaggedEncode(structure, into: &$0) }
        }
    }

    private func emitWrite(_ field: Field, in structure: Struct, into out: inout SwiftText) {
        guard let condition = SwiftNames.condition(field.versions, within: structure.versions) else {
            return emitValue(field, in: structure, isTagged: false, into: &out)
        }
        let refusal = refusal(of: field, in: structure)
        out.block("if \(condition)", tail: refusal.map { " else if \(SwiftNames.isSet(field)) { \($0) }" } ?? "") {
            out in
            emitValue(field, in: structure, isTagged: false, into: &out)
        }
    }

    /// A tagged field that the version lacks.
    private func emitRefusal(of field: Field, in structure: Struct, into out: inout SwiftText) {
        guard let condition = SwiftNames.condition(field.versions, within: structure.versions) else { return }
        guard let refusal = refusal(of: field, in: structure) else { return }
        out.line("if !(\(condition)) && \(SwiftNames.isSet(field)) { \(refusal) }")
    }

    private func refusal(of field: Field, in structure: Struct) -> String? {
        field.isIgnorable ? nil : "throw WireError.unsupportedField(\"\(path(of: field, in: structure))\", version)"
    }

    private func path(of field: Field, in structure: Struct) -> String {
        (isMessage(structure) ? "" : message.name + ".") + structure.name + "." + field.name
    }

    private func emitValue(_ field: Field, in structure: Struct, isTagged: Bool, into out: inout SwiftText) {
        let name = SwiftNames.property(field.name)
        guard field.isOptional else { return out.line(writeStatement(field, name, isNullable: false, isTagged)) }
        guard let condition = SwiftNames.condition(field.nullable, within: field.versions) else {
            return out.line(writeStatement(field, name, isNullable: true, isTagged))
        }
        out.line("if \(condition) {")
        out.line("    " + writeStatement(field, name, isNullable: true, isTagged))
        out.line("} else if let value = \(name) {")
        out.line("    " + writeStatement(field, "value", isNullable: false, isTagged))
        out.line("} else {")
        out.line("    throw WireError.nullField(\"\(path(of: field, in: structure))\", version)")
        out.line("}")
    }

    private func writeStatement(_ field: Field, _ value: String, isNullable: Bool, _ isTagged: Bool) -> String {
        let flexible = field.isFixed ? "false" : isTagged ? "true" : flexibility(in: field.versions)
        let write = isNullable ? "try writer.writeNullable" : "try writer.write"
        switch field.type {
        case .bool, .int8, .int16, .uint16, .int32, .uint32, .int64, .float64, .uuid: return "writer.write(\(value))"
        case .string, .bytes, .records, .externalRecords: return "\(write)(\(value), \(flexible))"
        case .structure:
            return isNullable
                ? "try writer.writeNullableStruct(\(value), version)"
                : "try \(value).encode(into: &writer, version: version)"
        case .array(.structure): return "\(write)(\(value), \(flexible), version)"
        case .array: return "\(write)(\(value), \(flexible))"
        }
    }

    /// Only values other than the default are written, in the order of their tags.
    private func emitTaggedEncode(_ structure: Struct, into out: inout SwiftText) {
        if flexibility(in: structure.versions) == "false" { return }
        let context = structure.versions.intersection(message.flexible)
        let tagged = structure.fields.filter { $0.tag != nil }.sorted { ($0.tag ?? 0) < ($1.tag ?? 0) }
        if tagged.isEmpty { return out.line("writer.writeUnsignedVarint(0)") }
        for field in tagged {
            let condition = SwiftNames.condition(field.versions, within: context).map { $0 + " && " } ?? ""
            out.line("let has\(capital(field.name)): Bool = \(condition)\(SwiftNames.isSet(field))")
        }
        out.line("var taggedCount: UInt32 = 0")
        for field in tagged { out.line("if has\(capital(field.name)) { taggedCount += 1 }") }
        out.line("writer.writeUnsignedVarint(taggedCount)")
        for field in tagged {
            out.block("if has\(capital(field.name))") { out in
                out.line("let start: Int = writer.beginTaggedField(\(field.tag ?? 0))")
                emitValue(field, in: structure, isTagged: true, into: &out)
                out.line("try writer.endTaggedField(start)")
            }
        }
    }

    private func capital(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }
}
