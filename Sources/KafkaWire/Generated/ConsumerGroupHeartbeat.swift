// swift-format-ignore-file
// Generated from Schemas/apis/ConsumerGroupHeartbeat.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 68. Versions 0 to 1, flexible.
public struct ConsumerGroupHeartbeatRequest: WireRequest {
    public typealias Response = ConsumerGroupHeartbeatResponse
    public static let messageName: StaticString = "ConsumerGroupHeartbeatRequest"
    public static let apiKey: ApiKey = .consumerGroupHeartbeat
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var groupId: String = ""
    public var memberId: String = ""
    public var memberEpoch: Int32 = 0
    public var instanceId: String? = nil
    public var rackId: String? = nil
    public var rebalanceTimeoutMs: Int32 = -1
    public var subscribedTopicNames: [String]? = nil
    /// Versions from 1.
    public var subscribedTopicRegex: String? = nil
    public var serverAssignor: String? = nil
    public var topicPartitions: [TopicPartitions]? = nil

    public init() {}

    public init(
        groupId: String = "",
        memberId: String = "",
        memberEpoch: Int32 = 0,
        instanceId: String? = nil,
        rackId: String? = nil,
        rebalanceTimeoutMs: Int32 = -1,
        subscribedTopicNames: [String]? = nil,
        subscribedTopicRegex: String? = nil,
        serverAssignor: String? = nil,
        topicPartitions: [TopicPartitions]? = nil
    ) {
        self.groupId = groupId
        self.memberId = memberId
        self.memberEpoch = memberEpoch
        self.instanceId = instanceId
        self.rackId = rackId
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.subscribedTopicNames = subscribedTopicNames
        self.subscribedTopicRegex = subscribedTopicRegex
        self.serverAssignor = serverAssignor
        self.topicPartitions = topicPartitions
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(true)
        memberId = try reader.readString(true)
        memberEpoch = try reader.readInt32()
        instanceId = try reader.readNullableString(true)
        rackId = try reader.readNullableString(true)
        rebalanceTimeoutMs = try reader.readInt32()
        subscribedTopicNames = try reader.readNullableArray(true)
        if version >= 1 {
            subscribedTopicRegex = try reader.readNullableString(true)
        }
        serverAssignor = try reader.readNullableString(true)
        topicPartitions = try reader.readNullableArray(true, version, elementBytesMin: 18)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, true)
        try writer.write(memberId, true)
        writer.write(memberEpoch)
        try writer.writeNullable(instanceId, true)
        try writer.writeNullable(rackId, true)
        writer.write(rebalanceTimeoutMs)
        try writer.writeNullable(subscribedTopicNames, true)
        if version >= 1 {
            try writer.writeNullable(subscribedTopicRegex, true)
        } else if subscribedTopicRegex != nil { throw WireError.unsupportedField("ConsumerGroupHeartbeatRequest.subscribedTopicRegex", version) }
        try writer.writeNullable(serverAssignor, true)
        try writer.writeNullable(topicPartitions, true, version)
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

/// Response 68. Versions 0 to 1, flexible.
public struct ConsumerGroupHeartbeatResponse: WireResponse {
    public static let messageName: StaticString = "ConsumerGroupHeartbeatResponse"
    public static let apiKey: ApiKey = .consumerGroupHeartbeat
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = nil
    public var memberId: String? = nil
    public var memberEpoch: Int32 = 0
    public var heartbeatIntervalMs: Int32 = 0
    public var assignment: Assignment? = nil

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = nil,
        memberId: String? = nil,
        memberEpoch: Int32 = 0,
        heartbeatIntervalMs: Int32 = 0,
        assignment: Assignment? = nil
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.memberId = memberId
        self.memberEpoch = memberEpoch
        self.heartbeatIntervalMs = heartbeatIntervalMs
        self.assignment = assignment
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(true)
        memberId = try reader.readNullableString(true)
        memberEpoch = try reader.readInt32()
        heartbeatIntervalMs = try reader.readInt32()
        assignment = try reader.readNullableStruct(version)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, true)
        try writer.writeNullable(memberId, true)
        writer.write(memberEpoch)
        writer.write(heartbeatIntervalMs)
        try writer.writeNullableStruct(assignment, version)
        writer.writeUnsignedVarint(0)
    }

    public struct Assignment: WireStruct {
        public var topicPartitions: [TopicPartitions] = []

        public init() {}

        public init(
            topicPartitions: [TopicPartitions] = []
        ) {
            self.topicPartitions = topicPartitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicPartitions = try reader.readArray(true, version, elementBytesMin: 18)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topicPartitions, true, version)
            writer.writeUnsignedVarint(0)
        }
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
