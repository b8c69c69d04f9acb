/// Record headers encoded once, to be appended to many records.
public struct PreparedHeaders: Sendable, Equatable {
    /// The header count, then each header, as they stand in a record.
    let bytes: [UInt8]

    /// - Parameter headers: names and values in order; a value may be nil.
    public init(_ headers: [(name: String, value: [UInt8]?)]) {
        var bytes: [UInt8] = []
        Self.append(Int64(headers.count), to: &bytes)
        for (name, value) in headers {
            Self.append(Int64(name.utf8.count), to: &bytes)
            bytes += name.utf8
            Self.append(Int64(value?.count ?? -1), to: &bytes)
            bytes += value ?? []
        }
        self.bytes = bytes
    }

    private static func append(_ value: Int64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 10, alignment: 1) { room in
            let start = room.baseAddress!
            let end = Varint.write(value, at: start)
            bytes += UnsafeRawBufferPointer(start: start, count: end - start)
        }
    }
}
