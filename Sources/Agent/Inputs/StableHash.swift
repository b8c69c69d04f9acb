/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same in every run and on every machine, so it may stand in a checkpoint.
struct StableHash: Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var hash = value
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        value = hash
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = StableHash()
        hash.add(bytes)
        return hash.value
    }

    static func of(_ text: String) -> UInt64 {
        var hash = StableHash()
        var text = text
        text.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
        return hash.value
    }
}
