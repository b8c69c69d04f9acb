// swift-format-ignore-file
// Generated from Schemas/apis/OffsetForLeaderEpoch.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 23. Versions 2 to 4, flexible from 4.
public struct OffsetForLeaderEpochRequest: WireRequest {
    public typealias Response = OffsetForLeaderEpochResponse
    public static let messageName: StaticString = "OffsetForLeaderEpochRequest"
    public static let apiKey: ApiKey = .offsetForLeaderEpoch
    public static let versions: ClosedRange<Int16> = 2...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    /// Versions from 3, dropped in others.
    public var replicaId: Int32 = -2
    public var topics: [OffsetForLeaderTopic] = []

    public init() {}

    public init(
        replicaId: Int32 = -2,
        topics: [OffsetForLeaderTopic] = []
    ) {
        self.replicaId = replicaId
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        if version >= 3 {
            replicaId = try reader.readInt32()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        if version >= 3 {
            writer.write(replicaId)
        }
        try writer.write(topics, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetForLeaderTopic: WireStruct {
        public var topic: String = ""
        public var partitions: [OffsetForLeaderPartition] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [OffsetForLeaderPartition] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            topic = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 13 : 12)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(topic, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OffsetForLeaderPartition: WireStruct {
        public var partition: Int32 = 0
        public var currentLeaderEpoch: Int32 = -1
        public var leaderEpoch: Int32 = 0

        public init() {}

        public init(
            partition: Int32 = 0,
            currentLeaderEpoch: Int32 = -1,
            leaderEpoch: Int32 = 0
        ) {
            self.partition = partition
            self.currentLeaderEpoch = currentLeaderEpoch
            self.leaderEpoch = leaderEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partition = try reader.readInt32()
            currentLeaderEpoch = try reader.readInt32()
            leaderEpoch = try reader.readInt32()
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partition)
            writer.write(currentLeaderEpoch)
            writer.write(leaderEpoch)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 23. Versions 2 to 4, flexible from 4.
public struct OffsetForLeaderEpochResponse: WireResponse {
    public static let messageName: StaticString = "OffsetForLeaderEpochResponse"
    public static let apiKey: ApiKey = .offsetForLeaderEpoch
    public static let versions: ClosedRange<Int16> = 2...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var throttleTimeMs: Int32 = 0
    public var topics: [OffsetForLeaderTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [OffsetForLeaderTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        writer.write(throttleTimeMs)
        try writer.write(topics, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct OffsetForLeaderTopicResult: WireStruct {
        public var topic: String = ""
        public var partitions: [EpochEndOffset] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [EpochEndOffset] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            topic = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 19 : 18)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(topic, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct EpochEndOffset: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var partition: Int32 = 0
        public var leaderEpoch: Int32 = -1
        public var endOffset: Int64 = -1

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            partition: Int32 = 0,
            leaderEpoch: Int32 = -1,
            endOffset: Int64 = -1
        ) {
            self.errorCode = errorCode
            self.partition = partition
            self.leaderEpoch = leaderEpoch
            self.endOffset = endOffset
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            errorCode = try reader.readErrorCode()
            partition = try reader.readInt32()
            leaderEpoch = try reader.readInt32()
            endOffset = try reader.readInt64()
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(errorCode)
            writer.write(partition)
            writer.write(leaderEpoch)
            writer.write(endOffset)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
