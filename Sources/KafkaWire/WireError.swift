/// Bytes that are no Kafka message, or a message that can't be written in the version asked for.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, for a program. More may come.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: Hashable { case truncated, malformed, null, version, field, length, limit, api }
        private let value: Value

        /// The bytes end before the message does, or a length or count reaches beyond them.
        public static let truncated = Code(value: .truncated)
        /// A length below −1, a varint of more than five bytes, a tagged field of another size than it says.
        public static let malformed = Code(value: .malformed)
        /// Null where the version doesn't allow it.
        public static let unexpectedNull = Code(value: .null)
        /// The message has no such version.
        public static let unsupportedVersion = Code(value: .version)
        /// A field that the version lacks, and that must not be dropped, holds something else than its default.
        public static let unsupportedField = Code(value: .field)
        /// A string, array or other value that is too long for its length field.
        public static let tooLong = Code(value: .length)
        /// Decoding would take more memory than `WireReader.heapBytesMax`.
        public static let heapLimit = Code(value: .limit)
        /// A request for an API that Millrace does not know.
        public static let unknownApi = Code(value: .api)

        public var description: String { "\(value)" }
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension WireError {
    @usableFromInline @inline(never)
    static func truncated(needed: Int, remaining: Int, at position: Int) -> WireError {
        WireError(.truncated, "at byte \(position): expected \(needed) bytes more, found \(remaining)")
    }

    @usableFromInline @inline(never)
    static func malformed(_ what: StaticString, _ value: Int, at position: Int) -> WireError {
        WireError(.malformed, "at byte \(position): \(what) \(value)")
    }

    @usableFromInline @inline(never)
    static func unexpectedNull(at position: Int) -> WireError {
        WireError(.unexpectedNull, "at byte \(position): null where this version does not allow it")
    }

    @inline(never)
    static func unsupportedVersion(_ message: StaticString, _ version: Int16, _ versions: ClosedRange<Int16>)
        -> WireError
    {
        WireError(
            .unsupportedVersion,
            "\(message) has no version \(version), only \(versions.lowerBound) to \(versions.upperBound)")
    }

    @inline(never)
    static func unsupportedField(_ field: StaticString, _ version: Int16) -> WireError {
        WireError(.unsupportedField, "\(field) is set, but version \(version) has no such field")
    }

    @inline(never)
    static func nullField(_ field: StaticString, _ version: Int16) -> WireError {
        WireError(.unexpectedNull, "\(field) is null, which version \(version) does not allow")
    }

    @usableFromInline @inline(never)
    static func tooLong(_ what: StaticString, _ length: Int, max: Int) -> WireError {
        WireError(.tooLong, "\(what) of \(length), at most \(max) fit")
    }
}
