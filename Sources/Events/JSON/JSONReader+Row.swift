/// Reads one object straight into a row: text that needs no change stays where it is.
extension JSONReader {
    /// The whole document. Returns nil, or the type of a document that is no object.
    mutating func fill(_ row: inout Row) throws(JSONError) -> ValueType? {
        row.beginGrowing()
        skipBlanks()
        guard place < bytes.count, bytes[place] == UInt8(ascii: "{") else { return try document().type }
        try nested { (reader) throws(JSONError) -> Void in try reader.members(of: &row) }
        skipBlanks()
        guard place == bytes.count else { throw JSONError(at: place, "something follows the value") }
        return nil
    }

    private mutating func members(of row: inout Row) throws(JSONError) {
        skipBlanks()
        if take("}") { return }
        while true {
            skipBlanks()
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else {
                throw JSONError(at: place, "a name in quotes is wanted here")
            }
            let name = try text(in: &row.arena)
            skipBlanks()
            guard take(":") else { throw JSONError(at: place, "a colon is wanted after the name") }
            skipBlanks()
            row.append(try cell(of: &row), named: name)
            skipBlanks()
            if take("}") { return }
            guard take(",") else { throw JSONError(at: place, "a comma or } is wanted here") }
        }
    }

    private mutating func cell(of row: inout Row) throws(JSONError) -> Cell {
        if place < bytes.count, bytes[place] == UInt8(ascii: "\"") { return .text(try text(in: &row.arena)) }
        let value = try value()
        switch value {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .double(let double): return .double(double)
        case .list, .object: return .json(row.json(of: value))
        case .string, .timestamp: preconditionFailure("JSON has no such value here")
        }
    }

    private mutating func text(in arena: inout ByteArena) throws(JSONError) -> UnsafeRawBufferPointer {
        let start = place + 1
        if let plain = try plainString() { return TextRepair.text(plain, in: &arena) }
        let bytes = try escapedString(from: start)
        return bytes.withUnsafeBytes {
            TextRepair.isValid($0) ? arena.copy($0) : arena.copy(TextRepair.repaired($0))
        }
    }
}
