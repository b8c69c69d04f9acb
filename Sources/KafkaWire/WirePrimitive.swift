import Base

/// What an array may hold besides structs.
protocol WirePrimitive: Sendable, Equatable {
    static func bytesMin(_ flexible: Bool) -> Int
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> Self
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError)
}

extension Int8: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { 1 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> Int8 {
        try reader.readInt8()
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) { writer.write(self) }
}

extension Int16: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { 2 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> Int16 {
        try reader.readInt16()
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) { writer.write(self) }
}

extension Int32: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { 4 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> Int32 {
        try reader.readInt32()
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) { writer.write(self) }
}

extension Int64: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { 8 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> Int64 {
        try reader.readInt64()
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) { writer.write(self) }
}

extension KafkaUUID: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { 16 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> KafkaUUID {
        try reader.readUUID()
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) { writer.write(self) }
}

extension String: WirePrimitive {
    static func bytesMin(_ flexible: Bool) -> Int { flexible ? 1 : 2 }
    static func read(from reader: inout WireReader, _ flexible: Bool) throws(WireError) -> String {
        try reader.readString(flexible)
    }
    func write(into writer: inout WireWriter, _ flexible: Bool) throws(WireError) {
        try writer.write(self, flexible)
    }
}
