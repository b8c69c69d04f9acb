// swift-format-ignore-file
// Generated from Schemas/apis/OffsetFetch.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 9. Versions 1 to 10, flexible from 6.
public struct OffsetFetchRequest: WireRequest {
    public typealias Response = OffsetFetchResponse
    public static let messageName: StaticString = "OffsetFetchRequest"
    public static let apiKey: ApiKey = .offsetFetch
    public static let versions: ClosedRange<Int16> = 1...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    /// Versions 1 to 7.
    public var groupId: String = ""
    /// Versions 1 to 7. May be null from 2.
    public var topics: [OffsetFetchRequestTopic]? = []
    /// Versions from 8.
    public var groups: [OffsetFetchRequestGroup] = []
    /// Versions from 7.
    public var requireStable: Bool = false

    public init() {}

    public init(
        groupId: String = "",
        topics: [OffsetFetchRequestTopic]? = [],
        groups: [OffsetFetchRequestGroup] = [],
        requireStable: Bool = false
    ) {
        self.groupId = groupId
        self.topics = topics
        self.groups = groups
        self.requireStable = requireStable
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        if version <= 7 {
            groupId = try reader.readString(flexible)
        }
        if version <= 7 {
            topics = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 3 : 6, nullable: version >= 2)
        }
        if version >= 8 {
            groups = try reader.readArray(true, version, elementBytesMin: 3)
        }
        if version >= 7 {
            requireStable = try reader.readBool()
        }
        if version >= 6 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 6
        if version <= 7 {
            try writer.write(groupId, flexible)
        } else if !groupId.isEmpty { throw WireError.unsupportedField("OffsetFetchRequest.groupId", version) }
        if version <= 7 {
            if version >= 2 {
                try writer.writeNullable(topics, flexible, version)
            } else if let value = topics {
                try writer.write(value, flexible, version)
            } else {
                throw WireError.nullField("OffsetFetchRequest.topics", version)
            }
        } else if topics != [] { throw WireError.unsupportedField("OffsetFetchRequest.topics", version) }
        if version >= 8 {
            try writer.write(groups, true, version)
        } else if !groups.isEmpty { throw WireError.unsupportedField("OffsetFetchRequest.groups", version) }
        if version >= 7 {
            writer.write(requireStable)
        } else if requireStable { throw WireError.unsupportedField("OffsetFetchRequest.requireStable", version) }
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetFetchRequestTopic: WireStruct {
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
            let flexible: Bool = version >= 6
            name = try reader.readString(flexible)
            partitionIndexes = try reader.readArray(flexible)
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 6
            try writer.write(name, flexible)
            try writer.write(partitionIndexes, flexible)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetFetchRequestGroup: WireStruct {
        public var groupId: String = ""
        /// Versions from 9, dropped in others.
        public var memberId: String? = nil
        /// Versions from 9, dropped in others.
        public var memberEpoch: Int32 = -1
        public var topics: [OffsetFetchRequestTopics]? = []

        public init() {}

        public init(
            groupId: String = "",
            memberId: String? = nil,
            memberEpoch: Int32 = -1,
            topics: [OffsetFetchRequestTopics]? = []
        ) {
            self.groupId = groupId
            self.memberId = memberId
            self.memberEpoch = memberEpoch
            self.topics = topics
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            groupId = try reader.readString(true)
            if version >= 9 {
                memberId = try reader.readNullableString(true)
            }
            if version >= 9 {
                memberEpoch = try reader.readInt32()
            }
            topics = try reader.readNullableArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(groupId, true)
            if version >= 9 {
                try writer.writeNullable(memberId, true)
            }
            if version >= 9 {
                writer.write(memberEpoch)
            }
            try writer.writeNullable(topics, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetFetchRequestTopics: WireStruct {
        /// Versions 8 to 9, dropped in others.
        public var name: String = ""
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitionIndexes: [Int32] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitionIndexes: [Int32] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitionIndexes = partitionIndexes
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            if version <= 9 {
                name = try reader.readString(true)
            }
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            partitionIndexes = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            if version <= 9 {
                try writer.write(name, true)
            }
            if version >= 10 {
                writer.write(topicId)
            }
            try writer.write(partitionIndexes, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 9. Versions 1 to 10, flexible from 6.
public struct OffsetFetchResponse: WireResponse {
    public static let messageName: StaticString = "OffsetFetchResponse"
    public static let apiKey: ApiKey = .offsetFetch
    public static let versions: ClosedRange<Int16> = 1...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    /// Versions from 3, dropped in others.
    public var throttleTimeMs: Int32 = 0
    /// Versions 1 to 7.
    public var topics: [OffsetFetchResponseTopic] = []
    /// Versions 2 to 7, dropped in others.
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 8.
    public var groups: [OffsetFetchResponseGroup] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [OffsetFetchResponseTopic] = [],
        errorCode: ErrorCode = ErrorCode.none,
        groups: [OffsetFetchResponseGroup] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
        self.errorCode = errorCode
        self.groups = groups
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        if version >= 3 {
            throttleTimeMs = try reader.readInt32()
        }
        if version <= 7 {
            topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        }
        if version >= 2 && version <= 7 {
            errorCode = try reader.readErrorCode()
        }
        if version >= 8 {
            groups = try reader.readArray(true, version, elementBytesMin: 5)
        }
        if version >= 6 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 6
        if version >= 3 {
            writer.write(throttleTimeMs)
        }
        if version <= 7 {
            try writer.write(topics, flexible, version)
        } else if !topics.isEmpty { throw WireError.unsupportedField("OffsetFetchResponse.topics", version) }
        if version >= 2 && version <= 7 {
            writer.write(errorCode)
        }
        if version >= 8 {
            try writer.write(groups, true, version)
        } else if !groups.isEmpty { throw WireError.unsupportedField("OffsetFetchResponse.groups", version) }
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetFetchResponseTopic: WireStruct {
        public var name: String = ""
        public var partitions: [OffsetFetchResponsePartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [OffsetFetchResponsePartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 20 : 16)
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 6
            try writer.write(name, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetFetchResponsePartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var committedOffset: Int64 = 0
        /// Versions from 5, dropped in others.
        public var committedLeaderEpoch: Int32 = -1
        public var metadata: String? = ""
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            committedOffset: Int64 = 0,
            committedLeaderEpoch: Int32 = -1,
            metadata: String? = "",
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.metadata = metadata
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            partitionIndex = try reader.readInt32()
            committedOffset = try reader.readInt64()
            if version >= 5 {
                committedLeaderEpoch = try reader.readInt32()
            }
            metadata = try reader.readNullableString(flexible)
            errorCode = try reader.readErrorCode()
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 6
            writer.write(partitionIndex)
            writer.write(committedOffset)
            if version >= 5 {
                writer.write(committedLeaderEpoch)
            }
            try writer.writeNullable(metadata, flexible)
            writer.write(errorCode)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetFetchResponseGroup: WireStruct {
        public var groupId: String = ""
        public var topics: [OffsetFetchResponseTopics] = []
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            groupId: String = "",
            topics: [OffsetFetchResponseTopics] = [],
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.groupId = groupId
            self.topics = topics
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            groupId = try reader.readString(true)
            topics = try reader.readArray(true, version, elementBytesMin: 3)
            errorCode = try reader.readErrorCode()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(groupId, true)
            try writer.write(topics, true, version)
            writer.write(errorCode)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetFetchResponseTopics: WireStruct {
        /// Versions 8 to 9, dropped in others.
        public var name: String = ""
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [OffsetFetchResponsePartitions] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [OffsetFetchResponsePartitions] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            if version <= 9 {
                name = try reader.readString(true)
            }
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(true, version, elementBytesMin: 20)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            if version <= 9 {
                try writer.write(name, true)
            }
            if version >= 10 {
                writer.write(topicId)
            }
            try writer.write(partitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetFetchResponsePartitions: WireStruct {
        public var partitionIndex: Int32 = 0
        public var committedOffset: Int64 = 0
        public var committedLeaderEpoch: Int32 = -1
        public var metadata: String? = ""
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            committedOffset: Int64 = 0,
            committedLeaderEpoch: Int32 = -1,
            metadata: String? = "",
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.metadata = metadata
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            committedOffset = try reader.readInt64()
            committedLeaderEpoch = try reader.readInt32()
            metadata = try reader.readNullableString(true)
            errorCode = try reader.readErrorCode()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(committedOffset)
            writer.write(committedLeaderEpoch)
            try writer.writeNullable(metadata, true)
            writer.write(errorCode)
            writer.writeUnsignedVarint(0)
        }
    }
}
