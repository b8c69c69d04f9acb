import NIOCore

/// The records of a fetched partition: bytes, or a promise that the sender splices that many in from a file (`sendfile`).
public enum WireRecords: Sendable, Hashable {
    case bytes(ByteBuffer)
    /// Only the length is written. `WireWriter.externals` then says where the bytes belong; `tag` is the sender's own,
    /// an index into its regions for example.
    case external(byteCount: Int, tag: Int)

    public var byteCount: Int {
        switch self {
        case .bytes(let bytes): return bytes.readableBytes
        case .external(let byteCount, _): return byteCount
        }
    }

    /// The bytes where they are at hand; nil for external ones. What has been read from a peer always has them.
    public var bytes: ByteBuffer? {
        switch self {
        case .bytes(let bytes): return bytes
        case .external: return nil
        }
    }
}
