// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupPartitionMetadataRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 4 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupPartitionMetadataKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupPartitionMetadataKey"
    public static let recordType: Int16 = 4
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""

    public init() {}

    public init(
        groupId: String = ""
    ) {
        self.groupId = groupId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        if false {
        }
    }
}

/// Record type 4 of an internal topic. Version 0, flexible.
public struct ConsumerGroupPartitionMetadataValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupPartitionMetadataValue"
    public static let recordType: Int16 = 4
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var topics: [TopicMetadata] = []

    public init() {}

    public init(
        topics: [TopicMetadata] = []
    ) {
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topics = try reader.readArray(true, version, elementBytesMin: 23)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicMetadata: WireStruct {
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var topicName: String = ""
        public var numPartitions: Int32 = 0
        public var partitionMetadata: [PartitionMetadata] = []

        public init() {}

        public init(
            topicId: KafkaUUID = KafkaUUID.zero,
            topicName: String = "",
            numPartitions: Int32 = 0,
            partitionMetadata: [PartitionMetadata] = []
        ) {
            self.topicId = topicId
            self.topicName = topicName
            self.numPartitions = numPartitions
            self.partitionMetadata = partitionMetadata
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicId = try reader.readUUID()
            topicName = try reader.readString(true)
            numPartitions = try reader.readInt32()
            partitionMetadata = try reader.readArray(true, version, elementBytesMin: 6)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(topicId)
            try writer.write(topicName, true)
            writer.write(numPartitions)
            try writer.write(partitionMetadata, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct PartitionMetadata: WireStruct {
        public var partition: Int32 = 0
        public var racks: [String] = []

        public init() {}

        public init(
            partition: Int32 = 0,
            racks: [String] = []
        ) {
            self.partition = partition
            self.racks = racks
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partition = try reader.readInt32()
            racks = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partition)
            try writer.write(racks, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
