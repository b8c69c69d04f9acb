// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupTargetAssignmentMemberRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 7 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupTargetAssignmentMemberKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupTargetAssignmentMemberKey"
    public static let recordType: Int16 = 7
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""
    public var memberId: String = ""

    public init() {}

    public init(
        groupId: String = "",
        memberId: String = ""
    ) {
        self.groupId = groupId
        self.memberId = memberId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        memberId = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        try writer.write(memberId, false)
        if false {
        }
    }
}

/// Record type 7 of an internal topic. Version 0, flexible.
public struct ConsumerGroupTargetAssignmentMemberValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupTargetAssignmentMemberValue"
    public static let recordType: Int16 = 7
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var topicPartitions: [TopicPartition] = []

    public init() {}

    public init(
        topicPartitions: [TopicPartition] = []
    ) {
        self.topicPartitions = topicPartitions
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topicPartitions = try reader.readArray(true, version, elementBytesMin: 18)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topicPartitions, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicPartition: WireStruct {
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [Int32] = []
        ) {
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicId = try reader.readUUID()
            partitions = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(topicId)
            try writer.write(partitions, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
