// swift-format-ignore-file
// Generated from Schemas/apis/ListPartitionReassignments.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 46. Version 0, flexible.
public struct ListPartitionReassignmentsRequest: WireRequest {
    public typealias Response = ListPartitionReassignmentsResponse
    public static let messageName: StaticString = "ListPartitionReassignmentsRequest"
    public static let apiKey: ApiKey = .listPartitionReassignments
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var timeoutMs: Int32 = 60000
    public var topics: [ListPartitionReassignmentsTopics]? = nil

    public init() {}

    public init(
        timeoutMs: Int32 = 60000,
        topics: [ListPartitionReassignmentsTopics]? = nil
    ) {
        self.timeoutMs = timeoutMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        timeoutMs = try reader.readInt32()
        topics = try reader.readNullableArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(timeoutMs)
        try writer.writeNullable(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct ListPartitionReassignmentsTopics: WireStruct {
        public var name: String = ""
        public var partitionIndexes: [Int32] = []

        public init() {}

        public init(
            name: String = "",
            partitionIndexes: [Int32] = []
        ) {
            self.name = name
            self.partitionIndexes = partitionIndexes
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitionIndexes = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitionIndexes, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 46. Version 0, flexible.
public struct ListPartitionReassignmentsResponse: WireResponse {
    public static let messageName: StaticString = "ListPartitionReassignmentsResponse"
    public static let apiKey: ApiKey = .listPartitionReassignments
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var topics: [OngoingTopicReassignment] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        topics: [OngoingTopicReassignment] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(true)
        topics = try reader.readArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, true)
        try writer.write(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct OngoingTopicReassignment: WireStruct {
        public var name: String = ""
        public var partitions: [OngoingPartitionReassignment] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [OngoingPartitionReassignment] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitions = try reader.readArray(true, version, elementBytesMin: 8)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OngoingPartitionReassignment: WireStruct {
        public var partitionIndex: Int32 = 0
        public var replicas: [Int32] = []
        public var addingReplicas: [Int32] = []
        public var removingReplicas: [Int32] = []

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            replicas: [Int32] = [],
            addingReplicas: [Int32] = [],
            removingReplicas: [Int32] = []
        ) {
            self.partitionIndex = partitionIndex
            self.replicas = replicas
            self.addingReplicas = addingReplicas
            self.removingReplicas = removingReplicas
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            replicas = try reader.readArray(true)
            addingReplicas = try reader.readArray(true)
            removingReplicas = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            try writer.write(replicas, true)
            try writer.write(addingReplicas, true)
            try writer.write(removingReplicas, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
