/// Why bytes are no record batch, or why a batch can't be read.
public struct RecordError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The bytes end before the batch or the record does.
        case truncated
        /// A length, count or field that can't be true.
        case corrupt
        /// The CRC-32C does not match: the batch changed after it was built.
        case crcMismatch
        /// A message format other than v2 (KIP-98).
        case unsupportedMagic
        /// A compression type that Kafka does not define.
        case unsupportedCodec
        /// Compressed bytes that their codec can't read.
        case undecodable
        /// The decompressed batch would be larger than the caller allows.
        case tooLarge
        /// A compression library ran out of memory or refused its input.
        case compressionFailed
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static func unsupportedMagic(_ magic: Int8) -> RecordError {
        let expected = "expected magic 2 (Kafka 0.11 and later)"
        guard magic == 0 || magic == 1 else {
            return RecordError(.unsupportedMagic, "unknown record format: \(expected), found magic \(magic)")
        }
        return RecordError(
            .unsupportedMagic,
            "message format v\(magic) is no longer supported: \(expected); upgrade the client, or remove its setting that "
                + "asks for an old message format")
    }
}
