extension MessageEmitter {
    func emitDecode(_ structure: Struct, into out: inout SwiftText) {
        out.block("public init(from reader: inout WireReader, version: Int16) throws(WireError)") { out in
            if isMessage(structure) { emitVersionCheck(into: &out) }
            out.line("self.init()")
            emitFlexible(structure, into: &out)
            for field in structure.fields where field.tag == nil {
                when(field.versions, in: structure, &out) { out in
                    out.line("\(SwiftNames.property(field.name)) = try \(readExpression(field, in: structure))")
                }
            }
            when(message.flexible, in: structure, &out) { emitTaggedDecode(structure, into: &$0) }
        }
    }

    private func emitTaggedDecode(_ structure: Struct, into out: inout SwiftText) {
        if flexibility(in: structure.versions) == "false" { return }
        let tagged = structure.fields.filter { $0.tag != nil }
        if tagged.isEmpty { return out.line("try reader.skipTaggedFields()") }
        out.line("let taggedCount: Int = try reader.readTaggedFieldCount()")
        out.block("for _ in 0..<taggedCount") { out in
            out.line("let tagged: WireReader.TaggedField = try reader.readTaggedField()")
            out.line("switch tagged.tag {")
            for field in tagged {
                let context = structure.versions.intersection(message.flexible)
                let condition = SwiftNames.condition(field.versions, within: context)
                out.line("case \(field.tag ?? 0)\(condition.map { " where \($0)" } ?? ""):")
                out.line(
                    "    \(SwiftNames.property(field.name)) = try \(readExpression(field, in: structure, isTagged: true))"
                )
            }
            out.line("default:")
            out.line("    try reader.skip(tagged)")
            out.line("}")
            out.line("try reader.checkEnd(of: tagged)")
        }
    }

    private func readExpression(_ field: Field, in structure: Struct, isTagged: Bool = false) -> String {
        let flexible = field.isFixed ? "false" : isTagged ? "true" : flexibility(in: field.versions)
        var nullable = ""
        if field.isOptional, let condition = SwiftNames.condition(field.nullable, within: field.versions) {
            nullable = "nullable: \(condition)"
        }
        func call(_ name: String, _ arguments: String...) -> String {
            let all = (arguments + [nullable]).filter { !$0.isEmpty }
            return "reader.\(name)(\(all.joined(separator: ", ")))"
        }
        switch field.type {
        case .bool: return "reader.readBool()"
        case .int8: return "reader.readInt8()"
        case .int16:
            return SwiftNames.isErrorCode(field.type, field.name) ? "reader.readErrorCode()" : "reader.readInt16()"
        case .uint16: return "reader.readUInt16()"
        case .int32: return "reader.readInt32()"
        case .uint32: return "reader.readUInt32()"
        case .int64: return "reader.readInt64()"
        case .float64: return "reader.readFloat64()"
        case .uuid: return "reader.readUUID()"
        case .string: return call(field.isOptional ? "readNullableString" : "readString", flexible)
        case .bytes, .records: return call(field.isOptional ? "readNullableBytes" : "readBytes", flexible)
        case .externalRecords: return call("readRecords", flexible)
        case .structure(let name):
            return field.isOptional ? call("readNullableStruct", "version") : "\(name)(from: &reader, version: version)"
        case .array(.structure(let name)):
            let bytesMin = "elementBytesMin: " + elementBytesMin(name, field: field)
            return call(field.isOptional ? "readNullableArray" : "readArray", flexible, "version", bytesMin)
        case .array:
            return call(field.isOptional ? "readNullableArray" : "readArray", flexible)
        }
    }

    private func elementBytesMin(_ name: String, field: Field) -> String {
        let sizes = WireSize(message: message)
        let flexible = field.versions.intersection(message.flexible)
        if flexible.isEmpty { return "\(sizes.bytesMin(ofStruct: name, versions: field.versions, flexible: false))" }
        let compact = sizes.bytesMin(ofStruct: name, versions: flexible, flexible: true)
        if flexible.covers(field.versions) || field.tag != nil { return "\(compact)" }
        let plain = VersionRange(lower: field.versions.lower, upper: flexible.lower - 1)
        let other = sizes.bytesMin(ofStruct: name, versions: plain, flexible: false)
        return compact == other ? "\(compact)" : "flexible ? \(compact) : \(other)"
    }
}
