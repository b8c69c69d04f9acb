import Base
import NIOCore

/// A stretch of a file that is sent as it is, by `sendfile` where the file has a descriptor. The file stays open until it is sent.
public struct FileSlice: Sendable {
    public var file: any File
    public var position: Int64
    public var byteCount: Int

    public init(file: any File, position: Int64, byteCount: Int) {
        self.file = file
        self.position = position
        self.byteCount = byteCount
    }
}

/// What a response is made of, in order.
public enum ResponsePart: Sendable {
    case bytes(ByteBuffer)
    case file(FileSlice)

    public var byteCount: Int {
        switch self {
        case .bytes(let buffer): buffer.readableBytes
        case .file(let slice): slice.byteCount
        }
    }
}

/// A whole response frame, with its length in front.
enum ResponseFrame: Sendable {
    case bytes(ByteBuffer)
    case parts([ResponsePart])
}
