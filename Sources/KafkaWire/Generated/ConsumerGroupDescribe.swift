// swift-format-ignore-file
// Generated from Schemas/apis/ConsumerGroupDescribe.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 69. Versions 0 to 1, flexible.
public struct ConsumerGroupDescribeRequest: WireRequest {
    public typealias Response = ConsumerGroupDescribeResponse
    public static let messageName: StaticString = "ConsumerGroupDescribeRequest"
    public static let apiKey: ApiKey = .consumerGroupDescribe
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var groupIds: [String] = []
    public var includeAuthorizedOperations: Bool = false

    public init() {}

    public init(
        groupIds: [String] = [],
        includeAuthorizedOperations: Bool = false
    ) {
        self.groupIds = groupIds
        self.includeAuthorizedOperations = includeAuthorizedOperations
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupIds = try reader.readArray(true)
        includeAuthorizedOperations = try reader.readBool()
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupIds, true)
        writer.write(includeAuthorizedOperations)
        writer.writeUnsignedVarint(0)
    }
}

/// Response 69. Versions 0 to 1, flexible.
public struct ConsumerGroupDescribeResponse: WireResponse {
    public static let messageName: StaticString = "ConsumerGroupDescribeResponse"
    public static let apiKey: ApiKey = .consumerGroupDescribe
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var groups: [DescribedGroup] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        groups: [DescribedGroup] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.groups = groups
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        groups = try reader.readArray(true, version, elementBytesMin: 20)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        try writer.write(groups, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct DescribedGroup: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = nil
        public var groupId: String = ""
        public var groupState: String = ""
        public var groupEpoch: Int32 = 0
        public var assignmentEpoch: Int32 = 0
        public var assignorName: String = ""
        public var members: [Member] = []
        public var authorizedOperations: Int32 = -2147483648

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = nil,
            groupId: String = "",
            groupState: String = "",
            groupEpoch: Int32 = 0,
            assignmentEpoch: Int32 = 0,
            assignorName: String = "",
            members: [Member] = [],
            authorizedOperations: Int32 = -2147483648
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.groupId = groupId
            self.groupState = groupState
            self.groupEpoch = groupEpoch
            self.assignmentEpoch = assignmentEpoch
            self.assignorName = assignorName
            self.members = members
            self.authorizedOperations = authorizedOperations
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            groupId = try reader.readString(true)
            groupState = try reader.readString(true)
            groupEpoch = try reader.readInt32()
            assignmentEpoch = try reader.readInt32()
            assignorName = try reader.readString(true)
            members = try reader.readArray(true, version, elementBytesMin: 16)
            authorizedOperations = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            try writer.write(groupId, true)
            try writer.write(groupState, true)
            writer.write(groupEpoch)
            writer.write(assignmentEpoch)
            try writer.write(assignorName, true)
            try writer.write(members, true, version)
            writer.write(authorizedOperations)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct Member: WireStruct {
        public var memberId: String = ""
        public var instanceId: String? = nil
        public var rackId: String? = nil
        public var memberEpoch: Int32 = 0
        public var clientId: String = ""
        public var clientHost: String = ""
        public var subscribedTopicNames: [String] = []
        public var subscribedTopicRegex: String? = nil
        public var assignment: Assignment = Assignment()
        public var targetAssignment: Assignment = Assignment()
        /// Versions from 1, dropped in others.
        public var memberType: Int8 = -1

        public init() {}

        public init(
            memberId: String = "",
            instanceId: String? = nil,
            rackId: String? = nil,
            memberEpoch: Int32 = 0,
            clientId: String = "",
            clientHost: String = "",
            subscribedTopicNames: [String] = [],
            subscribedTopicRegex: String? = nil,
            assignment: Assignment = Assignment(),
            targetAssignment: Assignment = Assignment(),
            memberType: Int8 = -1
        ) {
            self.memberId = memberId
            self.instanceId = instanceId
            self.rackId = rackId
            self.memberEpoch = memberEpoch
            self.clientId = clientId
            self.clientHost = clientHost
            self.subscribedTopicNames = subscribedTopicNames
            self.subscribedTopicRegex = subscribedTopicRegex
            self.assignment = assignment
            self.targetAssignment = targetAssignment
            self.memberType = memberType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            memberId = try reader.readString(true)
            instanceId = try reader.readNullableString(true)
            rackId = try reader.readNullableString(true)
            memberEpoch = try reader.readInt32()
            clientId = try reader.readString(true)
            clientHost = try reader.readString(true)
            subscribedTopicNames = try reader.readArray(true)
            subscribedTopicRegex = try reader.readNullableString(true)
            assignment = try Assignment(from: &reader, version: version)
            targetAssignment = try Assignment(from: &reader, version: version)
            if version >= 1 {
                memberType = try reader.readInt8()
            }
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(memberId, true)
            try writer.writeNullable(instanceId, true)
            try writer.writeNullable(rackId, true)
            writer.write(memberEpoch)
            try writer.write(clientId, true)
            try writer.write(clientHost, true)
            try writer.write(subscribedTopicNames, true)
            try writer.writeNullable(subscribedTopicRegex, true)
            try assignment.encode(into: &writer, version: version)
            try targetAssignment.encode(into: &writer, version: version)
            if version >= 1 {
                writer.write(memberType)
            }
            writer.writeUnsignedVarint(0)
        }
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
            topicPartitions = try reader.readArray(true, version, elementBytesMin: 19)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topicPartitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TopicPartitions: WireStruct {
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var topicName: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topicId: KafkaUUID = KafkaUUID.zero,
            topicName: String = "",
            partitions: [Int32] = []
        ) {
            self.topicId = topicId
            self.topicName = topicName
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topicId = try reader.readUUID()
            topicName = try reader.readString(true)
            partitions = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(topicId)
            try writer.write(topicName, true)
            try writer.write(partitions, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
