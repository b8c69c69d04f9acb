/// Memory for the bytes that a row can't lend from its record: handed out piece by piece, taken back all at once. What was handed out
/// never moves.
public struct ByteArena: ~Copyable {
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0
    private static let chunkBytes = 16 * 1024

    public init() {}

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// Room for `count` bytes, until `reset`.
    public mutating func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if chunks.isEmpty || chunks[chunks.count - 1].count - used < count {
            chunks.append(.allocate(byteCount: max(count, Self.chunkBytes), alignment: 16))
            used = 0
        }
        defer { used += count }
        return UnsafeMutableRawBufferPointer(rebasing: chunks[chunks.count - 1][used..<used + count])
    }

    public mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let room = allocate(bytes.count)
        room.copyMemory(from: bytes)
        return UnsafeRawBufferPointer(room)
    }

    public mutating func copy(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let room = allocate(bytes.count)
        room.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(room)
    }

    public mutating func copy(_ text: String) -> UnsafeRawBufferPointer {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// Takes everything back. One chunk of usual size is kept for the next row.
    public mutating func reset() {
        used = 0
        if chunks.count <= 1 && (chunks.first?.count ?? 0) <= Self.chunkBytes { return }
        let kept = chunks.firstIndex { $0.count == Self.chunkBytes }
        for place in chunks.indices where place != kept { chunks[place].deallocate() }
        chunks = kept.map { [chunks[$0]] } ?? []
    }
}
