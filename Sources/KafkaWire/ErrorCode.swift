/// Why a request, or a part of it, was not done: Kafka's error table. The members are generated from `Schemas/Errors.table`.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: Int16

    @inlinable public init(rawValue: Int16) { self.rawValue = rawValue }

    /// Kafka's name, `UNKNOWN_TOPIC_OR_PARTITION` for example, or the number of a code that is not known.
    public var description: String { name ?? "error \(rawValue)" }

    /// Whether something went wrong: anything but `.none`.
    @inlinable public var isError: Bool { rawValue != 0 }
}
