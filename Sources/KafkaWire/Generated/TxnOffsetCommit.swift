// swift-format-ignore-file
// Generated from Schemas/apis/TxnOffsetCommit.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 28. Versions 0 to 5, flexible from 3.
public struct TxnOffsetCommitRequest: WireRequest {
    public typealias Response = TxnOffsetCommitResponse
    public static let messageName: StaticString = "TxnOffsetCommitRequest"
    public static let apiKey: ApiKey = .txnOffsetCommit
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var transactionalId: String = ""
    public var groupId: String = ""
    public var producerId: Int64 = 0
    public var producerEpoch: Int16 = 0
    /// Versions from 3.
    public var generationId: Int32 = -1
    /// Versions from 3.
    public var memberId: String = ""
    /// Versions from 3.
    public var groupInstanceId: String? = nil
    public var topics: [TxnOffsetCommitRequestTopic] = []

    public init() {}

    public init(
        transactionalId: String = "",
        groupId: String = "",
        producerId: Int64 = 0,
        producerEpoch: Int16 = 0,
        generationId: Int32 = -1,
        memberId: String = "",
        groupInstanceId: String? = nil,
        topics: [TxnOffsetCommitRequestTopic] = []
    ) {
        self.transactionalId = transactionalId
        self.groupId = groupId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        transactionalId = try reader.readString(flexible)
        groupId = try reader.readString(flexible)
        producerId = try reader.readInt64()
        producerEpoch = try reader.readInt16()
        if version >= 3 {
            generationId = try reader.readInt32()
        }
        if version >= 3 {
            memberId = try reader.readString(true)
        }
        if version >= 3 {
            groupInstanceId = try reader.readNullableString(true)
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        try writer.write(transactionalId, flexible)
        try writer.write(groupId, flexible)
        writer.write(producerId)
        writer.write(producerEpoch)
        if version >= 3 {
            writer.write(generationId)
        } else if generationId != -1 { throw WireError.unsupportedField("TxnOffsetCommitRequest.generationId", version) }
        if version >= 3 {
            try writer.write(memberId, true)
        } else if !memberId.isEmpty { throw WireError.unsupportedField("TxnOffsetCommitRequest.memberId", version) }
        if version >= 3 {
            try writer.writeNullable(groupInstanceId, true)
        } else if groupInstanceId != nil { throw WireError.unsupportedField("TxnOffsetCommitRequest.groupInstanceId", version) }
        try writer.write(topics, flexible, version)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TxnOffsetCommitRequestTopic: WireStruct {
        public var name: String = ""
        public var partitions: [TxnOffsetCommitRequestPartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [TxnOffsetCommitRequestPartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 3
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 18 : 14)
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            try writer.write(name, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct TxnOffsetCommitRequestPartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var committedOffset: Int64 = 0
        /// Versions from 2, dropped in others.
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
            let flexible: Bool = version >= 3
            partitionIndex = try reader.readInt32()
            committedOffset = try reader.readInt64()
            if version >= 2 {
                committedLeaderEpoch = try reader.readInt32()
            }
            committedMetadata = try reader.readNullableString(flexible)
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            writer.write(partitionIndex)
            writer.write(committedOffset)
            if version >= 2 {
                writer.write(committedLeaderEpoch)
            }
            try writer.writeNullable(committedMetadata, flexible)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 28. Versions 0 to 5, flexible from 3.
public struct TxnOffsetCommitResponse: WireResponse {
    public static let messageName: StaticString = "TxnOffsetCommitResponse"
    public static let apiKey: ApiKey = .txnOffsetCommit
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var throttleTimeMs: Int32 = 0
    public var topics: [TxnOffsetCommitResponseTopic] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [TxnOffsetCommitResponseTopic] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        writer.write(throttleTimeMs)
        try writer.write(topics, flexible, version)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TxnOffsetCommitResponseTopic: WireStruct {
        public var name: String = ""
        public var partitions: [TxnOffsetCommitResponsePartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [TxnOffsetCommitResponsePartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 3
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 6)
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            try writer.write(name, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct TxnOffsetCommitResponsePartition: WireStruct {
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
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
