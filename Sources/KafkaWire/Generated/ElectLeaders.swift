// swift-format-ignore-file
// Generated from Schemas/apis/ElectLeaders.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 43. Versions 0 to 2, flexible from 2.
public struct ElectLeadersRequest: WireRequest {
    public typealias Response = ElectLeadersResponse
    public static let messageName: StaticString = "ElectLeadersRequest"
    public static let apiKey: ApiKey = .electLeaders
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    /// Versions from 1.
    public var electionType: Int8 = 0
    public var topicPartitions: [TopicPartitions]? = []
    public var timeoutMs: Int32 = 60000

    public init() {}

    public init(
        electionType: Int8 = 0,
        topicPartitions: [TopicPartitions]? = [],
        timeoutMs: Int32 = 60000
    ) {
        self.electionType = electionType
        self.topicPartitions = topicPartitions
        self.timeoutMs = timeoutMs
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        if version >= 1 {
            electionType = try reader.readInt8()
        }
        topicPartitions = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        timeoutMs = try reader.readInt32()
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        if version >= 1 {
            writer.write(electionType)
        } else if electionType != 0 { throw WireError.unsupportedField("ElectLeadersRequest.electionType", version) }
        try writer.writeNullable(topicPartitions, flexible, version)
        writer.write(timeoutMs)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TopicPartitions: WireStruct {
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

/// Response 43. Versions 0 to 2, flexible from 2.
public struct ElectLeadersResponse: WireResponse {
    public static let messageName: StaticString = "ElectLeadersResponse"
    public static let apiKey: ApiKey = .electLeaders
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    /// Versions from 1.
    public var errorCode: ErrorCode = ErrorCode.none
    public var replicaElectionResults: [ReplicaElectionResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        replicaElectionResults: [ReplicaElectionResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.replicaElectionResults = replicaElectionResults
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        if version >= 1 {
            errorCode = try reader.readErrorCode()
        }
        replicaElectionResults = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
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
        if version >= 1 {
            writer.write(errorCode)
        } else if errorCode != ErrorCode.none { throw WireError.unsupportedField("ElectLeadersResponse.errorCode", version) }
        try writer.write(replicaElectionResults, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ReplicaElectionResult: WireStruct {
        public var topic: String = ""
        public var partitionResult: [PartitionResult] = []

        public init() {}

        public init(
            topic: String = "",
            partitionResult: [PartitionResult] = []
        ) {
            self.topic = topic
            self.partitionResult = partitionResult
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            topic = try reader.readString(flexible)
            partitionResult = try reader.readArray(flexible, version, elementBytesMin: 8)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(topic, flexible)
            try writer.write(partitionResult, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct PartitionResult: WireStruct {
        public var partitionId: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""

        public init() {}

        public init(
            partitionId: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = ""
        ) {
            self.partitionId = partitionId
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            partitionId = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(partitionId)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
