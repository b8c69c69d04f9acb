import Base
import NIOCore

/// How a batch's records are compressed; the raw value is what stands in a batch's attributes.
public enum Codec: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case none = 0
    case gzip = 1
    case snappy = 2
    case lz4 = 3
    case zstd = 4

    /// Kafka's name for it, as in `compression.type`.
    public init?(name: some StringProtocol) {
        guard let codec = Codec.allCases.first(where: { $0.description == name }) else { return nil }
        self = codec
    }

    public var description: String {
        switch self {
        case .none: "none"
        case .gzip: "gzip"
        case .snappy: "snappy"
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }

    /// The levels that the codec takes, fast to small; nil where it has none. Others are held to the nearest.
    public var levels: ClosedRange<Int>? {
        switch self {
        case .none, .snappy: nil
        case .gzip: 1...9
        case .lz4: 1...12
        case .zstd: -7...22
        }
    }

    /// The level used where none is given.
    public var defaultLevel: Int? {
        switch self {
        case .none, .snappy: nil
        case .gzip: 6
        case .lz4: 1
        case .zstd: 3
        }
    }

    /// Compresses once, with contexts of its own; a `Compressor` keeps them.
    public func compress(_ bytes: ByteBuffer, level: Int? = nil) throws(RecordError) -> ByteBuffer {
        var compressor = Compressor()
        return try bytes.withUnsafeReadableBytes { (source) throws(RecordError) -> ByteBuffer in
            ByteBuffer(bytes: try compressor.compress(source, codec: self, level: level))
        }
    }

    /// Decompresses once, with contexts of its own; a `Decompressor` keeps them.
    ///
    /// - Throws: `.tooLarge` where the result would be larger than `max`, `.undecodable`.
    public func decompress(_ bytes: ByteBuffer, max: ByteCount) throws(RecordError) -> ByteBuffer {
        var decompressor = Decompressor()
        return try bytes.withUnsafeReadableBytes { (source) throws(RecordError) -> ByteBuffer in
            try decompressor.decompress(source, codec: self, max: max)
        }
    }
}
