/// The least bytes that a value takes on the wire: what an array's count is checked against.
struct WireSize {
    let message: Message

    /// The least over the versions, all of which are flexible or none is.
    func bytesMin(ofStruct name: String, versions: VersionRange, flexible: Bool) -> Int {
        guard let structure = message.structure(named: name) else { preconditionFailure("\(name) was checked") }
        let range = versions.intersection(message.versions)
        return (range.lower...range.upper).map { bytes(of: structure, version: $0, flexible: flexible) }.min() ?? 1
    }

    private func bytes(of structure: Struct, version: Int, flexible: Bool) -> Int {
        var sum = flexible ? 1 : 0
        for field in structure.fields where field.versions.contains(version) && field.tag == nil {
            sum += bytes(of: field, version: version, flexible: flexible && !field.isFixed)
        }
        return max(sum, 1)
    }

    private func bytes(of field: Field, version: Int, flexible: Bool) -> Int {
        switch field.type {
        case .bool, .int8: return 1
        case .int16, .uint16: return 2
        case .int32, .uint32: return 4
        case .int64, .float64: return 8
        case .uuid: return 16
        case .string: return flexible ? 1 : 2
        case .bytes, .records, .externalRecords, .array: return flexible ? 1 : 4
        case .structure(let name):
            if field.nullable.contains(version) { return 1 }
            guard let inner = message.structure(named: name) else { preconditionFailure("\(name) was checked") }
            return bytes(of: inner, version: version, flexible: flexible)
        }
    }
}
