// swift-format-ignore-file
// Generated from Schemas/apis/ListOffsets.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 2. Versions 1 to 10, flexible from 6.
public struct ListOffsetsRequest: WireRequest {
    public typealias Response = ListOffsetsResponse
    public static let messageName: StaticString = "ListOffsetsRequest"
    public static let apiKey: ApiKey = .listOffsets
    public static let versions: ClosedRange<Int16> = 1...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    public var replicaId: Int32 = 0
    /// Versions from 2.
    public var isolationLevel: Int8 = 0
    public var topics: [ListOffsetsTopic] = []
    /// Versions from 10, dropped in others.
    public var timeoutMs: Int32 = 0

    public init() {}

    public init(
        replicaId: Int32 = 0,
        isolationLevel: Int8 = 0,
        topics: [ListOffsetsTopic] = [],
        timeoutMs: Int32 = 0
    ) {
        self.replicaId = replicaId
        self.isolationLevel = isolationLevel
        self.topics = topics
        self.timeoutMs = timeoutMs
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        replicaId = try reader.readInt32()
        if version >= 2 {
            isolationLevel = try reader.readInt8()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 10 {
            timeoutMs = try reader.readInt32()
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
        writer.write(replicaId)
        if version >= 2 {
            writer.write(isolationLevel)
        } else if isolationLevel != 0 { throw WireError.unsupportedField("ListOffsetsRequest.isolationLevel", version) }
        try writer.write(topics, flexible, version)
        if version >= 10 {
            writer.write(timeoutMs)
        }
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ListOffsetsTopic: WireStruct {
        public var name: String = ""
        public var partitions: [ListOffsetsPartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [ListOffsetsPartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 17 : 12)
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

    public struct ListOffsetsPartition: WireStruct {
        public var partitionIndex: Int32 = 0
        /// Versions from 4, dropped in others.
        public var currentLeaderEpoch: Int32 = -1
        public var timestamp: Int64 = 0

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            currentLeaderEpoch: Int32 = -1,
            timestamp: Int64 = 0
        ) {
            self.partitionIndex = partitionIndex
            self.currentLeaderEpoch = currentLeaderEpoch
            self.timestamp = timestamp
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            if version >= 4 {
                currentLeaderEpoch = try reader.readInt32()
            }
            timestamp = try reader.readInt64()
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            if version >= 4 {
                writer.write(currentLeaderEpoch)
            }
            writer.write(timestamp)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 2. Versions 1 to 10, flexible from 6.
public struct ListOffsetsResponse: WireResponse {
    public static let messageName: StaticString = "ListOffsetsResponse"
    public static let apiKey: ApiKey = .listOffsets
    public static let versions: ClosedRange<Int16> = 1...10
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    /// Versions from 2, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var topics: [ListOffsetsTopicResponse] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [ListOffsetsTopicResponse] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        if version >= 2 {
            throttleTimeMs = try reader.readInt32()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 6 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 6
        if version >= 2 {
            writer.write(throttleTimeMs)
        }
        try writer.write(topics, flexible, version)
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ListOffsetsTopicResponse: WireStruct {
        public var name: String = ""
        public var partitions: [ListOffsetsPartitionResponse] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [ListOffsetsPartitionResponse] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 27 : 22)
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

    public struct ListOffsetsPartitionResponse: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var timestamp: Int64 = -1
        public var offset: Int64 = -1
        /// Versions from 4.
        public var leaderEpoch: Int32 = -1

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            timestamp: Int64 = -1,
            offset: Int64 = -1,
            leaderEpoch: Int32 = -1
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.timestamp = timestamp
            self.offset = offset
            self.leaderEpoch = leaderEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            timestamp = try reader.readInt64()
            offset = try reader.readInt64()
            if version >= 4 {
                leaderEpoch = try reader.readInt32()
            }
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            writer.write(timestamp)
            writer.write(offset)
            if version >= 4 {
                writer.write(leaderEpoch)
            } else if leaderEpoch != -1 { throw WireError.unsupportedField("ListOffsetsResponse.ListOffsetsPartitionResponse.leaderEpoch", version) }
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
