// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupCurrentMemberAssignmentRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 8 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupCurrentMemberAssignmentKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupCurrentMemberAssignmentKey"
    public static let recordType: Int16 = 8
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

/// Record type 8 of an internal topic. Version 0, flexible.
public struct ConsumerGroupCurrentMemberAssignmentValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupCurrentMemberAssignmentValue"
    public static let recordType: Int16 = 8
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var memberEpoch: Int32 = 0
    public var previousMemberEpoch: Int32 = 0
    public var state: Int8 = 0
    public var assignedPartitions: [TopicPartitions] = []
    public var partitionsPendingRevocation: [TopicPartitions] = []

    public init() {}

    public init(
        memberEpoch: Int32 = 0,
        previousMemberEpoch: Int32 = 0,
        state: Int8 = 0,
        assignedPartitions: [TopicPartitions] = [],
        partitionsPendingRevocation: [TopicPartitions] = []
    ) {
        self.memberEpoch = memberEpoch
        self.previousMemberEpoch = previousMemberEpoch
        self.state = state
        self.assignedPartitions = assignedPartitions
        self.partitionsPendingRevocation = partitionsPendingRevocation
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        memberEpoch = try reader.readInt32()
        previousMemberEpoch = try reader.readInt32()
        state = try reader.readInt8()
        assignedPartitions = try reader.readArray(true, version, elementBytesMin: 18)
        partitionsPendingRevocation = try reader.readArray(true, version, elementBytesMin: 18)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(memberEpoch)
        writer.write(previousMemberEpoch)
        writer.write(state)
        try writer.write(assignedPartitions, true, version)
        try writer.write(partitionsPendingRevocation, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicPartitions: WireStruct {
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
