import NIOCore

/// What a member of a classic consumer group subscribes to: the bytes inside JoinGroup.
public typealias ConsumerSubscription = ConsumerProtocolSubscription
/// What a member is assigned: the bytes inside SyncGroup.
public typealias ConsumerAssignment = ConsumerProtocolAssignment

/// Bytes that stand inside other messages and begin with their own version: `| version i16 | fields |`.
public protocol VersionedBytes: WireMessage {}

extension VersionedBytes {
    /// Reads version and fields. A version later than the last is read as the last, as Kafka's clients do.
    public static func decode(_ bytes: ByteBuffer) throws(WireError) -> Self {
        var reader = WireReader(bytes)
        let version = try reader.readInt16()
        return try Self(from: &reader, version: min(version, versions.upperBound))
    }

    /// Version and fields.
    public func encode(version: Int16) throws(WireError) -> ByteBuffer {
        var writer = WireWriter()
        writer.write(version)
        try encode(into: &writer, version: version)
        return writer.buffer
    }
}

extension ConsumerProtocolSubscription: VersionedBytes {}
extension ConsumerProtocolAssignment: VersionedBytes {}
