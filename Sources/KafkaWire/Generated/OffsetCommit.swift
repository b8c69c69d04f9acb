// swift-format-ignore-file
// Generated from Schemas/apis/OffsetCommit.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 8. Versions 2 to 10, flexible from 8.
public struct OffsetCommitRequest: WireRequest {
    public typealias Response = OffsetCommitResponse
    public static let messageName: StaticString = "OffsetCommitRequest"
    public static let apiKey: ApiKey = .offsetCommit
    public static let versions: ClosedRange<Int16> = 2...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 8 }

    public var groupId: String = ""
    public var generationIdOrMemberEpoch: Int32 = -1
    public var memberId: String = ""
    /// Versions from 7.
    public var groupInstanceId: String? = nil
    /// Versions 2 to 4, dropped in others.
    public var retentionTimeMs: Int64 = -1
    public var topics: [OffsetCommitRequestTopic] = []

    public init() {}

    public init(
        groupId: String = "",
        generationIdOrMemberEpoch: Int32 = -1,
        memberId: String = "",
        groupInstanceId: String? = nil,
        retentionTimeMs: Int64 = -1,
        topics: [OffsetCommitRequestTopic] = []
    ) {
        self.groupId = groupId
        self.generationIdOrMemberEpoch = generationIdOrMemberEpoch
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.retentionTimeMs = retentionTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 8
        groupId = try reader.readString(flexible)
        generationIdOrMemberEpoch = try reader.readInt32()
        memberId = try reader.readString(flexible)
        if version >= 7 {
            groupInstanceId = try reader.readNullableString(flexible)
        }
        if version <= 4 {
            retentionTimeMs = try reader.readInt64()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 8 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 8
        try writer.write(groupId, flexible)
        writer.write(generationIdOrMemberEpoch)
        try writer.write(memberId, flexible)
        if version >= 7 {
            try writer.writeNullable(groupInstanceId, flexible)
        } else if groupInstanceId != nil { throw WireError.unsupportedField("OffsetCommitRequest.groupInstanceId", version) }
        if version <= 4 {
            writer.write(retentionTimeMs)
        }
        try writer.write(topics, flexible, version)
        if version >= 8 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetCommitRequestTopic: WireStruct {
        /// Versions 2 to 9, dropped in others.
        public var name: String = ""
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [OffsetCommitRequestPartition] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [OffsetCommitRequestPartition] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 8
            if version <= 9 {
                name = try reader.readString(flexible)
            }
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 18 : 14)
            if version >= 8 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 8
            if version <= 9 {
                try writer.write(name, flexible)
            }
            if version >= 10 {
                writer.write(topicId)
            }
            try writer.write(partitions, flexible, version)
            if version >= 8 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetCommitRequestPartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var committedOffset: Int64 = 0
        /// Versions from 6, dropped in others.
        public var committedLeaderEpoch: Int32 = -1
        public var committedMetadata: String? = ""

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            committedOffset: Int64 = 0,
            committedLeaderEpoch: Int32 = -1,
            committedMetadata: String? = ""
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.committedMetadata = committedMetadata
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 8
            partitionIndex = try reader.readInt32()
            committedOffset = try reader.readInt64()
            if version >= 6 {
                committedLeaderEpoch = try reader.readInt32()
            }
            committedMetadata = try reader.readNullableString(flexible)
            if version >= 8 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 8
            writer.write(partitionIndex)
            writer.write(committedOffset)
            if version >= 6 {
                writer.write(committedLeaderEpoch)
            }
            try writer.writeNullable(committedMetadata, flexible)
            if version >= 8 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 8. Versions 2 to 10, flexible from 8.
public struct OffsetCommitResponse: WireResponse {
    public static let messageName: StaticString = "OffsetCommitResponse"
    public static let apiKey: ApiKey = .offsetCommit
    public static let versions: ClosedRange<Int16> = 2...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 8 }

    /// Versions from 3, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var topics: [OffsetCommitResponseTopic] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [OffsetCommitResponseTopic] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 8
        if version >= 3 {
            throttleTimeMs = try reader.readInt32()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 8 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 8
        if version >= 3 {
            writer.write(throttleTimeMs)
        }
        try writer.write(topics, flexible, version)
        if version >= 8 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetCommitResponseTopic: WireStruct {
        /// Versions 2 to 9, dropped in others.
        public var name: String = ""
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [OffsetCommitResponsePartition] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [OffsetCommitResponsePartition] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 8
            if version <= 9 {
                name = try reader.readString(flexible)
            }
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 6)
            if version >= 8 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 8
            if version <= 9 {
                try writer.write(name, flexible)
            }
            if version >= 10 {
                writer.write(topicId)
            }
            try writer.write(partitions, flexible, version)
            if version >= 8 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetCommitResponsePartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            if version >= 8 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            if version >= 8 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
