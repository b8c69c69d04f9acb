// swift-format-ignore-file
// Generated from Schemas/apis/AlterPartitionReassignments.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 45. Versions 0 to 1, flexible.
public struct AlterPartitionReassignmentsRequest: WireRequest {
    public typealias Response = AlterPartitionReassignmentsResponse
    public static let messageName: StaticString = "AlterPartitionReassignmentsRequest"
    public static let apiKey: ApiKey = .alterPartitionReassignments
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var timeoutMs: Int32 = 60000
    /// Versions from 1.
    public var allowReplicationFactorChange: Bool = true
    public var topics: [ReassignableTopic] = []

    public init() {}

    public init(
        timeoutMs: Int32 = 60000,
        allowReplicationFactorChange: Bool = true,
        topics: [ReassignableTopic] = []
    ) {
        self.timeoutMs = timeoutMs
        self.allowReplicationFactorChange = allowReplicationFactorChange
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        timeoutMs = try reader.readInt32()
        if version >= 1 {
            allowReplicationFactorChange = try reader.readBool()
        }
        topics = try reader.readArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(timeoutMs)
        if version >= 1 {
            writer.write(allowReplicationFactorChange)
        } else if !allowReplicationFactorChange { throw WireError.unsupportedField("AlterPartitionReassignmentsRequest.allowReplicationFactorChange", version) }
        try writer.write(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct ReassignableTopic: WireStruct {
        public var name: String = ""
        public var partitions: [ReassignablePartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [ReassignablePartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitions = try reader.readArray(true, version, elementBytesMin: 6)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ReassignablePartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var replicas: [Int32]? = nil

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            replicas: [Int32]? = nil
        ) {
            self.partitionIndex = partitionIndex
            self.replicas = replicas
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            replicas = try reader.readNullableArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            try writer.writeNullable(replicas, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 45. Versions 0 to 1, flexible.
public struct AlterPartitionReassignmentsResponse: WireResponse {
    public static let messageName: StaticString = "AlterPartitionReassignmentsResponse"
    public static let apiKey: ApiKey = .alterPartitionReassignments
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    /// Versions from 1, dropped in others.
    public var allowReplicationFactorChange: Bool = true
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var responses: [ReassignableTopicResponse] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        allowReplicationFactorChange: Bool = true,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        responses: [ReassignableTopicResponse] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.allowReplicationFactorChange = allowReplicationFactorChange
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.responses = responses
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        if version >= 1 {
            allowReplicationFactorChange = try reader.readBool()
        }
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(true)
        responses = try reader.readArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        if version >= 1 {
            writer.write(allowReplicationFactorChange)
        }
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, true)
        try writer.write(responses, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct ReassignableTopicResponse: WireStruct {
        public var name: String = ""
        public var partitions: [ReassignablePartitionResponse] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [ReassignablePartitionResponse] = []
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

    public struct ReassignablePartitionResponse: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = ""
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
