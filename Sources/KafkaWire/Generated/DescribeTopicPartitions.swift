// swift-format-ignore-file
// Generated from Schemas/apis/DescribeTopicPartitions.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 75. Version 0, flexible.
public struct DescribeTopicPartitionsRequest: WireRequest {
    public typealias Response = DescribeTopicPartitionsResponse
    public static let messageName: StaticString = "DescribeTopicPartitionsRequest"
    public static let apiKey: ApiKey = .describeTopicPartitions
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var topics: [TopicRequest] = []
    public var responsePartitionLimit: Int32 = 2000
    public var cursor: Cursor? = nil

    public init() {}

    public init(
        topics: [TopicRequest] = [],
        responsePartitionLimit: Int32 = 2000,
        cursor: Cursor? = nil
    ) {
        self.topics = topics
        self.responsePartitionLimit = responsePartitionLimit
        self.cursor = cursor
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topics = try reader.readArray(true, version, elementBytesMin: 2)
        responsePartitionLimit = try reader.readInt32()
        cursor = try reader.readNullableStruct(version)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topics, true, version)
        writer.write(responsePartitionLimit)
        try writer.writeNullableStruct(cursor, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicRequest: WireStruct {
        public var name: String = ""

        public init() {}

        public init(
            name: String = ""
        ) {
            self.name = name
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct Cursor: WireStruct {
        public var topicName: String = ""
        public var partitionIndex: Int32 = 0

        public init() {}

        public init(
            topicName: String = "",
            partitionIndex: Int32 = 0
        ) {
            self.topicName = topicName
            self.partitionIndex = partitionIndex
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicName = try reader.readString(true)
            partitionIndex = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topicName, true)
            writer.write(partitionIndex)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 75. Version 0, flexible.
public struct DescribeTopicPartitionsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeTopicPartitionsResponse"
    public static let apiKey: ApiKey = .describeTopicPartitions
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var topics: [DescribeTopicPartitionsResponseTopic] = []
    public var nextCursor: Cursor? = nil

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [DescribeTopicPartitionsResponseTopic] = [],
        nextCursor: Cursor? = nil
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
        self.nextCursor = nextCursor
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(true, version, elementBytesMin: 26)
        nextCursor = try reader.readNullableStruct(version)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        try writer.write(topics, true, version)
        try writer.writeNullableStruct(nextCursor, version)
        writer.writeUnsignedVarint(0)
    }

    public struct DescribeTopicPartitionsResponseTopic: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var name: String? = ""
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var isInternal: Bool = false
        public var partitions: [DescribeTopicPartitionsResponsePartition] = []
        public var topicAuthorizedOperations: Int32 = -2147483648

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            name: String? = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            isInternal: Bool = false,
            partitions: [DescribeTopicPartitionsResponsePartition] = [],
            topicAuthorizedOperations: Int32 = -2147483648
        ) {
            self.errorCode = errorCode
            self.name = name
            self.topicId = topicId
            self.isInternal = isInternal
            self.partitions = partitions
            self.topicAuthorizedOperations = topicAuthorizedOperations
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            errorCode = try reader.readErrorCode()
            name = try reader.readNullableString(true)
            topicId = try reader.readUUID()
            isInternal = try reader.readBool()
            partitions = try reader.readArray(true, version, elementBytesMin: 20)
            topicAuthorizedOperations = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(errorCode)
            try writer.writeNullable(name, true)
            writer.write(topicId)
            writer.write(isInternal)
            try writer.write(partitions, true, version)
            writer.write(topicAuthorizedOperations)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribeTopicPartitionsResponsePartition: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var partitionIndex: Int32 = 0
        public var leaderId: Int32 = 0
        public var leaderEpoch: Int32 = -1
        public var replicaNodes: [Int32] = []
        public var isrNodes: [Int32] = []
        public var eligibleLeaderReplicas: [Int32]? = nil
        public var lastKnownElr: [Int32]? = nil
        public var offlineReplicas: [Int32] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            partitionIndex: Int32 = 0,
            leaderId: Int32 = 0,
            leaderEpoch: Int32 = -1,
            replicaNodes: [Int32] = [],
            isrNodes: [Int32] = [],
            eligibleLeaderReplicas: [Int32]? = nil,
            lastKnownElr: [Int32]? = nil,
            offlineReplicas: [Int32] = []
        ) {
            self.errorCode = errorCode
            self.partitionIndex = partitionIndex
            self.leaderId = leaderId
            self.leaderEpoch = leaderEpoch
            self.replicaNodes = replicaNodes
            self.isrNodes = isrNodes
            self.eligibleLeaderReplicas = eligibleLeaderReplicas
            self.lastKnownElr = lastKnownElr
            self.offlineReplicas = offlineReplicas
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            errorCode = try reader.readErrorCode()
            partitionIndex = try reader.readInt32()
            leaderId = try reader.readInt32()
            leaderEpoch = try reader.readInt32()
            replicaNodes = try reader.readArray(true)
            isrNodes = try reader.readArray(true)
            eligibleLeaderReplicas = try reader.readNullableArray(true)
            lastKnownElr = try reader.readNullableArray(true)
            offlineReplicas = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(errorCode)
            writer.write(partitionIndex)
            writer.write(leaderId)
            writer.write(leaderEpoch)
            try writer.write(replicaNodes, true)
            try writer.write(isrNodes, true)
            try writer.writeNullable(eligibleLeaderReplicas, true)
            try writer.writeNullable(lastKnownElr, true)
            try writer.write(offlineReplicas, true)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct Cursor: WireStruct {
        public var topicName: String = ""
        public var partitionIndex: Int32 = 0

        public init() {}

        public init(
            topicName: String = "",
            partitionIndex: Int32 = 0
        ) {
            self.topicName = topicName
            self.partitionIndex = partitionIndex
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicName = try reader.readString(true)
            partitionIndex = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topicName, true)
            writer.write(partitionIndex)
            writer.writeUnsignedVarint(0)
        }
    }
}
