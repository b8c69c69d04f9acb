// swift-format-ignore-file
// Generated from Schemas/ConsumerProtocolData.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Versions 0 to 3, none flexible.
public struct ConsumerProtocolSubscription: WireMessage {
    public static let messageName: StaticString = "ConsumerProtocolSubscription"
    public static let versions: ClosedRange<Int16> = 0...3
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var topics: [String] = []
    public var userData: ByteBuffer? = nil
    /// Versions from 1, dropped in others.
    public var ownedPartitions: [TopicPartition] = []
    /// Versions from 2, dropped in others.
    public var generationId: Int32 = -1
    /// Versions from 3, dropped in others.
    public var rackId: String? = nil

    public init() {}

    public init(
        topics: [String] = [],
        userData: ByteBuffer? = nil,
        ownedPartitions: [TopicPartition] = [],
        generationId: Int32 = -1,
        rackId: String? = nil
    ) {
        self.topics = topics
        self.userData = userData
        self.ownedPartitions = ownedPartitions
        self.generationId = generationId
        self.rackId = rackId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topics = try reader.readArray(false)
        userData = try reader.readNullableBytes(false)
        if version >= 1 {
            ownedPartitions = try reader.readArray(false, version, elementBytesMin: 6)
        }
        if version >= 2 {
            generationId = try reader.readInt32()
        }
        if version >= 3 {
            rackId = try reader.readNullableString(false)
        }
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topics, false)
        try writer.writeNullable(userData, false)
        if version >= 1 {
            try writer.write(ownedPartitions, false, version)
        }
        if version >= 2 {
            writer.write(generationId)
        }
        if version >= 3 {
            try writer.writeNullable(rackId, false)
        }
        if false {
        }
    }

    public struct TopicPartition: WireStruct {
        public var topic: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [Int32] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topic = try reader.readString(false)
            partitions = try reader.readArray(false)
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topic, false)
            try writer.write(partitions, false)
            if false {
            }
        }
    }
}

/// Versions 0 to 3, none flexible.
public struct ConsumerProtocolAssignment: WireMessage {
    public static let messageName: StaticString = "ConsumerProtocolAssignment"
    public static let versions: ClosedRange<Int16> = 0...3
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var assignedPartitions: [TopicPartition] = []
    public var userData: ByteBuffer? = nil

    public init() {}

    public init(
        assignedPartitions: [TopicPartition] = [],
        userData: ByteBuffer? = nil
    ) {
        self.assignedPartitions = assignedPartitions
        self.userData = userData
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        assignedPartitions = try reader.readArray(false, version, elementBytesMin: 6)
        userData = try reader.readNullableBytes(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(assignedPartitions, false, version)
        try writer.writeNullable(userData, false)
        if false {
        }
    }

    public struct TopicPartition: WireStruct {
        public var topic: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [Int32] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topic = try reader.readString(false)
            partitions = try reader.readArray(false)
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topic, false)
            try writer.write(partitions, false)
            if false {
            }
        }
    }
}
