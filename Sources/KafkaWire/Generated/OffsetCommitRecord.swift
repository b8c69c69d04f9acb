// swift-format-ignore-file
// Generated from Schemas/records/OffsetCommitRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 1 of an internal topic. Version 0, none flexible.
public struct OffsetCommitKey: CoordinatorKey {
    public static let messageName: StaticString = "OffsetCommitKey"
    public static let recordType: Int16 = 1
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var group: String = ""
    public var topic: String = ""
    public var partition: Int32 = 0

    public init() {}

    public init(
        group: String = "",
        topic: String = "",
        partition: Int32 = 0
    ) {
        self.group = group
        self.topic = topic
        self.partition = partition
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        group = try reader.readString(false)
        topic = try reader.readString(false)
        partition = try reader.readInt32()
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(group, false)
        try writer.write(topic, false)
        writer.write(partition)
        if false {
        }
    }
}

/// Record type 1 of an internal topic. Versions 0 to 4, flexible from 4.
public struct OffsetCommitValue: CoordinatorValue {
    public static let messageName: StaticString = "OffsetCommitValue"
    public static let recordType: Int16 = 1
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var offset: Int64 = 0
    /// Versions from 3, dropped in others.
    public var leaderEpoch: Int32 = -1
    public var metadata: String = ""
    public var commitTimestamp: Int64 = 0
    /// Versions 1 to 1, dropped in others.
    public var expireTimestamp: Int64 = -1
    /// Versions from 4, dropped in others.
    public var topicId: KafkaUUID = KafkaUUID.zero

    public init() {}

    public init(
        offset: Int64 = 0,
        leaderEpoch: Int32 = -1,
        metadata: String = "",
        commitTimestamp: Int64 = 0,
        expireTimestamp: Int64 = -1,
        topicId: KafkaUUID = KafkaUUID.zero
    ) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.commitTimestamp = commitTimestamp
        self.expireTimestamp = expireTimestamp
        self.topicId = topicId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        offset = try reader.readInt64()
        if version >= 3 {
            leaderEpoch = try reader.readInt32()
        }
        metadata = try reader.readString(flexible)
        commitTimestamp = try reader.readInt64()
        if version >= 1 && version <= 1 {
            expireTimestamp = try reader.readInt64()
        }
        if version >= 4 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0:
                    topicId = try reader.readUUID()
                default:
                    try reader.skip(tagged)
                }
                try reader.checkEnd(of: tagged)
            }
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        writer.write(offset)
        if version >= 3 {
            writer.write(leaderEpoch)
        }
        try writer.write(metadata, flexible)
        writer.write(commitTimestamp)
        if version >= 1 && version <= 1 {
            writer.write(expireTimestamp)
        }
        if version >= 4 {
            let hasTopicId: Bool = topicId != KafkaUUID.zero
            var taggedCount: UInt32 = 0
            if hasTopicId { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasTopicId {
                let start: Int = writer.beginTaggedField(0)
                writer.write(topicId)
                try writer.endTaggedField(start)
            }
        }
    }
}
