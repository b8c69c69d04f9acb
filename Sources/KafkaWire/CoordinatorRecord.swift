import NIOCore

/// The key of a record in an internal topic: `| type i16 | fields |`.
public protocol CoordinatorKey: WireMessage {
    /// What kind of record this is; the values of one topic's keys differ.
    static var recordType: Int16 { get }
}

/// The value of a record in an internal topic: `| version i16 | fields |`.
public protocol CoordinatorValue: WireMessage {
    /// The type of the key that it belongs to.
    static var recordType: Int16 { get }
}

extension CoordinatorKey {
    /// Type and fields.
    public func encodeRecord() throws(WireError) -> ByteBuffer {
        var writer = WireWriter()
        writer.write(Self.recordType)
        try encode(into: &writer, version: 0)
        return writer.buffer
    }
}

extension CoordinatorValue {
    /// Version and fields.
    public func encodeRecord(version: Int16) throws(WireError) -> ByteBuffer {
        var writer = WireWriter()
        writer.write(version)
        try encode(into: &writer, version: version)
        return writer.buffer
    }

    /// Reads version and fields; a version later than the last throws `unsupportedVersion`.
    public static func decodeRecord(_ bytes: ByteBuffer) throws(WireError) -> Self {
        var reader = WireReader(bytes)
        let version = try reader.readInt16()
        return try Self(from: &reader, version: version)
    }
}

/// A key of `__consumer_offsets`.
public enum GroupRecordKey: Sendable, Equatable {
    case offsetCommit(OffsetCommitKey)
    case groupMetadata(GroupMetadataKey)
    case consumerGroupMetadata(ConsumerGroupMetadataKey)
    case consumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey)
    case consumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey)
    case consumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataKey)
    case consumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberKey)
    case consumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentKey)
    case consumerGroupRegularExpression(ConsumerGroupRegularExpressionKey)
    /// A record that another version of Kafka wrote.
    case unknown(type: Int16)

    public static func decode(_ bytes: ByteBuffer) throws(WireError) -> GroupRecordKey {
        var reader = WireReader(bytes)
        let type = try reader.readInt16()
        switch type {
        // Types 0 and 1 are both offset commits, with the same fields; Kafka writes 1.
        case 0, OffsetCommitKey.recordType:
            return .offsetCommit(try OffsetCommitKey(from: &reader, version: 0))
        case GroupMetadataKey.recordType:
            return .groupMetadata(try GroupMetadataKey(from: &reader, version: 0))
        case ConsumerGroupMetadataKey.recordType:
            return .consumerGroupMetadata(try ConsumerGroupMetadataKey(from: &reader, version: 0))
        case ConsumerGroupPartitionMetadataKey.recordType:
            return .consumerGroupPartitionMetadata(try ConsumerGroupPartitionMetadataKey(from: &reader, version: 0))
        case ConsumerGroupMemberMetadataKey.recordType:
            return .consumerGroupMemberMetadata(try ConsumerGroupMemberMetadataKey(from: &reader, version: 0))
        case ConsumerGroupTargetAssignmentMetadataKey.recordType:
            return .consumerGroupTargetAssignmentMetadata(
                try ConsumerGroupTargetAssignmentMetadataKey(from: &reader, version: 0))
        case ConsumerGroupTargetAssignmentMemberKey.recordType:
            return .consumerGroupTargetAssignmentMember(
                try ConsumerGroupTargetAssignmentMemberKey(from: &reader, version: 0))
        case ConsumerGroupCurrentMemberAssignmentKey.recordType:
            return .consumerGroupCurrentMemberAssignment(
                try ConsumerGroupCurrentMemberAssignmentKey(from: &reader, version: 0))
        case ConsumerGroupRegularExpressionKey.recordType:
            return .consumerGroupRegularExpression(try ConsumerGroupRegularExpressionKey(from: &reader, version: 0))
        default:
            return .unknown(type: type)
        }
    }
}
