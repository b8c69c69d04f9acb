import Base
import Records

/// How lines become batches.
public struct SealSettings: Sendable, Equatable {
    /// The longest line or entry unless a source says otherwise. One that does not compress makes a batch of its own, and that must stay below what
    /// a Kafka topic takes by default (`max.message.bytes`, 1,048,588) with its key, headers and framing: what a broker refuses for its size
    /// holds up its partition.
    public static let lineBytesMax = ByteCount.kib(1000)

    public var codec = Codec.gzip
    /// The codec's level; nil is its default.
    public var level: Int?
    /// A batch's size before compression, header included; one longer line makes a larger one.
    public var batchBytes = ByteCount.kib(256)
    /// How long the first line of a batch waits for others.
    public var linger = Duration.milliseconds(50)
    /// Bytes in all open batches together.
    public var openBytesMax = ByteCount.mib(4)
    /// How long positions without lines (a start at the end, a file that is gone) may stay unwritten.
    public var positionLinger = Duration.seconds(1)

    public init() {}
}
