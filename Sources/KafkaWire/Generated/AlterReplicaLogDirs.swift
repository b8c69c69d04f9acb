// swift-format-ignore-file
// Generated from Schemas/apis/AlterReplicaLogDirs.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 34. Versions 1 to 2, flexible from 2.
public struct AlterReplicaLogDirsRequest: WireRequest {
    public typealias Response = AlterReplicaLogDirsResponse
    public static let messageName: StaticString = "AlterReplicaLogDirsRequest"
    public static let apiKey: ApiKey = .alterReplicaLogDirs
    public static let versions: ClosedRange<Int16> = 1...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var dirs: [AlterReplicaLogDir] = []

    public init() {}

    public init(
        dirs: [AlterReplicaLogDir] = []
    ) {
        self.dirs = dirs
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        dirs = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(dirs, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AlterReplicaLogDir: WireStruct {
        public var path: String = ""
        public var topics: [AlterReplicaLogDirTopic] = []

        public init() {}

        public init(
            path: String = "",
            topics: [AlterReplicaLogDirTopic] = []
        ) {
            self.path = path
            self.topics = topics
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            path = try reader.readString(flexible)
            topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(path, flexible)
            try writer.write(topics, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AlterReplicaLogDirTopic: WireStruct {
        public var name: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [Int32] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(name, flexible)
            try writer.write(partitions, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 34. Versions 1 to 2, flexible from 2.
public struct AlterReplicaLogDirsResponse: WireResponse {
    public static let messageName: StaticString = "AlterReplicaLogDirsResponse"
    public static let apiKey: ApiKey = .alterReplicaLogDirs
    public static let versions: ClosedRange<Int16> = 1...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var results: [AlterReplicaLogDirTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [AlterReplicaLogDirTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        results = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        writer.write(throttleTimeMs)
        try writer.write(results, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AlterReplicaLogDirTopicResult: WireStruct {
        public var topicName: String = ""
        public var partitions: [AlterReplicaLogDirPartitionResult] = []

        public init() {}

        public init(
            topicName: String = "",
            partitions: [AlterReplicaLogDirPartitionResult] = []
        ) {
            self.topicName = topicName
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            topicName = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 6)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(topicName, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AlterReplicaLogDirPartitionResult: WireStruct {
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
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
