// swift-format-ignore-file
// Generated from Schemas/apis/OffsetDelete.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 47. Version 0, none flexible.
public struct OffsetDeleteRequest: WireRequest {
    public typealias Response = OffsetDeleteResponse
    public static let messageName: StaticString = "OffsetDeleteRequest"
    public static let apiKey: ApiKey = .offsetDelete
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""
    public var topics: [OffsetDeleteRequestTopic] = []

    public init() {}

    public init(
        groupId: String = "",
        topics: [OffsetDeleteRequestTopic] = []
    ) {
        self.groupId = groupId
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        topics = try reader.readArray(false, version, elementBytesMin: 6)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        try writer.write(topics, false, version)
        if false {
        }
    }

    public struct OffsetDeleteRequestTopic: WireStruct {
        public var name: String = ""
        public var partitions: [OffsetDeleteRequestPartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [OffsetDeleteRequestPartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(false)
            partitions = try reader.readArray(false, version, elementBytesMin: 4)
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, false)
            try writer.write(partitions, false, version)
            if false {
            }
        }
    }

    public struct OffsetDeleteRequestPartition: WireStruct {
        public var partitionIndex: Int32 = 0

        public init() {}

        public init(
            partitionIndex: Int32 = 0
        ) {
            self.partitionIndex = partitionIndex
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            if false {
            }
        }
    }
}

/// Response 47. Version 0, none flexible.
public struct OffsetDeleteResponse: WireResponse {
    public static let messageName: StaticString = "OffsetDeleteResponse"
    public static let apiKey: ApiKey = .offsetDelete
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var errorCode: ErrorCode = ErrorCode.none
    public var throttleTimeMs: Int32 = 0
    public var topics: [OffsetDeleteResponseTopic] = []

    public init() {}

    public init(
        errorCode: ErrorCode = ErrorCode.none,
        throttleTimeMs: Int32 = 0,
        topics: [OffsetDeleteResponseTopic] = []
    ) {
        self.errorCode = errorCode
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        errorCode = try reader.readErrorCode()
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(false, version, elementBytesMin: 6)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(errorCode)
        writer.write(throttleTimeMs)
        try writer.write(topics, false, version)
        if false {
        }
    }

    public struct OffsetDeleteResponseTopic: WireStruct {
        public var name: String = ""
        public var partitions: [OffsetDeleteResponsePartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [OffsetDeleteResponsePartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(false)
            partitions = try reader.readArray(false, version, elementBytesMin: 6)
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, false)
            try writer.write(partitions, false, version)
            if false {
            }
        }
    }

    public struct OffsetDeleteResponsePartition: WireStruct {
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
            if false {
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            if false {
            }
        }
    }
}
