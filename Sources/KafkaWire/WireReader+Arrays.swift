extension WireReader {
    mutating func readArray<Element: WireStruct>(
        _ flexible: Bool, _ version: Int16, elementBytesMin: Int
    ) throws(WireError) -> [Element] {
        let elements: [Element]? = try readNullableArray(flexible, version, elementBytesMin: elementBytesMin)
        guard let elements else { throw WireError.unexpectedNull(at: position) }
        return elements
    }

    mutating func readNullableArray<Element: WireStruct>(
        _ flexible: Bool, _ version: Int16, elementBytesMin: Int, nullable: Bool = true
    ) throws(WireError) -> [Element]? {
        let stride = MemoryLayout<Element>.stride
        guard let count = try readArrayCount(flexible, elementBytesMin: elementBytesMin, stride: stride) else {
            if nullable { return nil }
            throw WireError.unexpectedNull(at: position)
        }
        var elements: [Element] = []
        if count == 0 { return elements }
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try Element(from: &self, version: version)) }
        return elements
    }

    mutating func readArray<Element: WirePrimitive>(_ flexible: Bool) throws(WireError) -> [Element] {
        let elements: [Element]? = try readNullableArray(flexible)
        guard let elements else { throw WireError.unexpectedNull(at: position) }
        return elements
    }

    mutating func readNullableArray<Element: WirePrimitive>(_ flexible: Bool, nullable: Bool = true)
        throws(WireError) -> [Element]?
    {
        let bytesMin = Element.bytesMin(flexible)
        let stride = MemoryLayout<Element>.stride
        guard let count = try readArrayCount(flexible, elementBytesMin: bytesMin, stride: stride) else {
            if nullable { return nil }
            throw WireError.unexpectedNull(at: position)
        }
        var elements: [Element] = []
        if count == 0 { return elements }
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try Element.read(from: &self, flexible)) }
        return elements
    }

    /// A struct that may be null has a byte before it: negative for null.
    mutating func readNullableStruct<Value: WireStruct>(_ version: Int16, nullable: Bool = true)
        throws(WireError) -> Value?
    {
        if try readInt8() < 0 {
            if nullable { return nil }
            throw WireError.unexpectedNull(at: position)
        }
        return try Value(from: &self, version: version)
    }
}

/// The tagged section that ends every struct of a flexible version (KIP-482):
///
///     | count uvarint | tag uvarint | size uvarint | size bytes | … |
extension WireReader {
    struct TaggedField {
        var tag: UInt32
        /// Where the field must end.
        var end: Int
    }

    mutating func readTaggedFieldCount() throws(WireError) -> Int {
        let count = Int(try readUnsignedVarint())
        // A tag and a size are at least two bytes.
        guard count <= remaining / 2 else {
            throw WireError.truncated(needed: 2 * count, remaining: remaining, at: position)
        }
        return count
    }

    mutating func readTaggedField() throws(WireError) -> TaggedField {
        let tag = try readUnsignedVarint()
        let size = Int(try readUnsignedVarint())
        guard size <= remaining else {
            throw WireError.truncated(needed: size, remaining: remaining, at: position)
        }
        return TaggedField(tag: tag, end: position + size)
    }

    /// Passes over a field that is not known.
    mutating func skip(_ field: TaggedField) throws(WireError) {
        _ = try readSlice(length: field.end - position)
    }

    func checkEnd(of field: TaggedField) throws(WireError) {
        guard position == field.end else {
            throw WireError.malformed(
                "a tagged field that ends elsewhere than its size says, tag", Int(field.tag), at: position)
        }
    }

    mutating func skipTaggedFields() throws(WireError) {
        let count = try readTaggedFieldCount()
        for _ in 0..<count { try skip(try readTaggedField()) }
    }
}
