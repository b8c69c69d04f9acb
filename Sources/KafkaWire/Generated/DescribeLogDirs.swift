// swift-format-ignore-file
// Generated from Schemas/apis/DescribeLogDirs.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 35. Versions 1 to 4, flexible from 2.
public struct DescribeLogDirsRequest: WireRequest {
    public typealias Response = DescribeLogDirsResponse
    public static let messageName: StaticString = "DescribeLogDirsRequest"
    public static let apiKey: ApiKey = .describeLogDirs
    public static let versions: ClosedRange<Int16> = 1...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var topics: [DescribableLogDirTopic]? = []

    public init() {}

    public init(
        topics: [DescribableLogDirTopic]? = []
    ) {
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        topics = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.writeNullable(topics, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribableLogDirTopic: WireStruct {
        public var topic: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [Int32] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            topic = try reader.readString(flexible)
            partitions = try reader.readArray(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(topic, flexible)
            try writer.write(partitions, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 35. Versions 1 to 4, flexible from 2.
public struct DescribeLogDirsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeLogDirsResponse"
    public static let apiKey: ApiKey = .describeLogDirs
    public static let versions: ClosedRange<Int16> = 1...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    /// Versions from 3, dropped in others.
    public var errorCode: ErrorCode = ErrorCode.none
    public var results: [DescribeLogDirsResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        results: [DescribeLogDirsResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        if version >= 3 {
            errorCode = try reader.readErrorCode()
        }
        results = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 8)
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
        if version >= 3 {
            writer.write(errorCode)
        }
        try writer.write(results, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribeLogDirsResult: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var logDir: String = ""
        public var topics: [DescribeLogDirsTopic] = []
        /// Versions from 4, dropped in others.
        public var totalBytes: Int64 = -1
        /// Versions from 4, dropped in others.
        public var usableBytes: Int64 = -1

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            logDir: String = "",
            topics: [DescribeLogDirsTopic] = [],
            totalBytes: Int64 = -1,
            usableBytes: Int64 = -1
        ) {
            self.errorCode = errorCode
            self.logDir = logDir
            self.topics = topics
            self.totalBytes = totalBytes
            self.usableBytes = usableBytes
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            errorCode = try reader.readErrorCode()
            logDir = try reader.readString(flexible)
            topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
            if version >= 4 {
                totalBytes = try reader.readInt64()
            }
            if version >= 4 {
                usableBytes = try reader.readInt64()
            }
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(errorCode)
            try writer.write(logDir, flexible)
            try writer.write(topics, flexible, version)
            if version >= 4 {
                writer.write(totalBytes)
            }
            if version >= 4 {
                writer.write(usableBytes)
            }
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DescribeLogDirsTopic: WireStruct {
        public var name: String = ""
        public var partitions: [DescribeLogDirsPartition] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [DescribeLogDirsPartition] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 22 : 21)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(name, flexible)
            try writer.write(partitions, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DescribeLogDirsPartition: WireStruct {
        public var partitionIndex: Int32 = 0
        public var partitionSize: Int64 = 0
        public var offsetLag: Int64 = 0
        public var isFutureKey: Bool = false

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            partitionSize: Int64 = 0,
            offsetLag: Int64 = 0,
            isFutureKey: Bool = false
        ) {
            self.partitionIndex = partitionIndex
            self.partitionSize = partitionSize
            self.offsetLag = offsetLag
            self.isFutureKey = isFutureKey
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            partitionSize = try reader.readInt64()
            offsetLag = try reader.readInt64()
            isFutureKey = try reader.readBool()
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(partitionSize)
            writer.write(offsetLag)
            writer.write(isFutureKey)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
