// swift-format-ignore-file
// Generated from Schemas/apis/Metadata.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 3. Versions 0 to 13, flexible from 9.
public struct MetadataRequest: WireRequest {
    public typealias Response = MetadataResponse
    public static let messageName: StaticString = "MetadataRequest"
    public static let apiKey: ApiKey = .metadata
    public static let versions: ClosedRange<Int16> = 0...13
    public static func isFlexible(_ version: Int16) -> Bool { version >= 9 }

    /// May be null from 1.
    public var topics: [MetadataRequestTopic]? = []
    /// Versions from 4.
    public var allowAutoTopicCreation: Bool = true
    /// Versions 8 to 10.
    public var includeClusterAuthorizedOperations: Bool = false
    /// Versions from 8.
    public var includeTopicAuthorizedOperations: Bool = false

    public init() {}

    public init(
        topics: [MetadataRequestTopic]? = [],
        allowAutoTopicCreation: Bool = true,
        includeClusterAuthorizedOperations: Bool = false,
        includeTopicAuthorizedOperations: Bool = false
    ) {
        self.topics = topics
        self.allowAutoTopicCreation = allowAutoTopicCreation
        self.includeClusterAuthorizedOperations = includeClusterAuthorizedOperations
        self.includeTopicAuthorizedOperations = includeTopicAuthorizedOperations
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 9
        topics = try reader.readNullableArray(flexible, version, elementBytesMin: 2, nullable: version >= 1)
        if version >= 4 {
            allowAutoTopicCreation = try reader.readBool()
        }
        if version >= 8 && version <= 10 {
            includeClusterAuthorizedOperations = try reader.readBool()
        }
        if version >= 8 {
            includeTopicAuthorizedOperations = try reader.readBool()
        }
        if version >= 9 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 9
        if version >= 1 {
            try writer.writeNullable(topics, flexible, version)
        } else if let value = topics {
            try writer.write(value, flexible, version)
        } else {
            throw WireError.nullField("MetadataRequest.topics", version)
        }
        if version >= 4 {
            writer.write(allowAutoTopicCreation)
        } else if !allowAutoTopicCreation { throw WireError.unsupportedField("MetadataRequest.allowAutoTopicCreation", version) }
        if version >= 8 && version <= 10 {
            writer.write(includeClusterAuthorizedOperations)
        } else if includeClusterAuthorizedOperations { throw WireError.unsupportedField("MetadataRequest.includeClusterAuthorizedOperations", version) }
        if version >= 8 {
            writer.write(includeTopicAuthorizedOperations)
        } else if includeTopicAuthorizedOperations { throw WireError.unsupportedField("MetadataRequest.includeTopicAuthorizedOperations", version) }
        if version >= 9 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct MetadataRequestTopic: WireStruct {
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        /// May be null from 10.
        public var name: String? = ""

        public init() {}

        public init(
            topicId: KafkaUUID = KafkaUUID.zero,
            name: String? = ""
        ) {
            self.topicId = topicId
            self.name = name
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            name = try reader.readNullableString(flexible, nullable: version >= 10)
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            if version >= 10 {
                writer.write(topicId)
            }
            if version >= 10 {
                try writer.writeNullable(name, flexible)
            } else if let value = name {
                try writer.write(value, flexible)
            } else {
                throw WireError.nullField("MetadataRequest.MetadataRequestTopic.name", version)
            }
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 3. Versions 0 to 13, flexible from 9.
public struct MetadataResponse: WireResponse {
    public static let messageName: StaticString = "MetadataResponse"
    public static let apiKey: ApiKey = .metadata
    public static let versions: ClosedRange<Int16> = 0...13
    public static func isFlexible(_ version: Int16) -> Bool { version >= 9 }

    /// Versions from 3, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var brokers: [MetadataResponseBroker] = []
    /// Versions from 2, dropped in others.
    public var clusterId: String? = nil
    /// Versions from 1, dropped in others.
    public var controllerId: Int32 = -1
    public var topics: [MetadataResponseTopic] = []
    /// Versions 8 to 10.
    public var clusterAuthorizedOperations: Int32 = -2147483648
    /// Versions from 13, dropped in others.
    public var errorCode: ErrorCode = ErrorCode.none

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        brokers: [MetadataResponseBroker] = [],
        clusterId: String? = nil,
        controllerId: Int32 = -1,
        topics: [MetadataResponseTopic] = [],
        clusterAuthorizedOperations: Int32 = -2147483648,
        errorCode: ErrorCode = ErrorCode.none
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.brokers = brokers
        self.clusterId = clusterId
        self.controllerId = controllerId
        self.topics = topics
        self.clusterAuthorizedOperations = clusterAuthorizedOperations
        self.errorCode = errorCode
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 9
        if version >= 3 {
            throttleTimeMs = try reader.readInt32()
        }
        brokers = try reader.readArray(flexible, version, elementBytesMin: flexible ? 11 : 10)
        if version >= 2 {
            clusterId = try reader.readNullableString(flexible)
        }
        if version >= 1 {
            controllerId = try reader.readInt32()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 10 : 8)
        if version >= 8 && version <= 10 {
            clusterAuthorizedOperations = try reader.readInt32()
        }
        if version >= 13 {
            errorCode = try reader.readErrorCode()
        }
        if version >= 9 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 9
        if version >= 3 {
            writer.write(throttleTimeMs)
        }
        try writer.write(brokers, flexible, version)
        if version >= 2 {
            try writer.writeNullable(clusterId, flexible)
        }
        if version >= 1 {
            writer.write(controllerId)
        }
        try writer.write(topics, flexible, version)
        if version >= 8 && version <= 10 {
            writer.write(clusterAuthorizedOperations)
        } else if clusterAuthorizedOperations != -2147483648 { throw WireError.unsupportedField("MetadataResponse.clusterAuthorizedOperations", version) }
        if version >= 13 {
            writer.write(errorCode)
        }
        if version >= 9 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct MetadataResponseBroker: WireStruct {
        public var nodeId: Int32 = 0
        public var host: String = ""
        public var port: Int32 = 0
        /// Versions from 1, dropped in others.
        public var rack: String? = nil

        public init() {}

        public init(
            nodeId: Int32 = 0,
            host: String = "",
            port: Int32 = 0,
            rack: String? = nil
        ) {
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.rack = rack
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            nodeId = try reader.readInt32()
            host = try reader.readString(flexible)
            port = try reader.readInt32()
            if version >= 1 {
                rack = try reader.readNullableString(flexible)
            }
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(nodeId)
            try writer.write(host, flexible)
            writer.write(port)
            if version >= 1 {
                try writer.writeNullable(rack, flexible)
            }
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct MetadataResponseTopic: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        /// May be null from 12.
        public var name: String? = ""
        /// Versions from 10, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        /// Versions from 1, dropped in others.
        public var isInternal: Bool = false
        public var partitions: [MetadataResponsePartition] = []
        /// Versions from 8.
        public var topicAuthorizedOperations: Int32 = -2147483648

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            name: String? = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            isInternal: Bool = false,
            partitions: [MetadataResponsePartition] = [],
            topicAuthorizedOperations: Int32 = -2147483648
        ) {
            self.errorCode = errorCode
            self.name = name
            self.topicId = topicId
            self.isInternal = isInternal
            self.partitions = partitions
            self.topicAuthorizedOperations = topicAuthorizedOperations
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            errorCode = try reader.readErrorCode()
            name = try reader.readNullableString(flexible, nullable: version >= 12)
            if version >= 10 {
                topicId = try reader.readUUID()
            }
            if version >= 1 {
                isInternal = try reader.readBool()
            }
            partitions = try reader.readArray(flexible, version, elementBytesMin: 18)
            if version >= 8 {
                topicAuthorizedOperations = try reader.readInt32()
            }
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(errorCode)
            if version >= 12 {
                try writer.writeNullable(name, flexible)
            } else if let value = name {
                try writer.write(value, flexible)
            } else {
                throw WireError.nullField("MetadataResponse.MetadataResponseTopic.name", version)
            }
            if version >= 10 {
                writer.write(topicId)
            }
            if version >= 1 {
                writer.write(isInternal)
            }
            try writer.write(partitions, flexible, version)
            if version >= 8 {
                writer.write(topicAuthorizedOperations)
            } else if topicAuthorizedOperations != -2147483648 { throw WireError.unsupportedField("MetadataResponse.MetadataResponseTopic.topicAuthorizedOperations", version) }
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct MetadataResponsePartition: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var partitionIndex: Int32 = 0
        public var leaderId: Int32 = 0
        /// Versions from 7, dropped in others.
        public var leaderEpoch: Int32 = -1
        public var replicaNodes: [Int32] = []
        public var isrNodes: [Int32] = []
        /// Versions from 5, dropped in others.
        public var offlineReplicas: [Int32] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            partitionIndex: Int32 = 0,
            leaderId: Int32 = 0,
            leaderEpoch: Int32 = -1,
            replicaNodes: [Int32] = [],
            isrNodes: [Int32] = [],
            offlineReplicas: [Int32] = []
        ) {
            self.errorCode = errorCode
            self.partitionIndex = partitionIndex
            self.leaderId = leaderId
            self.leaderEpoch = leaderEpoch
            self.replicaNodes = replicaNodes
            self.isrNodes = isrNodes
            self.offlineReplicas = offlineReplicas
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            errorCode = try reader.readErrorCode()
            partitionIndex = try reader.readInt32()
            leaderId = try reader.readInt32()
            if version >= 7 {
                leaderEpoch = try reader.readInt32()
            }
            replicaNodes = try reader.readArray(flexible)
            isrNodes = try reader.readArray(flexible)
            if version >= 5 {
                offlineReplicas = try reader.readArray(flexible)
            }
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(errorCode)
            writer.write(partitionIndex)
            writer.write(leaderId)
            if version >= 7 {
                writer.write(leaderEpoch)
            }
            try writer.write(replicaNodes, flexible)
            try writer.write(isrNodes, flexible)
            if version >= 5 {
                try writer.write(offlineReplicas, flexible)
            }
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
